"""Prepares a simulated day with the server's own services: bank, users, units, plan.

    preparation = prepare(folder, seed=1, begins=datetime(2026, 3, 2, 9, 0), units=["B01"], plan=[…])

The same folder then serves a server (`preparation.data`) and a world (flash images under `units/`).
Everything that a unit will hold comes from the seed, so that equal preparations give equal journals.
"""

import sqlite3
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from doorward_protocol import objects
from doorward_protocol.prompts import PROMPTS
from doorward_protocol.suite import run as finish
from doorward_server.app import open_services
from doorward_server.clock import to_milliseconds
from doorward_server.fleet.models import Box, Site, Vehicle
from doorward_server.people.models import Person
from doorward_server.planning import service as planning
from doorward_server.planning.models import Duty
from doorward_server.planning.plan import Member, Plan, PlannedBox, PlannedStop
from doorward_server.security.keys import KeyPair
from doorward_server.security.models import User
from doorward_server.settings import Settings
from doorward_server.speech.engine import Engine
from doorward_server.speech.store import SpeechStore, cache_folder
from doorward_server.units import authority, contents
from doorward_simulator.preparation import HOST, PORT, Preparation, Prompt
from sqlmodel import Session, col, select

from doorward_tools.foundation import PROMPTS_IMAGE, StandingClock, bank_of, blob, provide
from doorward_tools.provisioning import commission, provision
from doorward_tools.simulated_server import seeded


class _KnownVoice(Engine):
    """Speaks each text once: all days of a process name the same people."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[tuple[str, str], bytes] = {}

    def synthesize(self, text: str, language: str) -> bytes:
        if (text, language) not in self._known:
            self._known[text, language] = super().synthesize(text, language)
        return self._known[text, language]


_VOICE = SpeechStore(cache_folder() / "clips", _KnownVoice())
BEFORE = timedelta(minutes=20)  # the plan is released so long before the world begins
PLANNERS = ("dispatch1", "dispatch2")


def prepare(
    folder: Path,
    seed: int,
    begins: datetime,
    units: list[str],
    plan: list[dict[str, Any]],
    settings: dict[str, Any] | None = None,
    host: str = HOST,
    port: int = PORT,
    commissioned: bool = True,
    password: Callable[[str], str] = "{}-pass-word".format,
    cache: Path | None = None,
) -> Preparation:
    """Make everything under `folder`, emptied first. `begins`: naive local time; `plan`: as in scenarios.

    `settings` are the server's (names of `Settings`); units are `commissioned` or know only who they are;
    `password` gives each login its password; `cache` is a folder that keeps what several days have in common.
    """
    passwords = provide(folder, begins.date(), seed, settings or {}, password, cache)
    chosen = Settings(data=folder / "data", **(settings or {}))
    moment = begins.replace(tzinfo=chosen.zone)
    random = seeded(f"preparation/{seed}".encode())
    services = open_services(chosen, StandingClock(to_milliseconds(moment - BEFORE)), random=random)
    services.parts["speech"] = _VOICE
    database = services.database
    with database.writing() as session:
        printers = _set_printers(session, units, folder / "printed")
    roots = [KeyPair(random(8), *finish(services.suite.new_key())) for _ in range(3)]
    trust = authority.make_trust(services, roots)
    with database.writing() as session:
        places = {code: provision(session, folder / "units", code, trust, host, port) for code in units}
    with database.writing() as session:
        runs = [_release(session, run, begins.date()) for run in plan]
    with database.reading() as session:
        for place in places.values() if commissioned else ():
            commission(session, place, folder / PROMPTS_IMAGE)
        preparation = Preparation(
            folder=folder,
            data=chosen.data,
            bank=bank_of(begins.date()),
            epoch=to_milliseconds(moment),
            units=places,
            passwords=passwords,
            people={row.staff_number: row.id for row in session.exec(select(Person))},
            vehicles={row.plate: row.id for row in session.exec(select(Vehicle))},
            boxes={row.number: row.id for row in session.exec(select(Box))},
            sites={row.code: row.id for row in session.exec(select(Site))},
            tasks=_tasks(session, runs),
            runs=runs,
            printers=printers,
            prompts=_prompts(session),
            stored_leaves=lambda kid: stored_leaves(chosen.data / "doorward.sqlite", kid),
        )
    database.close()
    return preparation


def stored_leaves(database: Path, kid: bytes) -> list[tuple[int, int, bytes, int]]:
    """The server's leaves of a unit (epoch, index, entry, received) in order, read past the server's code."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return connection.execute(
            'SELECT leaf.epoch, leaf."index", entry, received FROM leaf JOIN unit ON unit.id = leaf.unit_id '
            'WHERE unit.kid = ? ORDER BY leaf.epoch, leaf."index"',
            (kid,),
        ).fetchall()
    finally:
        connection.close()


def _set_printers(session: Session, codes: list[str], folder: Path) -> dict[str, Path]:
    """Give the sites with units a printer that writes into a folder."""
    printers = {code: (folder / code).resolve() for code in codes}
    for site in session.exec(select(Site).where(col(Site.code).in_(codes))):
        site.printer = f"spool:{printers[site.code]}"
        session.add(site)
    return printers


def _release(session: Session, run: dict[str, Any], day: date) -> int:
    """Plan one run as the first dispatcher, release it as the second."""
    first, second = (session.exec(select(User).where(User.login == login)).one() for login in PLANNERS)
    planned = planning.create_run(session, first, plan_of(session, run, day))
    approval = planning.release_request(session, first, planned)
    return planning.release_approve(session, second, approval).id


def plan_of(session: Session, run: dict[str, Any], day: date) -> Plan:
    """A run as a scenario writes it, with the server's numbers."""
    if "date" in run:
        day = date.fromisoformat(run["date"])
    crew = [(name, Duty.DOOR) for name in run["door"]] + [
        (name, Duty.VEHICLE) for name in run.get("drive", [])
    ]
    zone = session.info["services"].settings.zone
    return Plan(
        date=day,
        vehicle_id=_id(session, Vehicle, "plate", run["vehicle"]),
        crew=tuple(Member(_id(session, Person, "staff_number", name), duty) for name, duty in crew),
        stops=tuple(
            PlannedStop(
                site_id=_id(session, Site, "code", stop["site"]),
                window_from=datetime.combine(day, time.fromisoformat(stop["window"][0]), zone),
                window_until=datetime.combine(day, time.fromisoformat(stop["window"][1]), zone),
                boxes=tuple(PlannedBox(_id(session, Box, "number", name)) for name in stop["boxes"]),
                kind=stop["kind"],
            )
            for stop in run["stops"]
        ),
    )


def _id(session: Session, model: Any, key: str, name: str) -> int:
    row = session.exec(select(model).where(getattr(model, key) == name)).first()
    if row is None:
        raise ValueError(f"the bank has no {model.__name__.lower()} {name!r}")
    return row.id


def _tasks(session: Session, runs: list[int]) -> dict[str, list[int]]:
    tasks: dict[str, list[int]] = {}
    for run in runs:
        for stop in planning.stops_of(session, planning.get_run(session, run)):
            tasks.setdefault(session.get_one(Site, stop.site_id).code, []).append(stop.id)
    return tasks


def _prompts(session: Session) -> dict[str, Prompt]:
    """What units will say and show, so that the world can recognise it."""
    pack = objects.decode_blob("prompts", blob(session, contents.prompts(session)))
    found = {}
    for number, clip, picture in pack["prompts"]:
        bitmap = blob(session, picture)
        found[PROMPTS[number]] = Prompt(blob(session, clip), int.from_bytes(bitmap[:2], "big"), bitmap[4:])
    return found

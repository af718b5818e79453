"""A server under fire: a demo bank, witnesses at its branches, a desk that plans, a real server to shoot at.

    stage = Stage(folder, seed=1)
    stage.server.start(); await stage.shoot(kills=5); stage.check()

`kill -9` shows that no acknowledgement is given before SQLite's commit returned, and that whatever was half
done is undone or repeated. It cannot show what a power cut of the machine does: the kernel keeps what a dead
process wrote. For that there is `synchronous=FULL`, which a test of the connection's pragmas holds.
"""

import asyncio
import random
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from doorward_server.app import open_services
from doorward_server.fleet.models import Site, Vehicle
from doorward_server.people.models import Person
from doorward_server.planning import service as planning
from doorward_server.security.models import User
from doorward_server.settings import Settings
from doorward_server.units import authority, service
from doorward_simulator.witness import NO_DISORDER, Disorder, Part, ServerKeys, Witness
from sqlmodel import Session, col, select

from doorward_tools import kept
from doorward_tools.desk_under_fire import Desk
from doorward_tools.foundation import bank_of, provide
from doorward_tools.prepare import PLANNERS, plan_of
from doorward_tools.served import Server

QUICK = {"argon2_time_cost": 1, "argon2_memory_kib": 8192}
# One van per branch: site, vehicle's index in the demo bank, door crew, driver, boxes.
ROUTES = (
    ("B01", 0, ("E1001", "E1002"), "D2001", ("HX-0001", "HX-0004")),
    ("B02", 1, ("E1004", "E1005"), "D2002", ("HX-0002", "HX-0005")),
)
PER_SITE = 2
SETTLE_SECONDS = 60  # without any progress
CALM_SECONDS = (0.05, 1.5)  # between an answering server and its kill, on a machine with nothing else to do
START_SECONDS = 2.0  # what a server needs to start there
IN_START = 0.1  # how often a server is killed while it still starts


class Stage:
    """Everything under `folder`, emptied first. One stage is one seed."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        disorder: Disorder = NO_DISORDER,
        cache: Path | None = None,
    ) -> None:
        self.folder, self.seed = folder, seed
        self._random = random.Random(f"fire/{seed}")  # noqa: S311
        settings = {**QUICK, "timezone": _morning_zone(datetime.now(UTC).hour)}
        today = datetime.now(ZoneInfo(str(settings["timezone"])))
        passwords = provide(folder, today.date(), seed, settings, "{}-pass-word".format, cache)
        self.data = folder / "data"
        services = open_services(Settings(data=self.data, **settings))
        keys = ServerKeys(
            *(
                (pair.kid, pair.public)
                for pair in (authority.server_key(services), authority.dispatch_key(services))
            )
        )
        self.witnesses: list[Witness] = []
        with services.database.writing() as session:
            now = services.clock.now().astimezone(services.settings.zone)
            for route in ROUTES:
                part = _part(session, route, now)
                site = session.exec(select(Site).where(Site.code == route[0])).one()
                for number in range(PER_SITE):
                    witness = Witness(f"{seed}/{route[0]}/{number}", keys, part, disorder)
                    public = (pair[1] for pair in (witness.dh, witness.signing, witness.bundle))
                    service.register_unit(session, witness.kid, site, *public)
                    self.witnesses.append(witness)
        services.database.close()
        log = folder / "server.txt"
        self.server = Server(self.data, log, {name: str(value) for name, value in settings.items()})
        self.desk = Desk(self.server.port, PLANNERS[0], passwords[PLANNERS[0]])
        self.kills = 0

    async def shoot(self, kills: int, hit: Callable[[int], None] = lambda _number: None) -> None:
        """Kill the started server so many times under load, then let all finish. `hit` is told of each kill.

        On a busy machine everything takes longer, a server's start as well: the calm between two kills is
        measured in starts, or nobody would get a word in. Raises kept.LostError when something acknowledged
        is not there.
        """
        work = self.begin(self.server.port)
        try:
            for number in range(kills):
                slowness = max(1.0, self.server.started_in / START_SECONDS)
                await asyncio.sleep(slowness * self._random.uniform(*CALM_SECONDS))
                _raise_from(work)
                self.server.kill()
                self.kills += 1
                self._inspect()
                while self._random.random() < IN_START:
                    await asyncio.to_thread(self.server.begin)
                    await asyncio.sleep(self._random.uniform(0, 1.5))
                    self.server.kill()
                    self.kills += 1
                await asyncio.to_thread(self.server.start)
                hit(number + 1)
            await self.settle(work)
        finally:
            for task in work:
                task.cancel()

    def begin(self, port: int) -> list[asyncio.Task]:
        """Let all witnesses report to a port, and the desk work."""
        return [
            asyncio.create_task(self.desk.serve()),
            *(asyncio.create_task(witness.serve(port)) for witness in self.witnesses),
        ]

    async def settle(self, work: list[asyncio.Task]) -> None:
        """Let everybody finish. Raises kept.LostError if nothing goes on for SETTLE_SECONDS."""
        for one in (*self.witnesses, self.desk):
            one.finish()
        left, since = (-1, -1), time.monotonic()
        while left != (0, 0):
            _raise_from(work)
            await asyncio.sleep(0.1)
            now = (
                kept.missing_pictures(self.data),
                sum(len(one.entries) - one.acknowledged for one in self.witnesses),
            )
            if now != left:
                left, since = now, time.monotonic()
            elif time.monotonic() - since > SETTLE_SECONDS:
                raise kept.LostError(f"{left[0]} pictures and {left[1]} records never arrive")
        for one in self.witnesses:
            one.may_leave.set()
        async with asyncio.timeout(SETTLE_SECONDS):
            await asyncio.gather(*work)

    def check(self) -> kept.Figures:
        """Stop the server, and hold its database against everybody's memory. Raises kept.LostError."""
        self.server.stop()
        return kept.check_end(self.data, self.witnesses, self.desk.confirmed)

    def _inspect(self) -> None:
        """Look into a copy of what the dead server left, as it left it, before anybody repeats anything."""
        copy = self.folder / "after-kill"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for file in self.data.glob("doorward.sqlite*"):
            shutil.copy(file, copy)
        kept.check_now(copy, self.witnesses, self.desk.confirmed)


def _morning_zone(hour: int) -> str:
    """The zone where it is ten o'clock when it is `hour` in UTC, so that no plan meets midnight."""
    east = 10 - hour if hour <= 22 else 34 - hour
    return f"Etc/GMT{-east:+d}"  # these names count westwards


def _raise_from(work: list[asyncio.Task]) -> None:
    for task in work:
        if task.done():
            task.result()


def _part(session: Session, route: tuple[Any, ...], now: datetime) -> Part:
    code, van, crew, driver, boxes = route
    plate = session.exec(select(Vehicle).order_by(col(Vehicle.id))).all()[van].plate
    begin = now.replace(second=0, microsecond=0)
    window = [(begin + timedelta(minutes=minutes)).time().isoformat("minutes") for minutes in (0, 30)]
    run = {
        "vehicle": plate, "door": list(crew), "drive": [driver],
        "stops": [{"site": code, "kind": "deliver", "window": window, "boxes": list(boxes)}],
    }  # fmt: skip
    first, second = (session.exec(select(User).where(User.login == login)).one() for login in PLANNERS)
    planned = planning.create_run(session, first, plan_of(session, run, begin.date()))
    planning.release_approve(session, second, planning.release_request(session, first, planned))
    vehicle = session.exec(select(Vehicle).where(Vehicle.plate == plate)).one()
    people = {one.staff_number: one for one in session.exec(select(Person))}
    site = session.exec(select(Site).where(Site.code == code)).one()
    officer = next(one for one in people.values() if one.site_id == site.id)
    return Part(
        task=planning.stops_of(session, planned)[0].id,
        vehicle=vehicle.id,
        vehicle_tag=(vehicle.epc, vehicle.tid),
        crew=[people[number].id for number in crew],
        officer=officer.id,
        boxes=[one.epc for one in bank_of(begin.date()).boxes if one.number in boxes],
    )

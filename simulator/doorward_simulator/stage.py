"""A scenario's stage: world, network, server, sites with their units, people at desks, and the names of all.

Steps (the modules of `scenario.VOCABULARY`) find everything here by the names that the demo bank and the plan
use.
"""

import socket
from collections.abc import Callable
from pathlib import Path

from doorward_protocol import records

from .bank import Person
from .clock import Clock, RealClock
from .desk import Desk
from .devices.tags import Tag
from .journal_view import Entry
from .network import Cable, Network
from .preparation import HOST, PORT, Preparation
from .process import CPYTHON, Runtime
from .scenario_loader import Scenario, ScenarioError
from .server_process import ServerProcess
from .site import Site
from .unit import Unit, load_flash
from .world import World

HEARD_WITHIN = 2000  # ms from a record to the centre, while connected
CLOCKS_DIFFER = 10_000  # ms: in real time the clocks of unit, server and world are three, and a busy PC lags
DESK_LATENCY = 2  # ms
WATCHER = "duty1"  # whose wall the world looks at


class Stage:
    """Everything a step may use. A context manager: processes end with it."""

    def __init__(
        self,
        scenario: Scenario,
        preparation: Preparation,
        server_command: list[str] | None,
        folder: Path,
        realtime: float | None = None,
        address: tuple[str, int] | None = None,
        runtime: Runtime = CPYTHON,
    ):
        """Virtual time: `server_command` is started. Real time: a server already serves at `address`.
        `runtime`: the interpreter of the units."""
        folder.mkdir(parents=True, exist_ok=True)
        self.scenario, self.preparation, self.folder = scenario, preparation, folder
        self.bank = preparation.bank
        clock = Clock(preparation.epoch) if realtime is None else RealClock(preparation.epoch, realtime)
        self.world = World(clock, scenario.seed)
        self.network = Network(self.world)
        self._server_command, self._address, self._runtime = server_command, address, runtime
        self.units: dict[str, Unit] = {}
        self.sites: dict[str, Site] = {}
        self.expected_alarms: set[str] = set()
        self.ready_at: dict[str, int] = {}
        self.disturbed: set[str] = set()  # units whose power or link was not whole all the time
        self.acted_at = 0
        self.cursors: dict[str, int] = {}
        self._desks: dict[str, Desk] = {}
        for code in scenario.units:
            self._add_unit(code)

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_: object) -> None:
        self.world.close()

    def begin(self) -> None:
        """Start the server, let the centre listen, switch the units on."""
        if self._server_command is not None:
            ServerProcess(self.world, self.network, self._server_command, self.folder, HOST, PORT)
        elif self._address is not None:
            address = self._address
            self.network.add_server(HOST, PORT, lambda: socket.create_connection(address))
        self.desk(WATCHER).listen("/live")
        for unit in self.units.values():
            unit.power_on()
        self.world.clock.catch_up()

    # --- names

    def unit(self, name: str | None) -> Unit:
        """A unit by its site's code; without a name the scenario's only one."""
        return self.units[self._unit_name(name)]

    def site(self, name: str | None) -> Site:
        return self.sites[self._unit_name(name)]

    def person(self, name: str) -> Person:
        return _known(self.bank.person, name)

    def vehicle_tag(self, plate: str) -> Tag:
        return _known(self.bank.vehicle, plate).tag()

    def box_tags(self, numbers: list[str]) -> dict[str, Tag]:
        return {number: _known(self.bank.box, number).tag() for number in numbers}

    def desk(self, login: str) -> Desk:
        """The browser of a user; logs in when first used."""
        if login not in self._desks:
            password = self.preparation.passwords.get(login)
            if password is None:
                raise ScenarioError(f"there is no user {login!r}")
            cable = Cable(self.world, f"desk {login}", DESK_LATENCY)
            self._desks[login] = Desk(self.network, cable, HOST, PORT, login, password)
        return self._desks[login]

    def everybody_goes_home(self) -> None:
        """The day is over at the desks."""
        for desk in self._desks.values():
            desk.go_home()

    def approve(self, login: str, approval: int) -> None:
        """The second pair of eyes: look at what is asked for, then approve exactly that."""
        desk = self.desk(login)
        desk.get(f"/api/approvals/{approval}")
        desk.post(f"/api/approvals/{approval}/decision", {"approve": True})

    def unit_row(self, name: str | None) -> dict:
        """What the server says of a unit."""
        kid = self.preparation.units[self._unit_name(name)].kid.hex()
        return next(row for row in self.desk(WATCHER).get("/api/units") if row["kid"] == kid)

    def handovers(self, name: str | None) -> list[dict]:
        """The server's handovers at a unit's site, oldest first."""
        site = self.preparation.sites[self._unit_name(name)]
        return self.desk(WATCHER).get(f"/api/handovers?site={site}")[::-1]

    def alarms(self) -> list[dict]:
        """All alarms of the day, oldest first."""
        return self.desk(WATCHER).get("/api/alarms?only_open=false&limit=500")[::-1]

    # --- the end of the day

    def judge(self) -> list[str]:
        """What is wrong with the whole day, in sentences."""
        problems = []
        for unit in self.units.values():
            problems += [f"protocol violation: {text}" for text in unit.violations()]
            if unit.powered and not unit.running:
                problems.append(f"{unit.name}: the firmware does not run at the end")
        unexpected = sorted({alarm["rule"] for alarm in self.alarms()} - self.expected_alarms)
        problems += [f"an alarm that no step expected: {rule}" for rule in unexpected]
        return problems

    def stored_leaves(self, name: str) -> list[tuple[int, int, bytes, int]]:
        """The server's copy of a unit's journal: epoch, index, entry, when it was received."""
        return self.preparation.stored_leaves(self.preparation.units[name].kid)

    def told(self, name: str, kind: str) -> list[tuple[int, dict]]:
        """What the live view told of a kind of record at a unit's site: (ms of world time, event)."""
        wanted = (self.preparation.sites[name], kind)
        events = self.desk(WATCHER).events
        return [
            (moment, event) for moment, event in events if (event.get("site"), event.get("name")) == wanted
        ]

    def printed(self, name: str | None) -> list[Path]:
        """Reports that came out of the printer of a unit's site."""
        printer = self.preparation.printers.get(self._unit_name(name))
        return sorted(printer.glob("*.pdf")) if printer else []

    def slowest_record(self) -> int | None:
        """The longest way (ms) of a record to the centre since the unit was ready; None if a cable was out.

        Only virtual time can tell: in real time the clocks of unit and server differ by more.
        """
        if self.world.clock.realtime:
            return None
        slowest = None
        for code, since in self.ready_at.items():
            for _, _, entry, received in self.stored_leaves(code):
                written = records.decode(entry).time
                if written >= self.world.clock.epoch + since and code not in self.disturbed:
                    slowest = max(slowest or 0, received - written)
        return slowest

    def entries(self, name: str | None) -> list[Entry]:
        return self.unit(name).journal.entries()

    def came(self, name: str | None, kind: str) -> bool:
        """Whether a unit has written a record of this kind since the last one expected of it."""
        code = self._unit_name(name)
        return any(entry.record.name == kind for entry in self.entries(code)[self.cursors[code] :])

    def _unit_name(self, name: str | None) -> str:
        if name is None:
            if len(self.units) != 1:
                raise ScenarioError("several units: say which one with `unit`")
            return next(iter(self.units))
        if name not in self.units:
            raise ScenarioError(f"{name!r} is no unit of this scenario: {', '.join(self.units)}")
        return name

    def _add_unit(self, code: str) -> None:
        place = self.preparation.units[code]
        flash = load_flash(place.flash, code, self.scenario.seed, self.scenario.flash)
        unit = Unit(self.world, self.network, code, self.folder / code, flash, runtime=self._runtime)
        for name, password in place.passwords.items():
            unit.parts.fingerprints[name].settings.password = password
        self.units[code] = unit
        self.sites[code] = Site(self.world, unit)
        self.cursors[code] = 0


def _known(find: Callable, name: str):
    try:
        return find(name)
    except KeyError as error:
        raise ScenarioError(str(error.args[0])) from None

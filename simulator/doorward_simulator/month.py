"""Days of deliveries at one unit, one after the other, and what its flash and heap hold after each.

Each day two dispatchers plan and release its runs through the API, the vans come, a crew and an officer do
what the screens say (`party`), the branch's own people go out in between. Nobody is at the door for the rest
of the day and at night: an idle hour is seventy thousand causes, nearly all of them readers that find no tag,
so the world leaps over it (`World.leap`). Every processor then finds its clock hours ahead, as if it had
stood still: the line has to be made anew, orders and manifests have aged. QUIET_MS of every gap pass truly,
before and after each delivery, so that the stores do their idle work.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from doorward_firmware.store.blob_file import read_blob, sectors_for
from doorward_firmware.store.flash import Region
from doorward_firmware.store.state import State

from .flash import NorFlash, Partition
from .process import HEAP_FIGURES
from .scenario_actions import hand_over
from .scenario_centre import ready, stored
from .scenario_loader import Scenario
from .stage import WATCHER, Stage

UNIT = "B01"
BEGINS = datetime(2026, 3, 2, 8, 0)  # noqa: DTZ001 - local time of the bank; a Monday
FIRST_VAN, LAST_VAN = timedelta(hours=9), timedelta(hours=17)  # of a day
WINDOW = timedelta(minutes=30)  # before and after a van's coming
QUIET_MS = 30_000  # that pass truly before and after each delivery
EVENING_MS = 60_000  # in which the day's heap is measured
HEAP_INTERVAL_MS = 10_000
DISPATCHERS = ("dispatch1", "dispatch2")
VANS = (("京A·Y0316", "D2001"), ("京A·Y0742", "D2002"))
ESCORTS = ("E1001", "E1002", "E1003", "E1004", "E1005", "E1006")
OFFICERS = (("O3001", "o3001"), ("O3002", "o3002"))
MOST_BOXES = 3
ALARMS = {"unit_offline"}  # a leap is longer than the silence that the server bears


@dataclass(frozen=True)
class Evening:
    """After a day. `wraps`: how often the ring came round. `heap`: the least while idle, in bytes under
    MicroPython, in objects under CPython. `blobs`: how many the unit keeps. `bound_sectors`: of blobs that
    may not be given up; `blob_sectors`: with those whose room is used when it is needed. `wear`: erases of
    each sector so far, by partition."""

    day: int
    deliveries: int
    records: int
    wraps: float
    heap: int
    blobs: int
    bound_sectors: int
    blob_sectors: int
    state_bytes: int
    wear: dict[str, list[int]]


@dataclass(frozen=True)
class Play:
    """How many days, deliveries a day, and people who go out through the interlock before each delivery."""

    days: int
    per_day: int
    passers_by: int


class Month:
    """A scenario without steps on an open stage. `problems` says what did not arrive or end as it should."""

    def __init__(self, stage: Stage, zone: ZoneInfo, play: Play):
        self.stage, self.problems = stage, list[str]()
        self._zone, self._play, self._deliveries = zone, play, 0
        self._random = random.Random(f"month {stage.scenario.seed}")  # noqa: S311 - reproducible

    def days(self) -> Iterator[Evening]:
        """Play; gives the evening of each day, until there is a problem. Raises ParticipantGone,
        DeskError."""
        self.stage.begin()
        for day in range(self._play.days):
            yield self._day(day)
            if self.problems:
                return
        self._end()

    def _day(self, day: int) -> Evening:
        midnight = datetime.combine(BEGINS.date() + timedelta(days=day), time(), self._zone)
        self._leap(midnight + timedelta(hours=8))
        gap = (LAST_VAN - FIRST_VAN) / self._play.per_day
        boxes = sorted(self.stage.preparation.boxes)
        self._random.shuffle(boxes)  # each is in one run at a time
        vans = [
            self._plan(midnight + FIRST_VAN + gap * number, boxes[number :: self._play.per_day])
            for number in range(self._play.per_day)
        ]
        self._wait_until_ready()  # what is under way in a leap comes too late, and that is an alarm
        for moment, who in vans:
            self._leap(moment - timedelta(milliseconds=QUIET_MS))
            self._wait_until_ready()
            self._go_out()
            if said := hand_over(self.stage, **who):
                self.problems.append(f"day {day + 1}: {said}")
            self.stage.site(None).stand([])
            self.stage.world.run_for(QUIET_MS)
            self._deliveries += 1
        self.stage.everybody_goes_home()
        before = len(self._heap_figures())
        self.stage.world.run_for(EVENING_MS)
        return self._evening(day + 1, self._heap_figures()[before:])

    def _plan(self, moment: datetime, boxes: list[str]) -> tuple[datetime, dict]:
        """Plan a van with some of these boxes for a moment, and release it as the second dispatcher;
        returns who will come."""
        chosen, numbers = self._random, self.stage.preparation
        van, driver = chosen.choice(VANS)
        crew, (officer, login) = chosen.sample(ESCORTS, 2), chosen.choice(OFFICERS)
        boxes = boxes[: chosen.randint(1, MOST_BOXES)]
        first, second = DISPATCHERS
        duties = [(name, "door") for name in crew] + [(driver, "vehicle")]
        run = self.stage.desk(first).post(
            "/api/runs",
            {
                "date": moment.date().isoformat(),
                "vehicle_id": numbers.vehicles[van],
                "crew": [{"person_id": numbers.people[name], "duty": duty} for name, duty in duties],
                "stops": [
                    {
                        "site_id": numbers.sites[UNIT],
                        "window_from": (moment - WINDOW).isoformat(),
                        "window_until": (moment + WINDOW).isoformat(),
                        "boxes": [{"box_id": numbers.boxes[name]} for name in boxes],
                    }
                ],
            },
        )
        asked = self.stage.desk(first).post(f"/api/runs/{run['id']}/release-request")
        self.stage.approve(second, asked["approval_id"])
        return moment, {"vehicle": van, "crew": crew, "officer": officer, "login": login, "boxes": boxes}

    def _go_out(self) -> None:
        """Somebody of the branch leaves by the egress button."""
        for _ in range(self._play.passers_by):
            self.stage.site(None).press("EGRESS")
            if said := self.stage.site(None).walk(("inner", "outer")):
                self.problems.append(said)

    def _leap(self, moment: datetime) -> None:
        """Go to a moment; nothing if it is past."""
        clock = self.stage.world.clock
        self.stage.world.leap(max(0, round(moment.timestamp() * 1000) - clock.wall()))

    def _wait_until_ready(self) -> None:
        """After QUIET_MS: the server notices only then what the unit lacks."""
        self.stage.world.run_for(QUIET_MS)
        check = ready(self.stage)
        if not self.stage.world.run_until(check.holds, check.within):
            self.problems.append(f"the unit is not ready: {check.missing()}")

    def _heap_figures(self) -> list[int]:
        lines = (self.stage.folder / UNIT / HEAP_FIGURES).read_text(encoding="ascii").splitlines()
        return [line.get("bytes", line.get("objects")) for line in map(json.loads, lines)]

    def _evening(self, day: int, heap: list[int]) -> Evening:
        unit = self.stage.unit(None)
        blobs, bound, occupied = _blobs(unit.flash["blobs"])
        return Evening(
            day=day,
            deliveries=self._deliveries,
            records=len(self.stage.entries(None)),
            wraps=round(unit.journal.written_sectors() / len(unit.flash["journal"].wear), 2),
            heap=min(heap),
            blobs=blobs,
            bound_sectors=bound,
            blob_sectors=occupied,
            state_bytes=State(Partition(_copy(unit.flash["state"]))).used()[0],
            wear={label: list(flash.wear) for label, flash in unit.flash.items()},
        )

    def _end(self) -> None:
        check = stored(self.stage)
        if not self.stage.world.run_until(check.holds, check.within):
            self.problems.append(f"not every record arrived exactly once: {check.missing()}")
        site = self.stage.preparation.sites[UNIT]
        rows = self.stage.desk(WATCHER).get(f"/api/handovers?site={site}&limit=500")
        left = [row for row in rows if row["state"] == "left"]
        if len(left) != self._deliveries:
            self.problems.append(f"the centre has {len(left)} completed of {self._deliveries} deliveries")
        self.stage.expected_alarms |= ALARMS
        self.problems += self.stage.judge()


def scenario(seed: int, journal: int) -> Scenario:
    """A day without plan or steps, for the stage; `journal`: sectors in place of the board's 512."""
    title = {"zh": "一个月的交接", "en": "A month of deliveries"}
    return Scenario("month", title, [], BEGINS, [UNIT], [], [], seed, flash={"journal": journal})


def _blobs(flash: NorFlash) -> tuple[int, int, int]:
    """(how many are kept, sectors of those that may not be given up, sectors of all that are not blank)."""
    region = Region(Partition(_copy(flash)))
    kept = bound = occupied = sector = 0
    while sector < region.sectors:
        found = read_blob(region, sector)
        if found is None:
            sector += 1
            continue
        _, blob, obsolete = found
        sectors = sectors_for(blob.total)
        sector += sectors
        occupied += sectors
        kept += not obsolete
        bound += 0 if obsolete or (blob.own and blob.delivered) else sectors
    return kept, bound, occupied


def _copy(flash: NorFlash) -> NorFlash:
    """To be mounted, which may write."""
    copy = NorFlash(flash.size, flash.label)
    copy.image[:] = flash.image
    return copy

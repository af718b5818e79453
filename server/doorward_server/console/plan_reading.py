"""What is typed in the form of a run (plan_form.py) means: a plan, or row by row what is not understood."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import ParamSpec, TypeVar

from sqlmodel import Session

from doorward_server.console import typed as typed_keys
from doorward_server.console.plan_form import (
    StopRow,
    TypedCrew,
    TypedRequest,
    TypedRun,
    member_rows,
    stop_rows,
    type_stops,
)
from doorward_server.console.texts import LANGUAGES
from doorward_server.console.typed import Unclear
from doorward_server.fleet.models import Site
from doorward_server.planning import findings as texts
from doorward_server.planning.findings import Finding
from doorward_server.planning.plan import Member, Plan, PlannedBox, PlannedStop
from doorward_server.planning.rules import MOST_BOXES
from doorward_server.services import services_of

# A time that lies before the one it follows is of the next day, unless that makes it later by more than this.
OVERNIGHT = timedelta(hours=12)
LONGEST_SEAL = 40
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?")
_YEARS = range(1971, 2099)

P = ParamSpec("P")
T = TypeVar("T")


class NotUnderstood(Exception):  # noqa: N818 (it is what the form is told)
    """What is typed is no plan. `findings` say where and why."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(findings)
        self.findings = findings


def vehicle_and_crew(session: Session, typed: TypedCrew) -> tuple[int, tuple[Member, ...]]:
    """The vehicle's id and the crew that are typed. Raises NotUnderstood."""
    reading = _Reading(session)
    found = reading.vehicle_and_crew(typed)
    reading.finish()
    return found


def plan(session: Session, typed: TypedRun) -> Plan:
    """The plan that is typed, its stops in the order of their windows. Raises NotUnderstood.

    The typed rows are put in that order too: what is found in "stop 2" is then in the second row.
    """
    reading = _Reading(session)
    day = reading.attempt("date", day_of, typed.date) or date(_YEARS[0], 1, 1)
    vehicle, crew = reading.vehicle_and_crew(typed)
    rows = stop_rows(typed)
    read = [(reading.stop(f"stop {number}", row, day), row) for number, row in enumerate(rows, 1)]
    reading.finish()
    route = [(stop, row) for stop, row in read if stop is not None]
    route.sort(key=lambda pair: (pair[0].window_from, pair[0].window_until))
    type_stops(typed, [row for _, row in route])
    return Plan(day, vehicle, crew, tuple(stop for stop, _ in route), typed.note.strip())


def request(session: Session, site: Site, typed: TypedRequest) -> PlannedStop:
    """The visit to the site that is asked for. Raises NotUnderstood."""
    reading = _Reading(session)
    day = reading.attempt("date", day_of, typed.date) or date(_YEARS[0], 1, 1)
    row = StopRow(site.code, typed.kind, typed.begin.strip(), typed.end.strip(), "", typed.boxes)
    stop = reading.stop("request", row, day)
    reading.finish()
    assert stop is not None
    return stop


def day_of(typed: str) -> date:
    """The day of "2026-11-30". Raises for anything else, and for years that no bank plans."""
    try:
        day = date.fromisoformat(typed) if _DAY.fullmatch(typed) else None
    except ValueError:
        day = None
    if day is None or day.year not in _YEARS:
        raise Unclear("typed_day", typed)
    return day


class _Reading:
    """Reads value after value and collects what cannot be understood."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._findings: list[Finding] = []

    def attempt(self, where: str, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """What `read` makes of its values; None, and a finding, where it can make nothing of them."""
        try:
            return read(*args, **kwargs)
        except Unclear as unclear:
            self._findings.append(Finding(unclear.key, where, *map(unclear.said, LANGUAGES)))
            return None

    def vehicle_and_crew(self, typed: TypedCrew) -> tuple[int, tuple[Member, ...]]:
        """The vehicle's id and the crew, as far as they are understood."""
        vehicle = self.attempt("vehicle", typed_keys.vehicle, self._session, typed.vehicle.strip())
        crew = [
            Member(person, row.duty)
            for row in member_rows(typed)
            if (person := self.attempt("crew", typed_keys.person, self._session, row.number))
        ]
        return vehicle or 0, tuple(crew)

    def stop(self, where: str, row: StopRow, day: date) -> PlannedStop | None:
        """One visit; None where something in its row is not understood."""
        site = self.attempt(where, typed_keys.site, self._session, row.site)
        begin = self.attempt(where, _time, row.begin)
        end = self.attempt(where, _time, row.end)
        expires = self.attempt(where, _time, row.expires) if row.expires else None
        boxes = self._boxes(where, row.boxes)
        if site is None or begin is None or end is None:
            return None
        zone = services_of(self._session).settings.zone
        first = datetime.combine(day, begin)
        last = _following(first, end)
        void = _in_zone(_following(last, expires), zone) if expires else None
        return PlannedStop(site, _in_zone(first, zone), _in_zone(last, zone), tuple(boxes), row.kind, void)

    def _boxes(self, where: str, typed: str) -> list[PlannedBox]:
        """The boxes of as many lines as a stop can have boxes: each line is looked up."""
        lines = [line.strip() for line in typed.splitlines() if line.strip()]
        if len(lines) > MOST_BOXES:
            self._findings.append(texts.finding("too_many_boxes", where, limit=MOST_BOXES))
            return []
        return [box for line in lines if (box := self.attempt(where, _box, self._session, line))]

    def finish(self) -> None:
        """Raise NotUnderstood if anything was not."""
        if self._findings:
            raise NotUnderstood(self._findings)


def _time(typed: str) -> time:
    try:
        found = time.fromisoformat(typed) if _TIME.fullmatch(typed) else None
    except ValueError:
        found = None
    if found is None:
        raise Unclear("typed_time", typed)
    return found


def _following(moment: datetime, clock_time: time) -> datetime:
    same_day = datetime.combine(moment.date(), clock_time)
    next_day = same_day + timedelta(days=1)
    return next_day if same_day < moment and next_day - moment <= OVERNIGHT else same_day


def _in_zone(local: datetime, zone: tzinfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(UTC)


def _box(session: Session, line: str) -> PlannedBox:
    """The box whose number begins the line, and the seal behind it."""
    found, number = typed_keys.box_of_line(session, line)
    seal = line[len(number) :].strip()
    if len(seal) > LONGEST_SEAL:
        raise Unclear("typed_seal", seal)
    return PlannedBox(found, seal or None)

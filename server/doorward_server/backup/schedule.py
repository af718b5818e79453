"""Makes the daily backup: at a local time of day, or soon after the start if the last one is due by then.

A failure alarms, and the backup is tried again every hour; a success ends the alarm. The work is done on a
thread of its own; the database's only writer does not wait for it.
"""

import asyncio
import datetime
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from zoneinfo import ZoneInfo

from sqlmodel import Session, func, select

from doorward_server.alarms import service as alarms
from doorward_server.audit.models import Decision
from doorward_server.backup import making, restorations, running
from doorward_server.backup.archive import BackupError
from doorward_server.clock import from_milliseconds
from doorward_server.services import Services, services_of

log = logging.getLogger(__name__)

START_SECONDS = 60  # after the server's start, when all units come back
RETRY_SECONDS = 3600
LONGEST_SECONDS = 3600  # a wall clock may be set while the timer runs
_RULE = "backup_failed"


def due(last: datetime.datetime, at: datetime.time, zone: ZoneInfo) -> datetime.datetime:
    """When the next backup after `last` is due, at this local time of day."""
    day = last.astimezone(zone).date()
    moment = datetime.datetime.combine(day, at, zone)
    if moment <= last:
        moment = datetime.datetime.combine(day + datetime.timedelta(days=1), at, zone)
    return moment


class Schedule:
    """The timer. `run` goes on until cancelled."""

    def __init__(self, services: Services) -> None:
        self._services = services
        text = services.settings.backup_time
        self._at = datetime.datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - a time of day

    async def run(self) -> None:
        """Make what is due, again and again."""
        delay: float = START_SECONDS
        while True:
            await asyncio.sleep(delay)
            try:
                delay = await asyncio.get_running_loop().run_in_executor(None, self.step)
            except Exception:  # such as a database that cannot even take the alarm
                log.exception("the backup failed; trying again in %d s", RETRY_SECONDS)
                delay = RETRY_SECONDS

    def step(self) -> float:
        """Make a backup if one is due; returns the seconds until the next look."""
        services = self._services
        now = services.clock.now()
        last = self._last(now)
        if last is None:
            return LONGEST_SECONDS
        moment = due(last, self._at, services.settings.zone)
        if last <= now < moment:
            return min((moment - now).total_seconds(), LONGEST_SECONDS)
        return 0 if back_up(services) else RETRY_SECONDS

    def _last(self, now: datetime.datetime) -> datetime.datetime | None:
        """When the newest backup was made; without one, when the bank began; None for an empty bank.

        One that a clock ahead has named for the future does not count: until then there would be no other.
        """
        names = making.kept(self._services.settings.backups, now)
        if names:
            return making.moment_of(names[-1])
        with self._services.database.reading() as session:
            first = session.exec(select(func.min(Decision.time))).one()
        return None if first is None else from_milliseconds(first)


def back_up(services: Services) -> bool:
    """Make the daily backup and remove what is too old by then; whether it succeeded. The centre is told."""
    settings = services.settings
    try:
        path, _ = making.make(services, settings.backups)
        making.remove_old(settings.backups, settings.backup_keep, services.clock.now())
    except (BackupError, OSError) as error:
        problem = str(error)
    else:
        log.info("backup %s", path)
        with services.database.reading() as session:
            stands = bool(alarms.standing(session, None, _RULE))
        if stands:  # else nobody is waited for: an import or a rebuild may be writing for long
            with services.database.writing() as session:
                _end_alarm(session)
        return True
    log.error("the backup failed: %s", problem)
    with services.database.writing() as session:
        alarms.raise_alarm(session, _RULE, problem=problem)
    return False


@asynccontextmanager
async def backing_up(services: Services) -> AsyncIterator[None]:
    """While a server runs: its data is its own, and the daily backup is made unless that is switched off.

    A restore that waits for two people alarms from here: `doorward restore` has an operator's variables and
    not the server's, and would tell none of those who are to be notified.
    """
    with running.serving(services.settings.data):
        _tell_of_restore(services)
        if not services.settings.backup_time:
            yield
            return
        if making.database_file(services) is None:
            log.warning("there is no daily backup: the database is not SQLite and has tools of its own")
            yield
            return
        task = asyncio.create_task(Schedule(services).run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def _tell_of_restore(services: Services) -> None:
    """Once for each restore, however often the server starts."""
    with services.database.reading() as session:
        found = restorations.waiting(session)
    if found is not None:
        with services.database.writing() as session:
            alarms.raise_alarm(session, "restored", occurrence=str(found.restored), made=found.made)


def _end_alarm(session: Session) -> None:
    for alarm in alarms.standing(session, None, _RULE):
        alarms.end(session, alarm, services_of(session).clock.milliseconds())

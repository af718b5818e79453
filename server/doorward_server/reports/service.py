"""Reports of closed handovers: made on demand, and printed once by themselves where a printer is set (S5)."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlmodel import Session, col, select

from doorward_server.alarms import service as alarms
from doorward_server.database import after_commit
from doorward_server.fleet.models import Site
from doorward_server.handovers.models import Handover
from doorward_server.reports import content, printing
from doorward_server.reports.models import PrintJob
from doorward_server.services import Services, services_of

RETRY_SECONDS = 60
LONGEST_PROBLEM = 300
logger = logging.getLogger(__name__)
_PART = "reports"
_PRINTERS = "printers"  # of the sites that have one of their own, in a transaction


def report(session: Session, handover: Handover) -> bytes:
    """The PDF report of a handover as it stands now."""
    from doorward_server.reports import (
        document,  # its fonts would cost every start of the server half a second
    )

    return document.draw(content.collect(session, handover))


def printer_of(session: Session, site_id: int) -> str:
    """The printer of a site's reports; empty: none."""
    if _PRINTERS not in session.info:
        statement = select(Site.id, Site.printer).where(Site.printer != "")
        session.info[_PRINTERS] = dict(session.exec(statement).all())
    return session.info[_PRINTERS].get(site_id) or services_of(session).settings.printer


def queue(session: Session, handover: Handover) -> None:
    """Have a closed handover's report printed at its site. Repeating it changes nothing."""
    services = services_of(session)
    printer = printer_of(session, handover.site_id)
    if not printer or session.get(PrintJob, handover.id) is not None:
        return
    now = services.clock.milliseconds()
    session.add(PrintJob(handover_id=handover.id, site_id=handover.site_id, printer=printer, created=now))
    if _PART in services.parts:
        after_commit(session, services.parts[_PART].wake)


def print_pending(services: Services) -> bool:
    """Print what is queued, in order. Returns whether something is to be tried again."""
    with services.database.reading() as session:
        pending = session.exec(
            select(PrintJob.handover_id)
            .where(col(PrintJob.printed).is_(None))
            .order_by(col(PrintJob.created))
        ).all()
    return sum(not _print(services, handover_id) for handover_id in pending) > 0


def _send(services: Services, handover_id: int) -> None:
    """Draw a report and hand it to its printer, outside of any transaction: a printer may be slow."""
    with services.database.reading() as session:
        printer = session.get_one(PrintJob, handover_id).printer
        handover = session.get(Handover, handover_id)
        drawn = report(session, handover) if handover else b""
    if drawn:
        printing.send(printer, f"handover-{handover_id}", drawn)


def _print(services: Services, handover_id: int) -> bool:
    """Print one job; whatever goes wrong with it is its own problem, and the others' turn comes."""
    problem = ""
    try:
        _send(services, handover_id)
    except printing.PrintError as error:
        problem = str(error)
    except Exception as error:
        logger.exception("the report of handover %d cannot be drawn", handover_id)
        problem = f"the report cannot be drawn: {error!r}"[:LONGEST_PROBLEM]
    with services.database.writing() as session:
        job = session.get_one(PrintJob, handover_id)
        job.attempts += 1
        job.problem = problem
        if not problem:
            job.printed = services.clock.milliseconds()
            alarms.end_occurrence(session, "printing_failed", str(handover_id))
        session.add(job)
        if problem:
            alarms.raise_alarm(
                session,
                "printing_failed",
                occurrence=str(handover_id),
                site_id=job.site_id,
                handover_id=handover_id,
                problem=problem,
            )
    return not problem


class Printer:
    """Prints in the background: awakened by a new job, and again after a while for what failed."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._loop = asyncio.get_running_loop()
        self._ready = asyncio.Event()
        self._ready.set()  # what an earlier run of the server left over

    def wake(self) -> None:
        """There is something to print. May be called on any thread."""
        self._loop.call_soon_threadsafe(self._ready.set)

    async def run(self) -> None:
        """Print until cancelled."""
        while True:
            await self._ready.wait()
            self._ready.clear()
            try:
                again = await self._loop.run_in_executor(None, print_pending, self._services)
            except Exception:  # a full disk, a lost database: no job's own problem
                logger.exception("reports could not be printed; trying again in %d s", RETRY_SECONDS)
                again = True
            if again:
                with suppress(TimeoutError):
                    async with asyncio.timeout(RETRY_SECONDS):
                        await self._ready.wait()
                self._ready.set()


@asynccontextmanager
async def printing_in_background(services: Services) -> AsyncIterator[None]:
    """Runs the printer beside the server."""
    printer = Printer(services)
    services.parts[_PART] = printer
    task = asyncio.create_task(printer.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

"""All connections of this server: who is here, what goes out to whom, and what is watched.

One session per unit: the newest wins. Other parts reach a unit by `offer_manifest` and `send_command`, from
any thread; neither says anything about arrival: the unit's own records do.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from doorward_protocol.errors import ProtocolError
from sqlalchemy import bindparam
from sqlmodel import Session, SQLModel, col, select, update

from doorward_server.link import state
from doorward_server.link.contents import Contents
from doorward_server.link.ingest import Ingest
from doorward_server.link.pictures import Partial, Pictures
from doorward_server.link.received import Outcome
from doorward_server.link.session import Carrier, LinkSession
from doorward_server.link.watch import Timers
from doorward_server.link.writer import Writer
from doorward_server.services import Services
from doorward_server.units.models import Unit

log = logging.getLogger(__name__)

OFFLINE_SECONDS = 20  # a unit reconnects within a few seconds; a street's line may take longer
START_SECONDS = 60  # after the server's own start
HEAD_SECONDS = 60  # a head follows its records within 2 s or at the end of a handover
GAP_SECONDS = 30
_UNIT: Any = SQLModel.metadata.tables["unit"]
# Built once: all units may come at once.
_KEY = select(_UNIT.c.id, _UNIT.c.dh_key).where(_UNIT.c.kid == bindparam("kid"))


class Links:
    """The registry of sessions. Made when the server starts to serve; lives on its event loop."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.writer = Writer(services)
        self.ingest = Ingest(self.writer, self._stored, self._lost)
        self.contents = Contents(services)
        self._loop = asyncio.get_running_loop()
        self._sessions: dict[int, LinkSession] = {}
        self._unit_ids: dict[bytes, int] = {}
        self._partials: dict[int, dict[bytes, Partial]] = {}
        self._timers = Timers()
        self._tasks: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Nobody is connected yet; whoever does not come within a minute is away."""
        for unit_id in await self.writer.run(_all_offline):
            self._timers.start("away", unit_id, START_SECONDS, lambda unit_id=unit_id: self._away(unit_id))

    async def close(self) -> None:
        """End all sessions and store what they brought."""
        self._timers.stop_all()
        for session in list(self._sessions.values()):
            session.stop()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.contents.close()
        await self.ingest.close()
        await self.writer.close()

    async def serve(self, carrier: Carrier) -> None:
        """Serve one connection to its end. It has a task of its own, so that it always ends in order."""
        session = LinkSession(self, carrier)
        task = session.handshake = self._later(session.run())
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            session.stop()
            raise

    def public_key_of(self, kid: bytes) -> bytes | None:
        """The handshake key of a registered unit."""
        with self.services.database.reading() as session:
            found = session.connection().execute(_KEY, {"kid": kid}).first()
        if found is None:
            return None
        self._unit_ids[kid], key = found
        return key

    async def add(self, session: LinkSession) -> None:
        """Take a session whose handshake is done; an older one of the same unit ends."""
        unit_id = session.unit_id = self._unit_ids[session.kid]
        older = self._sessions.get(unit_id)
        if older is not None:
            older.stop()
        self._sessions[unit_id] = session
        session.pictures = Pictures(
            lambda name, offset: session.outbox.put("want", hash=name, offset=offset),
            self._partials.setdefault(unit_id, {}),
        )
        self._timers.stop("away", unit_id)
        now = self.services.clock.milliseconds()
        await self.writer.share(unit_id, lambda database: state.note_online(database, unit_id, now))

    async def remove(self, session: LinkSession) -> None:
        """A session has ended. If no newer one took its place, the unit is offline."""
        unit_id = session.unit_id
        if self._sessions.get(unit_id) is not session:
            return
        del self._sessions[unit_id]
        self.ingest.forget_head(unit_id)
        self._timers.stop("gap", unit_id)  # the wait for a head goes on: a unit that comes and goes signs too
        now = self.services.clock.milliseconds()
        try:
            await self.writer.share(unit_id, lambda database: state.note_offline(database, unit_id, now))
        except Exception:  # such as a database that somebody else holds: it is done with the absence
            log.exception("that unit %d has gone could not be written down", unit_id)
        self._timers.start("away", unit_id, OFFLINE_SECONDS, lambda: self._away(unit_id))

    def is_online(self, unit_id: int) -> bool:
        """Whether the unit is connected now."""
        return unit_id in self._sessions

    def offer_manifest(self, unit_id: int, data: bytes, listed: set[bytes]) -> None:
        """Send a manifest to a unit if it is connected. From any thread."""
        self._loop.call_soon_threadsafe(self._with, unit_id, lambda one: one.offer_manifest(data, listed))

    def send_command(self, unit_id: int, data: bytes) -> None:
        """Send a command to a unit if it is connected. From any thread."""
        self._loop.call_soon_threadsafe(
            self._with, unit_id, lambda one: one.outbox.put("object", kind="command", object=data)
        )

    def note_abuse(self, unit_id: int, problem: ProtocolError) -> None:
        """Alarm that a unit sent what it must not."""
        if unit_id:
            self._later(
                self.writer.share(
                    unit_id,
                    lambda database: state.note_abuse(database, unit_id, problem.reason, problem.detail),
                )
            )

    def _with(self, unit_id: int, action: Any) -> None:
        session = self._sessions.get(unit_id)
        if session is None:
            return
        try:
            action(session)
        except ProtocolError:
            log.warning("unit %d does not keep up and is disconnected", unit_id)
            session.stop()

    def _stored(self, outcome: Outcome) -> None:
        """Carry out what a committed batch asks for."""
        for unit_id, name, fields in outcome.replies:
            self._with(unit_id, lambda one, name=name, fields=fields: one.outbox.put(name, **fields))
            if name == "stored":
                self._timers.stop("gap", unit_id)
        for unit_id in outcome.signed:
            self._timers.stop("head", unit_id)
        for unit_id, picture in outcome.wanted:
            self._with(unit_id, lambda one, picture=picture: one.pictures.want(picture))
        for unit_id in outcome.uncovered:
            self._timers.start("head", unit_id, HEAD_SECONDS, lambda one=unit_id: self._unsigned(one, False))
        for one in outcome.waiting:
            self._timers.start("gap", one, GAP_SECONDS, lambda one=one: self._unsigned(one, True))

    def _lost(self, units: set[int]) -> None:
        for unit_id in units:
            self._with(unit_id, lambda one: one.stop())

    def _away(self, unit_id: int) -> None:
        if self.is_online(unit_id):
            return
        self._later(self.writer.share(unit_id, lambda database: state.note_absence(database, unit_id)))

    def _unsigned(self, unit_id: int, gap: bool) -> None:
        """Records without a head, or a head without records, for too long."""
        if gap:
            head = self.ingest.waiting_head(unit_id)
            if head is None:
                return
            self.ingest.forget_head(unit_id)
            self._with(unit_id, lambda one: one.note_gap(head.object))
        self._later(self.writer.share(unit_id, lambda database: state.note_uncovered(database, unit_id, gap)))

    def _later(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def links_of(services: Services) -> Links | None:
    """The running links; None in commands that do not serve."""
    return services.parts.get("link")


def _all_offline(session: Session) -> list[int]:
    session.exec(update(Unit).where(col(Unit.online)).values(online=False))
    return list(session.exec(select(Unit.id).order_by(col(Unit.id))))

"""Tells one target what waits for it, in order: when to try, what an answer means, when to alarm.

At least once: a message leaves the outbox when it was answered, so one that was answered just before a
kill comes again, with the same id. The pause after a failure is the target's, not the message's: nothing
overtakes.
"""

import logging
from collections import deque
from collections.abc import Callable
from random import SystemRandom
from types import ModuleType

import httpx
from sqlmodel import Session

from doorward_server.alarms import service as alarms
from doorward_server.alarms.models import Alarm
from doorward_server.notify import post, waiting, webhook, wecom
from doorward_server.notify.models import Notice
from doorward_server.notify.outbox import FAILING
from doorward_server.notify.targets import Target, TargetKind
from doorward_server.notify.verdicts import TROUBLES, Outcome, Verdict, trouble_in_words
from doorward_server.notify.wording import Message
from doorward_server.services import Services

logger = logging.getLogger(__name__)

FIRST_PAUSE_MS = 5_000
LONGEST_PAUSE_MS = 300_000
FAILING_MS = 300_000  # so long may a receiver be away before people are told
_MINUTE_MS = 60_000
_RANDOM = SystemRandom()

KINDS: dict[TargetKind, ModuleType] = {TargetKind.JSON: webhook, TargetKind.WECOM: wecom}


async def send(
    client: httpx.AsyncClient,
    target: Target,
    messages: list[Message],
    now: int,
    seconds: float = post.SECONDS,
) -> Verdict:
    """Send messages in one request; what became of it. `now` in ms since 1970 UTC."""
    kind = KINDS[target.kind]
    headers, body = kind.request(target, messages, now)
    try:
        return kind.verdict(target, await post.post(client, target, headers, body, seconds))
    except post.UnansweredError as error:
        return Verdict(Outcome.LATER, error.trouble)


class Delivery:
    """The state of one target between its rounds. What it forgets at a restart costs an early try."""

    def __init__(
        self,
        services: Services,
        target: Target,
        seconds: float = post.SECONDS,
        jitter: Callable[[], float] = _RANDOM.random,
    ) -> None:
        """`seconds` bound a request; `jitter` gives numbers from 0 to 1."""
        self.target = target
        self._services = services
        self._seconds = seconds
        self._jitter = jitter
        self._failures = 0
        self._failing_since: int | None = None
        self._not_before = 0
        self._sent: deque[int] = deque()  # when, in the last minute
        self._singly = False  # one of several was refused: find out which

    async def round(self) -> float | None:
        """Tell what can be told now. Returns the seconds until more can; None: when something new comes."""
        async with post.connection(self.target) as client:
            while True:
                waiting.give_up(self._services, self.target)
                messages = self._next()
                if not messages:
                    return None
                if pause := self._pause():
                    return pause / 1000
                now = self._services.clock.milliseconds()
                self._sent.append(now)
                self._settle(messages, await send(client, self.target, messages, now, self._seconds))

    def _next(self) -> list[Message]:
        with self._services.database.reading() as session:
            messages, empty = waiting.next_messages(session, self.target)
        if empty:
            with self._services.database.writing() as session:
                waiting.forget(session, empty)
            return messages or self._next()
        return messages[:1] if self._singly else KINDS[self.target.kind].gather(messages)

    def _pause(self) -> int:
        """How long to wait before the next request, in ms. A clock that was set back makes nobody wait."""
        now = self._services.clock.milliseconds()
        pause = self._not_before - now
        if 0 < pause <= max(LONGEST_PAUSE_MS, post.LONGEST_PAUSE * 1000):
            return pause
        most = KINDS[self.target.kind].PER_MINUTE
        while self._sent and not 0 <= now - self._sent[0] < _MINUTE_MS:
            self._sent.popleft()
        return self._sent[0] + _MINUTE_MS - now if most and len(self._sent) >= most else 0

    def _settle(self, messages: list[Message], verdict: Verdict) -> None:
        if verdict.outcome == Outcome.DELIVERED:
            self._delivered(messages)
            return
        now = self._services.clock.milliseconds()
        if verdict.outcome == Outcome.LATER:
            pause = min(FIRST_PAUSE_MS << min(self._failures, 16), LONGEST_PAUSE_MS)
            self._failures += 1
            pause = int(pause * (1 + self._jitter()) / 2)
            self._not_before = now + max(pause, verdict.pause * 1000)
        elif len(messages) > 1:
            self._singly = True
        else:
            self._singly = False
            self._give_up(messages[0])
        self._note_failure(now, verdict)

    def _delivered(self, messages: list[Message]) -> None:
        self._failures, self._failing_since, self._singly = 0, None, False
        with self._services.database.writing() as session:
            waiting.told(session, messages)
            for alarm in self._standing(session):
                alarms.end(session, alarm, self._services.clock.milliseconds())

    def _give_up(self, message: Message) -> None:
        with self._services.database.writing() as session:
            if isinstance(message.source, Notice):
                waiting.refused(session, self.target, [message.source])
            else:
                waiting.told(session, [message])

    def _note_failure(self, now: int, verdict: Verdict) -> None:
        """Say so in the log when it begins, and at the centre when it lasts."""
        if self._failing_since is None or now < self._failing_since:
            self._failing_since = now
            logger.warning(
                "notifications to %s: %s; %s; `doorward notify-test` tries it out",
                self.target.name,
                trouble_in_words(verdict.trouble, verdict.number, "en"),
                TROUBLES[verdict.trouble].what_to_do,
            )
        if now - self._failing_since < FAILING_MS:
            return
        with self._services.database.reading() as session:
            if self._standing(session):
                return
        with self._services.database.writing() as session:
            alarms.raise_alarm(
                session,
                FAILING,
                occurrence=f"{self.target.name}.{now}",
                target=self.target.name,
                trouble=verdict.trouble,
                number=verdict.number,
            )

    def _standing(self, session: Session) -> list[Alarm]:
        standing = alarms.standing(session, None, FAILING)
        return [alarm for alarm in standing if alarm.details["target"] == self.target.name]

"""The live feed: what happens is published once and reaches every page that listens.

Publishing never waits: a listener that is too slow loses its oldest events and is told how many, so that its
page fetches afresh. Publishers may be on any thread; a listener is awakened on its own event loop.
"""

import asyncio
import threading
from collections import deque
from typing import Any

from sqlmodel import Session

from doorward_server.database import after_commit
from doorward_server.services import services_of

QUEUE_SIZE = 256


class LiveClosed(Exception):  # noqa: N818 - it is an event, no error
    """The server is stopping; there will be no more events."""


class Subscription:
    """One listener's bounded queue. `dropped` counts what it was too slow for since it last asked."""

    def __init__(self, live: "Live", topics: frozenset[str] | None, size: int) -> None:
        self._live = live
        self._topics = topics
        self._events: deque[dict[str, Any]] = deque()
        self._size = size
        self._loop = asyncio.get_running_loop()
        self._ready = asyncio.Event()
        self.dropped = 0

    async def next(self) -> dict[str, Any]:
        """The next event; waits for it. After losses the event carries their number as `dropped`.

        Raises LiveClosed once the server is stopping.
        """
        while True:
            with self._live.lock:
                if self._live.closed:
                    raise LiveClosed
                if self._events:
                    event, lost, self.dropped = self._events.popleft(), self.dropped, 0
                    return {**event, "dropped": lost} if lost else event
                self._ready.clear()
            await self._ready.wait()

    def close(self) -> None:
        """Stop listening."""
        self._live.remove(self)

    def __enter__(self) -> "Subscription":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def offer(self, event: dict[str, Any]) -> None:
        """Called by `Live` with its lock held."""
        if self._topics is not None and event["topic"] not in self._topics:
            return
        if len(self._events) >= self._size:
            self._events.popleft()
            self.dropped += 1
        self._events.append(event)
        self.wake()

    def wake(self) -> None:
        """Let a waiting listener look again."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ready.set)


class Live:
    """Publish and subscribe within one server process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.closed = False
        self._subscriptions: list[Subscription] = []

    def publish(self, topic: str, payload: dict[str, Any]) -> None:
        """Hand an event to every listener: `payload` plus `topic`."""
        with self.lock:
            if not self._subscriptions:
                return
            event = {**payload, "topic": topic}
            for subscription in self._subscriptions:
                subscription.offer(event)

    def subscribe(self, *topics: str, size: int = QUEUE_SIZE) -> Subscription:
        """Listen to these topics, or to all. Called on the event loop that will wait for the events."""
        subscription = Subscription(self, frozenset(topics) or None, size)
        with self.lock:
            self._subscriptions.append(subscription)
        return subscription

    def close(self) -> None:
        """End every listener's waiting, so that a stopping server need not wait for open pages."""
        with self.lock:
            self.closed = True
            for subscription in self._subscriptions:
                subscription.wake()

    def remove(self, subscription: Subscription) -> None:
        """Forget a listener; harmless if it is already gone."""
        with self.lock:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)


def publish(session: Session, topic: str, payload: dict[str, Any]) -> None:
    """Publish an event once what it tells of is committed. A quiet session (a rebuild) tells nobody."""
    if session.info.get("quiet"):
        return
    live: Live = services_of(session).live
    after_commit(session, lambda: live.publish(topic, payload))

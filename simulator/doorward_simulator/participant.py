"""One process on the bus: a unit's firmware or, in virtual time, the server.

It runs until nothing is due and says `idle(deadline)`; while it is idle the world may give it one cause.
What it writes and asks in between goes to its host: the unit's wiring, or the server's host.
"""

from pathlib import Path
from typing import Any, Protocol

from .bus import BusClosedError, BusError, Endpoint
from .flash import PowerCut

LAST_WORDS = 12  # lines of a dead process's output in the message about it


class Host(Protocol):
    """Who answers a participant: the unit around a processor, or the network around a server."""

    def write(self, channel: str, data: bytes) -> None: ...

    def call(self, target: str, method: str, arguments: list) -> Any: ...


class Process(Protocol):
    """What a participant runs in."""

    def kill(self) -> None: ...

    def wait(self) -> Any: ...


class RefusedCall(Exception):  # noqa: N818 - becomes an error in the participant, not in the world
    """The participant asked for something that does not exist, or in the wrong way."""


class ParticipantGone(Exception):  # noqa: N818 - an event in the world
    """The process ended, hung or broke the rules of the bus."""


class Participant:
    """A process that the world drives. `deadline` is world time (ms) or None; meaningful while idle."""

    def __init__(
        self,
        name: str,
        endpoint: Endpoint,
        host: Host,
        process: Process | None = None,
        console: Path | None = None,
    ):
        """`console` is the file with what the process printed: its end explains a failure."""
        self.name, self.endpoint, self.host, self.process = name, endpoint, host, process
        self._console = console
        self.deadline: int | None = None
        self.alive = True
        self.causes = 0

    def run(self, cause: list | None) -> None:
        """Give one cause (None right after the start) and serve the process until it is idle again."""
        try:
            if cause is not None:
                self.causes += 1
                self.endpoint.send(cause)
            while self._serve(self.receive()):
                pass
        except BusError as error:
            if not self.alive:
                return  # switched off by what it did itself: a torn write, a reset
            self.kill()
            raise ParticipantGone(f"{self.name}: {error}{self._last_words()}") from error

    def receive(self) -> list:
        """The next message; the server's overrides this to serve its network meanwhile."""
        return self.endpoint.receive()

    def _serve(self, message: list) -> bool:
        kind = message[0]
        if kind == "idle":
            self.deadline = message[1]
            return False
        if kind == "write":
            self._attempt(self.host.write, message[1], message[2])
        else:
            answer = self._attempt(self.host.call, message[1], message[2], message[3])
            if self.alive:
                self.endpoint.send(answer)
        if not self.alive:
            raise BusClosedError("switched off")
        return True

    def _attempt(self, function, *arguments) -> list:
        try:
            return ["return", function(*arguments)]
        except OSError as error:
            return ["error", "OSError", f"{error.errno or 5} {error.strerror or error}"]
        except PowerCut as error:
            raise BusClosedError(str(error)) from error
        except RefusedCall as error:
            return ["error", "ValueError", str(error)]

    def _last_words(self) -> str:
        if self._console is None or not self._console.exists():
            return ""
        lines = self._console.read_text(errors="replace").splitlines()[-LAST_WORDS:]
        return "".join(f"\n    {line}" for line in lines)

    def kill(self) -> None:
        """End the process at once, as a power cut does."""
        if not self.alive:
            return
        self.alive = False
        self.deadline = None
        self.endpoint.close()
        if self.process is not None:
            self.process.kill()
            self.process.wait()

"""What comes in on the link, and what is to be done about it once it is stored."""

from dataclasses import dataclass, field
from typing import Any

from doorward_protocol.errors import ProtocolError


@dataclass(frozen=True, slots=True)
class ReceivedRecord:
    """A `record` message; `received` in ms since 1970 UTC."""

    unit_id: int
    epoch: int
    index: int
    entry: bytes
    received: int


@dataclass(frozen=True, slots=True)
class ReceivedHead:
    """A `head` message."""

    unit_id: int
    object: bytes
    received: int


@dataclass(frozen=True, slots=True)
class ReceivedPicture:
    """A picture that has come whole, in `blob` messages; its hash is right."""

    unit_id: int
    hash: bytes
    content: bytes


@dataclass
class Outcome:
    """What to do once a batch is committed: messages to units, and pictures to ask them for."""

    replies: list[tuple[int, str, dict[str, Any]]] = field(default_factory=list)
    wanted: list[tuple[int, bytes]] = field(default_factory=list)
    # Heads that wait for their leaves, one per unit, under their epoch and size: see `wait`.
    waiting: dict[int, tuple[tuple[int, int], ReceivedHead]] = field(default_factory=dict)
    # Units of which a head is new: whoever waits for one waits for the next.
    signed: set[int] = field(default_factory=set)
    # Epochs with leaves that no head covers yet: unit → time of the newest such leaf.
    uncovered: dict[int, int] = field(default_factory=dict)

    def wait(self, item: ReceivedHead, epoch: int, size: int) -> None:
        """Let a head wait for its leaves. The largest counts, whichever came last: it covers the others."""
        known = self.waiting.get(item.unit_id)
        if known is None or known[0] < (epoch, size):
            self.waiting[item.unit_id] = (epoch, size), item

    def refuse(self, unit_id: int, what: str, reference: bytes, problem: ProtocolError) -> None:
        """Answer with `refused`."""
        fields = {"what": what, "reference": reference, "reason": problem.reason, "detail": problem.detail}
        self.replies.append((unit_id, "refused", fields))

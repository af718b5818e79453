"""Commands: signed, for this unit, within their seconds, and each one once.

The ids of used commands are kept (`State`, under "commands") until they have expired by a clock that is
sure. The highest expiry that was forgotten is kept too, so that setting the clock back brings no command
back to life.
"""

from doorward_protocol import cose, objects
from doorward_protocol.compat import const
from doorward_protocol.errors import (
    CLOCK_UNSURE,
    EXPIRED,
    MALFORMED,
    NOT_YET_VALID,
    REPLAYED,
    TOO_LARGE,
    WRONG_UNIT,
    ProtocolError,
)
from doorward_protocol.records import CLOCK_SURE

MAX_USED = const(32)  # commands that have been used and have not expired
MAX_AHEAD_MS = const(120_000)  # how far in the future `issued` may lie: twice what a clock may be off

_VERBS = (objects.APPROVE, objects.REFUSE, objects.RELEASE_LOCKOUT, objects.RESTART)
_STATE = "commands"  # [highest forgotten expiry, [[id, expires] …]]


def id_of(data):
    """Return the id that a refused command claims, by which its sender knows it, or None."""
    try:
        return objects.payload_fields("command", cose.peek_payload(data))["id"]
    except ProtocolError:
        return None


class Commands:
    """Judges commands for the unit of identity."""

    def __init__(self, identity, suite, clock, state):
        self._identity, self._suite, self._clock, self._state = identity, suite, clock, state

    async def accept(self, data):
        """Return the fields of a command that may be obeyed now, and use it up. Raises ProtocolError."""
        fields = await objects.verify(self._suite, "command", data, self._identity.dispatch_keys())
        if fields["unit"] != self._identity.unit:
            raise ProtocolError(WRONG_UNIT, "command")
        if fields["verb"] not in _VERBS:
            raise ProtocolError(MALFORMED, "verb %d" % fields["verb"])
        if self._clock.state() != CLOCK_SURE:
            raise ProtocolError(CLOCK_UNSURE, "command")
        now = self._clock.now()
        floor, used = self._state.get(_STATE, [0, []])
        if fields["id"] in [entry[0] for entry in used]:
            raise ProtocolError(REPLAYED, "command")
        if fields["expires"] <= now or fields["expires"] <= floor:
            raise ProtocolError(EXPIRED, "command")
        if fields["issued"] > now + MAX_AHEAD_MS:
            raise ProtocolError(NOT_YET_VALID, "command")
        kept = [entry for entry in used if entry[1] > now]
        if len(kept) >= MAX_USED:
            raise ProtocolError(TOO_LARGE, "commands at a time")
        kept.append([fields["id"], fields["expires"]])
        for entry in used:
            if entry[1] <= now:
                floor = max(floor, entry[1])
        self._state.set(_STATE, [floor, kept])
        return fields

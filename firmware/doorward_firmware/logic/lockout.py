"""Counting failed fingers at one panel, after NIST SP 800-63B §5.2.2 and requirement D18.

    failures 1 to 4      free to try again
    failure 5            locked for 30 s
    each further one     locked for twice as long as the one before
    failure 50           the finger factor is off until two people release it

An attempt is counted, durably and as if it had failed, before the sensor is asked: cutting the power in the
middle gains nothing. Only an accepted finger sets the count to zero. A finger that was recognised but is not
needed (the same person again) takes back its own attempt and nothing more.

What must survive a power cut is `stored`: the failures and the length of the lock that they earned. The lock
itself runs on monotonic time. After a restart it begins again in full: neither a restart nor a clock that
was set can shorten it.
"""

from doorward_firmware.logic.value import Value

FREE_FAILURES = 5
OFF_FAILURES = 50
FIRST_LOCK_MS = 30_000

# What an attempt may meet.
ALLOWED = 0
LOCKED = 1
OFF = 2
BUSY = 3  # the sensor is being asked already


class Lockout(Value):
    """failures in a row, the attempt in progress included; locked_until: monotonic ms or None;
    asking: an attempt is in progress."""

    __slots__ = ("asking", "failures", "locked_until")

    def __init__(self, failures=0, locked_until=None):
        self.failures = failures
        self.locked_until = locked_until
        self.asking = False


def lock_ms(failures):
    """Return how long that many failures in a row lock the panel, in ms; 0 if they do not."""
    if failures < FREE_FAILURES:
        return 0
    return FIRST_LOCK_MS << (failures - FREE_FAILURES)


def restore(stored, now):
    """Return the Lockout that continues a stored one after a restart; stored is None at the first start."""
    if stored is None:
        return Lockout()
    failures, remaining = stored
    return Lockout(failures, now + remaining if remaining else None)


def stored(state):
    """Return what is kept across power cuts: (failures, ms of lock that they earned)."""
    return (state.failures, lock_ms(state.failures))


def condition(state, now):
    """Return ALLOWED, LOCKED, OFF or BUSY: may the sensor be asked now?"""
    if state.asking:
        return BUSY
    if state.failures >= OFF_FAILURES:
        return OFF
    if state.locked_until is not None and now < state.locked_until:
        return LOCKED
    return ALLOWED


def attempt(state, now):
    """Count an attempt. Return (state, condition); if it is ALLOWED, store the state, then ask the sensor."""
    answer = condition(state, now)
    if answer != ALLOWED:
        return state, answer
    return state.but(failures=state.failures + 1, locked_until=None, asking=True), ALLOWED


def accepted(state):
    """The finger was accepted: the count begins anew."""
    return state.but(failures=0, locked_until=None, asking=False)


def not_needed(state):
    """The finger was recognised but not needed: this attempt does not count, the earlier ones do."""
    return state.but(failures=state.failures - 1, asking=False)


def failed(state, now):
    """The attempt failed, as already counted; from the fifth on the lock begins now."""
    wait = lock_ms(state.failures)
    return state.but(locked_until=now + wait if wait else None, asking=False)


def is_locked(state):
    """True while the failures so far lock the panel (or have switched its fingers off)."""
    return state.locked_until is not None


def released(state):
    """Two people released the panel; an attempt in progress still counts."""
    return state.but(failures=1 if state.asking else 0, locked_until=None)


def next_deadline(state):
    """Return when the lock ends, in monotonic ms, or None."""
    return None if state.failures >= OFF_FAILURES else state.locked_until


def ended(state, now):
    """True if a lock has just run out; the caller then takes `free`."""
    deadline = next_deadline(state)
    return deadline is not None and now >= deadline


def free(state):
    """The lock has run out; the failures stay."""
    return state.but(locked_until=None)

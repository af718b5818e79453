"""D18 to the letter: five failures, thirty seconds, doubling, fifty; power cuts and clocks change nothing."""

import random

import pytest
from doorward_firmware.logic import lockout
from doorward_firmware.logic.lockout import ALLOWED, BUSY, LOCKED, OFF, Lockout

pytestmark = pytest.mark.shows("D18")


def fail(state, now):
    state, answer = lockout.attempt(state, now)
    assert answer == ALLOWED
    return lockout.failed(state, now)


def test_exactly_five_lock_for_thirty_seconds():
    state = Lockout()
    for count in range(1, 5):
        state = fail(state, count)
        assert lockout.condition(state, count) == ALLOWED
    state = fail(state, 1000)
    assert lockout.condition(state, 1000) == LOCKED
    assert lockout.condition(state, 30_999) == LOCKED
    assert lockout.condition(state, 31_000) == ALLOWED


def test_each_further_failure_doubles_and_fifty_end_it():
    state, now, expected = Lockout(), 0, 30_000
    for count in range(1, 51):
        state = fail(state, now)
        assert state.failures == count
        if 5 <= count < 50:
            assert lockout.condition(state, now + expected - 1) == LOCKED
            assert lockout.condition(state, now + expected) == ALLOWED
            now, expected = now + expected, expected * 2
    assert lockout.condition(state, now + (1 << 70)) == OFF
    assert lockout.next_deadline(state) is None
    assert lockout.condition(lockout.released(state), now) == ALLOWED


def test_an_accepted_finger_resets():
    state = Lockout()
    for now in range(4):
        state = fail(state, now)
    state, _ = lockout.attempt(state, 5)
    state = lockout.accepted(state)
    assert lockout.stored(state) == (0, 0)


def test_a_finger_that_is_not_needed_takes_back_its_own_attempt_only():
    state = fail(fail(Lockout(), 0), 0)
    state, _ = lockout.attempt(state, 0)
    assert lockout.not_needed(state).failures == 2


def test_an_attempt_is_counted_before_the_sensor_is_asked():
    state = Lockout()
    for now in range(4):
        state = fail(state, now)
    state, _ = lockout.attempt(state, 10)
    assert lockout.stored(state) == (5, 30_000)  # what a power cut now leaves behind
    again = lockout.restore(lockout.stored(state), 0)
    assert lockout.condition(again, 29_999) == LOCKED
    assert lockout.condition(again, 30_000) == ALLOWED


def test_one_attempt_at_a_time():
    state, _ = lockout.attempt(Lockout(), 0)
    same, answer = lockout.attempt(state, 0)
    assert (same, answer) == (state, BUSY)


def test_release_during_an_attempt_leaves_that_attempt():
    state = Lockout(failures=7)
    state, _ = lockout.attempt(state, 0)
    assert lockout.failed(lockout.released(state), 0).failures == 1


def asking(failures):
    return Lockout(failures).but(asking=True)


def test_every_function_to_the_letter():
    """What the mutants would get away with: each function's whole answer, at its borders."""
    assert (ALLOWED, LOCKED, OFF, BUSY) == (0, 1, 2, 3)
    assert (Lockout().failures, Lockout().locked_until, Lockout().asking) == (0, None, False)
    assert [lockout.lock_ms(failures) for failures in (0, 4, 5, 6)] == [0, 0, 30_000, 60_000]
    answers = (lockout.lock_ms(4), lockout.condition(Lockout(5, 9), 8), lockout.condition(Lockout(), 0))
    assert [type(answer) for answer in answers] == [int, int, int]
    assert lockout.restore(None, 7) == Lockout()
    assert lockout.restore((4, 0), 7) == Lockout(4)
    assert lockout.restore((5, 30_000), 7) == Lockout(5, 30_007)
    assert lockout.stored(Lockout(6, 9)) == (6, 60_000)
    assert lockout.attempt(Lockout(5, 9), 8) == (Lockout(5, 9), LOCKED)
    assert lockout.attempt(Lockout(5, 9), 9) == (asking(6), ALLOWED)
    assert lockout.attempt(Lockout(50, 9), 9) == (Lockout(50, 9), OFF)
    assert lockout.accepted(asking(7).but(locked_until=9)) == Lockout()
    assert lockout.not_needed(asking(7)) == Lockout(6)
    assert lockout.failed(asking(4), 10) == Lockout(4)
    assert lockout.failed(asking(5), 10) == Lockout(5, 30_010)
    states = (Lockout(5), Lockout(5, 30_010), asking(5))
    assert [lockout.is_locked(state) for state in states] == [False, True, False]
    assert lockout.released(Lockout(7, 9)) == Lockout()
    assert lockout.released(asking(7).but(locked_until=9)) == asking(1)
    assert [lockout.next_deadline(Lockout(n, 9)) for n in (5, 49, 50)] == [9, 9, None]
    assert [lockout.ended(Lockout(5, 9), now) for now in (8, 9, 10)] == [False, True, True]
    assert lockout.ended(Lockout(), 9) is False
    assert lockout.free(Lockout(5, 9)) == Lockout(5)


def test_random_days_with_reboots_never_give_more_attempts_than_the_rule():
    """Against the rule itself: after n failures in a row no attempt before the lock of n has passed."""
    chance = random.Random(18)
    for _ in range(60):
        state, now, failures, free_at = Lockout(), chance.randrange(10**6), 0, 0
        for _ in range(120):
            now += chance.choice((0, 1, 1_000, 29_999, 30_000, 60_000, 10**7))
            if chance.random() < 0.2:  # power cut: monotonic time begins anywhere, the lock in full
                was, now = now, chance.randrange(10**9)
                state = lockout.restore(lockout.stored(state), now)
                free_at = free_at - was + now if free_at > was else now
            state, answer = lockout.attempt(state, now)
            if answer != ALLOWED:
                assert failures >= 5
                continue
            assert now >= free_at
            assert failures < 50
            if chance.random() < 0.2:  # power cut while the sensor is asked: counted as failed
                failures += 1
                now = chance.randrange(10**9)
                free_at = now + lockout.lock_ms(failures)
                state = lockout.restore(lockout.stored(state), now)
            elif chance.random() < 0.05:
                state, failures, free_at = lockout.accepted(state), 0, 0
            else:
                failures += 1
                state, free_at = lockout.failed(state, now), now + lockout.lock_ms(failures)
            assert state.failures == failures

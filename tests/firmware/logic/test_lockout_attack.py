"""The lockout under a clever attacker, against D18 itself: never one attempt more than the rule allows.

The attacked unit is the true logic on a true store: values on NOR flash, whose every write may be torn by a
power cut. The attacker touches, changes panels, feeds garbage and stale answers, cuts the power at any
moment, sets the clock, waits to the millisecond, and sends releases that one person alone decided. The rule
is written anew from the requirement and runs on true time, which nobody can set.
"""
# pyright: reportOptionalMemberAccess=false

import random

import pytest
from doorward_firmware.logic import events, flows, interlock, settings, unit
from doorward_firmware.store.state import State
from doorward_protocol import errors
from doorward_protocol.objects import RELEASE_LOCKOUT
from doorward_protocol.records import PANEL_INNER, PANEL_OUTER
from doorward_simulator.flash import NorFlash, Partition, PowerCut
from edges import ESCORTS, NONCE, OFFICERS, PICTURE, WALL, a_task

SETTINGS = settings.defaults()
SEQUENCES = 40  # of each seed
SECOND = 1000


class Rule:
    """D18 for one panel, on true time: at exactly 5 failures in a row 30 s, twice as long with each further
    one, off at 50; an attempt counts before the sensor is asked; a lock begins anew when power returns."""

    def __init__(self):
        self.failures, self.free_at, self.pending = 0, 0, False

    def allows(self, time):
        return self.failures < 50 and time >= self.free_at

    def asked(self):
        self.failures += 1
        self.pending = True

    def failed(self, time):
        self.pending = False
        if self.failures >= 5:
            self.free_at = time + 30 * SECOND * 2 ** (self.failures - 5)

    def neutral(self):
        self.failures -= 1
        self.pending = False

    def reset(self):
        self.failures, self.free_at = (1 if self.pending else 0), 0


class Attacked:
    """A unit on flash. `asked`: how often each panel's sensor was asked; `most`: highest count seen."""

    def __init__(self, seed):
        self.flash = NorFlash(8 * 4096, "state", seed)
        self.rules = {PANEL_OUTER: Rule(), PANEL_INNER: Rule()}
        self.asked = {PANEL_OUTER: 0, PANEL_INNER: 0}
        self.time, self.jumped, self.attempts, self.cuts, self.most = 0, 0, 0, 0, 0
        self.boot()

    @property
    def now(self):
        return self.time - self.booted  # monotonic time begins anew with each start

    @property
    def wall(self):
        return WALL + self.time + self.jumped

    def boot(self):
        while True:
            self.flash.power_on()
            self.booted, self.asking = self.time, None
            for rule in self.rules.values():
                if rule.failures >= 5:
                    rule.failed(self.time)
                rule.pending = False
            self.state = State(Partition(self.flash))
            kept = self.state.get
            locks = {panel: kept("lockout_" + name) for panel, name in unit.LOCKOUTS.items()}
            hand = self.state.get("hand")
            self.unit, effects = unit.restore(
                hand, [], None, locks, interlock.Interlock(), self.now, self.wall
            )
            try:
                self.carry_out(effects)
            except PowerCut:
                continue
            return

    def handle(self, *event):
        """One event; the power may fail on the way, and then the unit starts again."""
        try:
            self._handle(event)
        except PowerCut:
            self.cut()

    def cut(self):
        self.cuts += 1
        self.boot()

    def _handle(self, event):
        self.unit, effects = unit.step(self.unit, event, self.now, SETTINGS)
        for answer in self.carry_out(effects):
            self._handle(answer)

    def carry_out(self, effects):
        answers = []
        for effect in effects:
            if effect[0] == events.STORE:
                self.state.set(*effect[1:])
            elif effect[0] == events.RECORD:
                answers.append((events.RECORDED, effect[1], 0))
            elif effect[0] == events.ASK:
                self._ask(effect[1], effect[2])
        return answers

    def _ask(self, panel, nonce):
        rule = self.rules[panel]
        assert rule.allows(self.time), (
            f"attempt {rule.failures + 1} at {self.time}, allowed at {rule.free_at}"
        )
        rule.asked()
        self.asked[panel] += 1
        self.most = max(self.most, rule.failures)
        self.asking = (panel, nonce)

    # What the attacker does.

    def begin(self):
        if self.unit.handover.state == flows.IDLE:
            self.attempts += 1
            nonce = NONCE[:-2] + self.attempts.to_bytes(2, "big")
            self.handle(events.ARRIVED, a_task(nonce, expires=self.wall + 10**15), self.wall)
            self.handle(events.LOADED, nonce)

    def touch(self, panel):
        if self.asking is None:
            self.handle(events.TOUCH, panel)

    def fail(self, reason):
        if self.asking is not None:
            (panel, nonce), self.asking = self.asking, None
            self.rules[panel].failed(self.time)
            self.handle(events.NO_MATCH, panel, nonce, reason, None, self.wall)

    def match(self, person, nonce=None):
        """The sensor knows a finger: accepted, not needed, or of somebody in another role."""
        if self.asking is None:
            return
        (panel, true), self.asking = self.asking, None
        before = self.unit
        event = (events.MATCH, panel, nonce or true, person, 1, False, 90, "sensor", PICTURE, self.wall)
        reason = unit.handover.judge(before.handover, event)
        rule = self.rules[panel]
        if reason == 0:
            rule.pending = False
            rule.reset()
        elif reason in (errors.ALREADY_IDENTIFIED, errors.NOT_WANTED):
            rule.neutral()
        else:
            rule.failed(self.time)
        self.handle(*event)

    def lead_to_the_inner_panel(self):
        """The true crew identifies itself, so that an officer's finger is asked for."""
        for person in ESCORTS:
            self.touch(PANEL_OUTER)
            self.match(person)
        if self.unit.handover.state == flows.PICTURE:
            self.handle(events.PICTURE, self.unit.handover.task.nonce, PICTURE)

    def release(self, panel, by):
        fields = {"id": b"c" * 16, "verb": RELEASE_LOCKOUT, "panel": panel, "decided_by": by}
        if len(set(by)) > 1:
            self.rules[panel].reset()
        self.handle(events.COMMAND, fields)

    def idle(self, steps):
        """The unit erases ahead."""
        try:
            for _ in range(steps):
                self.state.idle_step()
        except PowerCut:
            self.cut()

    def wait(self, ms):
        self.time += ms
        self.handle(events.TICK)


def attack(seed, length, forgiving):
    """One sequence; forgiving: sometimes an accepted finger or two people help. Return the Attacked."""
    chance, attacked = random.Random(seed), Attacked(seed)
    for _ in range(length):
        attacked.begin()
        panel = chance.choice((PANEL_OUTER, PANEL_INNER))
        wanted = flows.FINGER_PANELS.get(attacked.unit.handover.state, panel)
        if chance.random() < 0.15:
            attacked.flash.cut_after(chance.randrange(3))  # tears one of the next writes
        act = chance.randrange(16)
        if act < 7:
            attacked.touch(wanted)
            if chance.random() < 0.85:
                attacked.fail(chance.choice((errors.NO_MATCH, errors.SENSOR_GARBAGE, errors.SPOOF_FINGER)))
        elif act == 7:
            attacked.touch(panel)
        elif act == 8:
            attacked.cut()
        elif act == 9:
            attacked.jumped += chance.choice((-1, 1)) * chance.randrange(10**10)
        elif act == 10:
            attacked.release(panel, chance.choice(([], OFFICERS[:1], OFFICERS[:1] * 2)))
        elif act == 11:
            attacked.touch(wanted)
            attacked.match(chance.choice((99, OFFICERS[0], *ESCORTS)) if forgiving else 99)
        elif act == 12 and forgiving:
            attacked.lead_to_the_inner_panel()
        elif act == 13 and forgiving and chance.random() < 0.1:
            attacked.release(panel, list(OFFICERS))
        elif act == 14:
            attacked.idle(chance.randrange(4))
        else:
            left = attacked.rules[wanted].free_at - attacked.time
            attacked.wait(max(0, left + chance.choice((-1, 0, 0, 0, 1))) if chance.random() < 0.9 else 1)
    return attacked


@pytest.mark.parametrize("seed", range(25))
def test_never_an_attempt_more_than_the_rule_allows(seed):
    for number in range(SEQUENCES):
        attack(seed * SEQUENCES + number, 40, forgiving=number % 2 == 0)


def test_the_most_patient_attacker_has_fifty_attempts():
    """Power cuts at the worst moment, waits to the millisecond, as long as it takes: millions of years."""
    attacked = Attacked(50)
    for turn in range(150):
        attacked.begin()
        attacked.wait(max(0, attacked.rules[PANEL_OUTER].free_at - attacked.time))
        attacked.begin()
        attacked.touch(PANEL_OUTER)
        if turn % 3 == 0 and attacked.asking:
            attacked.cut()
        attacked.fail(errors.NO_MATCH)
    assert attacked.asked[PANEL_OUTER] == 50
    attacked.release(PANEL_OUTER, list(OFFICERS))
    attacked.begin()
    attacked.touch(PANEL_OUTER)
    assert attacked.asked[PANEL_OUTER] == 51


def test_the_attacks_reach_where_it_hurts():
    """They ask both sensors, tear writes, and get far beyond the fifth failure."""
    alone = [attack(seed, 800, forgiving=False) for seed in range(4)]
    assert max(attacked.most for attacked in alone) > 20
    assert sum(attacked.cuts for attacked in alone) > 100
    helped = [attack(seed, 300, forgiving=True) for seed in range(12)]
    assert sum(attacked.asked[PANEL_INNER] for attacked in helped) > 10


def attack_often():
    for seed in range(100):
        attack(seed, 60, forgiving=False)


@pytest.mark.parametrize("spoiled", ["count", "store", "restart"])
def test_a_lockout_that_is_spoiled_is_found_out(spoiled, monkeypatch):
    lockout = unit.lockout
    if spoiled == "count":  # the count is forgotten with the power
        monkeypatch.setattr(lockout, "restore", lambda _stored, _now: lockout.Lockout())
    elif spoiled == "store":  # the count is never written
        monkeypatch.setattr(unit, "_store", lambda _state, _panel: (events.READ_BOXES, False))
    else:  # the lock does not begin again
        monkeypatch.setattr(lockout, "restore", lambda stored, _now: lockout.Lockout(*(stored or (0,))[:1]))
    with pytest.raises(AssertionError, match="attempt"):
        attack_often()

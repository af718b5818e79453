"""Everything together: every state against every event, random days with power cuts, what starts remember."""

import random

import pytest
from doorward_firmware.logic import entering, events, flows, interlock, settings, unit
from doorward_protocol import errors
from doorward_protocol.objects import APPROVE, REFUSE, RELEASE_LOCKOUT, RESTART
from doorward_protocol.records import (
    DOOR_INNER,
    DOOR_OUTER,
    INPUT_EGRESS,
    INPUT_FIRE,
    INPUT_TAMPER,
    PANEL_INNER,
    PANEL_OUTER,
)
from edges import BOXES, ESCORTS, NONCE, OFFICERS, PICTURE, VAN, WALL, Edges, a_task

PEOPLE = (*ESCORTS, *OFFICERS, 99)
COMMANDS = (APPROVE, REFUSE, RELEASE_LOCKOUT, RESTART)


def a_command(verb, **changes):
    fields = {
        "id": b"c" * 16,
        "verb": verb,
        "task": 7,
        "nonce": NONCE,
        "decided_by": list(OFFICERS),
        "issued": WALL,
        "picture": PICTURE,
        "head_count": 2,
        "panel": PANEL_OUTER,
    }
    fields.update(changes)
    return (events.COMMAND, fields)


def every_event():
    """Events of each kind, with arguments that fit and some that do not."""
    yield (events.TICK,)
    yield (events.RECORD_FAILED,)
    yield (events.EMERGENCY,)
    yield (events.CONFIGURED, (DOOR_INNER,))
    yield (events.ARRIVED, a_task(b"nonce002"), WALL)
    yield (events.TURNED_AWAY, None, b"epc", None, errors.UNKNOWN_TAG)
    yield (events.GONE, VAN[0])
    for nonce in (NONCE, b"nonce009"):
        yield (events.LOADED, nonce)
        yield (events.PICTURE, nonce, PICTURE)
        yield (events.PICTURE, nonce, None)
        for panel in (PANEL_OUTER, PANEL_INNER):
            yield (events.NO_MATCH, panel, nonce, errors.NO_MATCH, None, WALL)
            for person in PEOPLE:
                yield (events.MATCH, panel, nonce, person, 1, False, 90, "sensor", PICTURE, WALL)
    for panel in (PANEL_OUTER, PANEL_INNER):
        yield (events.TOUCH, panel)
    for door in (DOOR_OUTER, DOOR_INNER):
        yield (events.DOOR, door, True)
        yield (events.DOOR, door, False)
    for name in (INPUT_EGRESS, INPUT_FIRE, INPUT_TAMPER):
        yield (events.INPUT, name, True)
        yield (events.INPUT, name, False)
    for verb in COMMANDS:
        yield (events.BUTTON, verb)
        yield a_command(verb)
        yield a_command(verb, task=8)
        yield a_command(verb, picture=None, head_count=None, decided_by=[])
        yield a_command(verb, head_count=9)
    for epc, tid in (*BOXES, (b"other", b"tid"), (BOXES[0][0], None), VAN):
        yield (events.BOX, epc, tid)
    for version in (None, 3, 4):
        yield (events.REVISED, 7, version)


EVENTS = tuple(every_event())


def places():
    """An Edges in each state of the flow, by name, made by ordinary events."""
    edges = Edges()
    yield edges
    for happening in (
        lambda: edges.handle(events.ARRIVED, a_task(), edges.wall),
        lambda: edges.handle(events.LOADED, NONCE),
        lambda: edges.touch(PANEL_OUTER, ESCORTS[0]),
        lambda: edges.touch(PANEL_OUTER, ESCORTS[1]),
        lambda: edges.handle(events.PICTURE, NONCE, PICTURE),
        lambda: edges.touch(PANEL_INNER, OFFICERS[0]),
        lambda: edges.handle(events.BUTTON, APPROVE),
        lambda: edges.walk(DOOR_OUTER),
        lambda: edges.wait(edges.settings["DOOR_RELEASE_MS"]),
        lambda: edges.handle(events.BUTTON, APPROVE),
        lambda: edges.walk(DOOR_INNER),
        lambda: edges.wait(edges.settings["BOX_SILENCE_MS"]),
        lambda: edges.handle(events.BUTTON, APPROVE),
        lambda: edges.boxes(*BOXES),
        lambda: edges.touch(PANEL_INNER, ESCORTS[0]),
        lambda: edges.touch(PANEL_INNER, OFFICERS[0]),
        lambda: edges.handle(events.BUTTON, APPROVE),
    ):
        happening()
        yield edges
    frozen = Edges()
    frozen.arrive()
    frozen.crew()
    frozen.command(REFUSE)
    yield frozen


def closed():
    """An Edges whose task has just been closed."""
    return next(edges for edges in places() if edges.handover.state == flows.LEAVE)


def snapshots():
    found = []
    for edges in places():
        for asking in (False, True):
            state = edges.state
            if asking:
                state, _ = unit.step(state, (events.TOUCH, PANEL_OUTER), edges.now, edges.settings)
                state, _ = unit.step(state, (events.TOUCH, PANEL_INNER), edges.now, edges.settings)
            found.append((state, edges.now, list(edges.journal)))
    return found


SNAPSHOTS = snapshots()


def test_every_state_of_the_flow_is_swept():
    assert {state.handover.state for state, _, _ in SNAPSHOTS} == set(flows.ACCEPTS)


def resume(state, now, journal):
    edges = Edges(state)
    edges.now, edges.journal = now, list(journal)
    edges.relays = set(interlock.released(state.doors))
    return edges


def test_every_state_survives_every_event():
    """Edges checks the invariants; here every pair runs, now and after every deadline."""
    for state, now, journal in SNAPSHOTS:
        for event in EVENTS:
            for later in (0, 10_000_000):
                edges = resume(state, now + later, journal)
                edges.handle(*event)
                assert edges.handover.state in flows.ACCEPTS


def test_every_pair_of_events_from_the_states_that_matter():
    chance = random.Random(11)
    for state, now, journal in SNAPSHOTS:
        for _ in range(150):
            edges = resume(state, now, journal)
            for _ in range(3):
                edges.now += chance.choice((0, 0, 1_000))
                edges.handle(*chance.choice(EVENTS))


def test_what_a_state_does_not_accept_changes_nothing_of_the_task():
    for state, now, _ in SNAPSHOTS:
        accepted = flows.ACCEPTS[state.handover.state] + flows.EVERYWHERE
        for event in EVENTS:
            if event[0] in accepted or event[0] in (
                events.TOUCH,
                events.DOOR,
                events.INPUT,
                events.EMERGENCY,
            ):
                continue
            new, _ = unit.step(state, event, now, settings.defaults())
            assert new.handover == state.handover


def restart(edges):
    """A power cut: what is stored survives, the clock may have jumped, monotonic time begins anew."""
    again = Edges()
    again.now, again.journal = random.Random(edges.now).randrange(10**6), edges.journal
    lockouts = {1: edges.stored.get("lockout_outer"), 2: edges.stored.get("lockout_inner")}
    hand, completed = edges.stored.get("hand"), edges.stored.get("completed", ())
    doors = interlock.Interlock(edges.state.doors.outer_open, edges.state.doors.inner_open)
    end = again.end(hand)
    again.state, effects = unit.restore(hand, completed, end, lockouts, doors, again.now, WALL)
    again.stored = dict(edges.stored)
    for answer in again.carry_out(effects):
        again.handle(*answer)
    return again


@pytest.mark.parametrize("seed", range(12))
def test_random_days_with_power_cuts(seed):
    """Edges checks that no relay moves unexplained; here the days are long and the power is bad."""
    chance = random.Random(seed)
    edges, attempts, failures, days = Edges(), 0, {1: 0, 2: 0}, 0
    for _ in range(1500):
        kind = chance.random()
        if kind < 0.01:
            completed = edges.handover.completed
            edges = restart(edges)
            assert edges.handover.completed == completed
            assert not edges.relays
            assert edges.handover.state in (flows.IDLE, flows.FROZEN, flows.LEAVE)
        elif kind < 0.3:
            edges.wait(chance.choice((1, 500, 10_000, 30_000)))
        elif kind < 0.45:
            edges.handle(*chance.choice(EVENTS))
        else:
            attempts = likely(edges, chance, attempts)
        for panel in (1, 2):  # the stored count never runs behind the count in use
            lock = edges.state.lockout(panel)
            stored = edges.stored.get("lockout_outer" if panel == 1 else "lockout_inner", (0, 0))
            assert stored[0] >= lock.failures
            if lock.failures >= 5 and not lock.asking and failures[panel] < lock.failures:
                assert edges.state.lockout(panel).locked_until is not None
            failures[panel] = lock.failures
        days += edges.handover.state == flows.LEAVE
    assert days or edges.names().count("vehicle") > 3


def likely(edges, chance, attempts):
    """Do what people would probably do now."""
    state, task = edges.handover.state, edges.handover.task
    if state == flows.IDLE:
        attempts += 1
        edges.handle(
            events.ARRIVED, a_task(b"%08d" % attempts, id=attempts, expires=edges.wall + 10**8), edges.wall
        )
    elif state == flows.PREPARE:
        edges.handle(events.LOADED, task.nonce)
    elif state == flows.CREW:
        edges.touch(
            PANEL_OUTER, chance.choice((*ESCORTS, None)), picture=chance.choice((PICTURE, PICTURE, None))
        )
    elif state == flows.PICTURE:
        edges.handle(events.PICTURE, task.nonce, PICTURE)
    elif state == flows.APPROVAL:
        edges.command(APPROVE)
    elif state in (flows.ENTRY, flows.LEAVE) and interlock.released(edges.state.doors):
        edges.walk(interlock.released(edges.state.doors)[0])
    elif state == flows.BOXES:
        edges.boxes(chance.choice(BOXES))
    elif state == flows.CLOSE:
        edges.touch(PANEL_INNER, chance.choice((*PEOPLE, None)))
    elif state == flows.FROZEN:
        edges.command(RESTART)
    elif state == flows.LEAVE and chance.random() < 0.5:
        edges.handle(events.GONE, VAN[0])
    else:
        edges.handle(events.BUTTON, APPROVE)
    return attempts


def test_a_power_cut_restarts_what_was_under_way():
    edges = Edges()
    edges.arrive()
    edges.touch(PANEL_OUTER)
    edges = restart(edges)
    assert edges.handover.state == flows.IDLE
    assert edges.last("restarted")["nonce"] == NONCE
    assert edges.stored["hand"] is None
    assert edges.state.outer.failures == 1
    assert (events.WIPE,) in edges.effects


@pytest.mark.shows("D18")
def test_a_power_cut_while_the_sensor_is_asked_counts_the_attempt():
    edges = Edges()
    edges.arrive()
    for _ in range(4):
        edges.touch(PANEL_OUTER)
    edges.handle(events.TOUCH, PANEL_OUTER)
    edges = restart(edges)
    assert edges.state.outer.failures == 5
    assert edges.last("locked") == {"panel": PANEL_OUTER, "failures": 5, "until": WALL + 30_000}
    edges.arrive(a_task(b"nonce002"))
    edges.touch(PANEL_OUTER, ESCORTS[0])
    assert edges.handover.identified == ()
    edges.wait(30_000)
    edges.touch(PANEL_OUTER, ESCORTS[0])
    assert edges.handover.identified == (ESCORTS[0],)


def test_a_power_cut_does_not_thaw():
    edges = Edges()
    edges.arrive()
    edges.crew()
    edges.command(APPROVE, head_count=3)
    edges = restart(edges)
    assert edges.handover.state == flows.FROZEN
    edges.command(RESTART)
    assert edges.handover.state == flows.IDLE


def test_a_closed_task_stays_closed_and_its_crew_gets_out():
    edges = closed()
    edges = restart(edges)
    assert edges.handover.state == flows.LEAVE
    assert edges.handover.completed[-1][0] == 7
    edges.handle(events.BUTTON, APPROVE)
    assert edges.relays == {DOOR_INNER}
    edges.walk(DOOR_INNER, DOOR_OUTER)
    edges.handle(events.GONE, VAN[0])
    assert edges.names()[-1] == "left"


def test_a_cut_right_after_the_closing_record_forgets_nothing():
    edges = closed()
    edges.stored["hand"][0], edges.stored["completed"] = entering.RUNNING, ()
    edges = restart(edges)
    assert edges.handover.state == flows.LEAVE
    assert edges.stored["completed"][-1] == (7, VAN[0], a_task().expires)
    assert "restarted" not in edges.names()


def test_a_cut_right_after_the_last_record_makes_no_second_one():
    """The record is durable, the note that nothing is in hand any more is not."""
    edges = closed()
    kept = edges.stored["hand"]
    edges.handle(events.GONE, VAN[0])
    edges.stored["hand"] = kept
    edges = restart(edges)
    assert edges.handover.state == flows.IDLE
    assert edges.stored["hand"] is None
    assert edges.names().count("left") == 1


def test_a_cut_right_after_the_restart_makes_no_second_one():
    edges = Edges()
    edges.arrive()
    kept = edges.stored["hand"]
    edges = restart(edges)
    assert edges.last("restarted")["reason"] == errors.UNIT_RESTARTED
    edges.stored["hand"] = kept
    edges = restart(edges)
    assert edges.handover.state == flows.IDLE
    assert edges.stored["hand"] is None
    assert edges.names().count("restarted") == 1


def test_a_frozen_task_says_so_once():
    edges = Edges()
    edges.arrive()
    edges.crew()
    edges.command(APPROVE, head_count=3)
    edges = restart(restart(edges))
    assert edges.handover.state == flows.FROZEN
    assert edges.names().count("frozen") == 1


def test_hand_has_three_phases():
    assert len({entering.RUNNING, entering.FROZEN, entering.CLOSED}) == 3


def test_egress_and_fire_are_recorded_in_every_state():
    for state, now, journal in SNAPSHOTS:
        for name in (INPUT_EGRESS, INPUT_FIRE):
            edges = resume(state, now, journal)
            edges.handle(events.INPUT, name, True)
            assert ("input", {"name": name, "active": True}) in edges.journal
            assert not edges.denied


def test_a_full_journal_keeps_nobody_inside():
    for name in (INPUT_EGRESS, INPUT_FIRE):
        edges = Edges(journal_room=0)
        edges.handle(events.INPUT, name, True)
        assert edges.relays

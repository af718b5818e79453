"""The interlock: every state against every event, and the ways of people through it."""

import random

import pytest
from doorward_firmware.logic import events, interlock, settings
from doorward_firmware.logic.interlock import (
    DOORS,
    EGRESS,
    ENTRY,
    ENTRY_REST,
    EXIT,
    IN_CHAMBER,
    NEXT_DOOR,
    NOT_BEGUN,
    STRANDED,
    THROUGH,
    Interlock,
)
from doorward_protocol.records import (
    DOOR_FORCED,
    DOOR_HELD_OPEN,
    DOOR_INNER,
    DOOR_LOCKED,
    DOOR_OPENED,
    DOOR_OUTER,
    DOOR_RELEASED,
    INPUT_EGRESS,
    INPUT_FIRE,
    INPUT_TAMPER,
)

SETTINGS = settings.defaults()
RELEASE = SETTINGS["DOOR_RELEASE_MS"]
HELD = SETTINGS["HELD_OPEN_MS"]

EVENTS = [
    (events.TICK,),
    (events.RESET,),
    (events.EMERGENCY,),
    *[(events.LET_THROUGH, route) for route in (ENTRY, ENTRY_REST, EXIT, interlock.EXIT_REST)],
    *[(events.DOOR, door, is_open) for door in DOORS for is_open in (True, False)],
    *[(events.INPUT, name, on) for name in (INPUT_EGRESS, INPUT_FIRE, INPUT_TAMPER) for on in (True, False)],
]


def follow(state, *happenings, now=0):
    """Apply events (or waits in ms); return (state, stages heard, [(door, event)] recorded, now)."""
    stages, doors = [], []
    for happening in happenings:
        if isinstance(happening, int):
            now += happening
            happening = (events.TICK,)
        state, effects = interlock.step(state, happening, now, SETTINGS)
        stages += [effect[2] for effect in effects if effect[0] == events.PASSAGE]
        records = [effect[2] for effect in effects if effect[:2] == (events.RECORD, "door")]
        doors += [(record["door"], record["event"]) for record in records]
    return state, stages, doors, now


def opened(door):
    return (events.DOOR, door, True)


def closed(door):
    return (events.DOOR, door, False)


def entry():
    return (events.LET_THROUGH, ENTRY)


def egress():
    return (events.INPUT, INPUT_EGRESS, True)


def reachable():
    """Every reachable state, time reduced to before and after each deadline."""
    found, waiting = {}, [Interlock(), Interlock(fail_secure=(DOOR_INNER,)), Interlock(outer_open=True)]
    while waiting:
        state = waiting.pop()
        key = state.but(
            **{name: getattr(state, name) is not None for name in ("deadline", "outer_held", "inner_held")}
        )
        if key in found:
            continue
        found[key] = state
        for event in EVENTS:
            for now in (0, 10 * HELD):
                waiting.append(interlock.step(state, event, now, SETTINGS)[0])
    return list(found.values())


STATES = reachable()


def test_the_state_space_is_small():
    assert 50 < len(STATES) < 2000


def test_never_both_doors_in_any_state_by_any_event():
    for state in STATES:
        for event in EVENTS:
            for now in (0, 10 * HELD):
                new, effects = interlock.step(state, event, now, SETTINGS)
                wanted = interlock.released(new)
                assert len(wanted) < 2 or new.fire or new.emergency
                moves = [effect for effect in effects if effect[0] in (events.LOCK, events.RELEASE)]
                relays = set(interlock.released(state))
                for move in moves:
                    relays = relays | {move[1]} if move[0] == events.RELEASE else relays - {move[1]}
                    assert len(relays) < 2 or new.fire or new.emergency
                assert relays == set(wanted)
                for index, effect in enumerate(effects):
                    if effect[0] == events.RELEASE:  # its record stands right before it
                        assert effects[index - 1][2]["event"] == DOOR_RELEASED
                        assert effects[index - 1][2]["door"] == effect[1]


def test_a_handover_never_releases_a_door_while_one_stands_open():
    for state in STATES:
        for event in EVENTS:
            new, effects = interlock.step(state, event, 10 * HELD, SETTINGS)
            if [e for e in effects if e[0] == events.RELEASE] and new.route not in (None, EGRESS):
                assert not new.outer_open
                assert not new.inner_open


def test_fire_wins_in_every_state():
    for state in STATES:
        new, _ = interlock.step(state, (events.INPUT, INPUT_FIRE, True), 0, SETTINGS)
        assert set(interlock.released(new)) == set(DOORS) - set(state.fail_secure)
        both, _ = interlock.step(new, egress(), 0, SETTINGS)
        assert interlock.released(both) == DOORS  # whoever is inside gets out of a door that fails secure
        after, _ = interlock.step(both, (events.INPUT, INPUT_FIRE, False), 0, SETTINGS)
        assert interlock.released(after) == ()


def test_egress_opens_a_way_in_every_state():
    for state in STATES:
        now, new = 0, interlock.step(state, egress(), 0, SETTINGS)[0]
        ways = set(interlock.released(new)) | {d for d in DOORS if interlock.is_open(new, d)}
        assert ways
        for _ in range(4):  # a person in the chamber gets the outer door, however long the inner one stands
            if new.deadline is None:
                break
            now = new.deadline
            if DOOR_OUTER in interlock.released(new):
                ways.add(DOOR_OUTER)
            new = interlock.step(new, (events.TICK,), now, SETTINGS)[0]
            ways |= set(interlock.released(new))
        assert DOOR_OUTER in ways or state.outer_open


@pytest.mark.parametrize(("route", "first", "second"), [(ENTRY, 1, 2), (EXIT, 2, 1), (EGRESS, 2, 1)])
def test_one_door_after_the_other(route, first, second):
    begin = egress() if route == EGRESS else (events.LET_THROUGH, route)
    state, stages, doors, _ = follow(
        Interlock(), begin, opened(first), 3000, closed(first), opened(second), closed(second)
    )
    assert [stage for stage in stages if stage != "begun"] == [IN_CHAMBER, NEXT_DOOR, THROUGH]
    one = [DOOR_RELEASED, DOOR_OPENED, DOOR_LOCKED, 4]
    assert doors == [(first, event) for event in one] + [(second, event) for event in one]
    assert state == Interlock()


def test_a_door_that_nobody_opens_is_locked_again_to_the_millisecond():
    state, stages, _, now = follow(Interlock(), entry(), RELEASE - 1)
    assert interlock.released(state) == (DOOR_OUTER,)
    state, stages, doors, _ = follow(state, 1, now=now)
    assert (stages, doors) == ([NOT_BEGUN], [(DOOR_OUTER, DOOR_LOCKED)])
    assert interlock.released(state) == ()


def test_a_crew_that_stops_in_the_chamber_goes_on_later():
    state, stages, _, now = follow(Interlock(), entry(), opened(1), closed(1), RELEASE)
    assert stages[-1] == STRANDED
    state, stages, _, _ = follow(state, (events.LET_THROUGH, ENTRY_REST), opened(2), closed(2), now=now)
    assert stages[-1] == THROUGH


def test_no_passage_begins_beside_an_open_door():
    for door in DOORS:
        state, stages, _, _ = follow(Interlock(), opened(door), entry())
        assert stages == [NOT_BEGUN]
        assert interlock.released(state) == ()


def test_an_open_door_is_reported_once():
    state, _, doors, now = follow(Interlock(), entry(), opened(1), HELD - 1)
    assert (DOOR_OUTER, DOOR_HELD_OPEN) not in doors
    _, _, doors, _ = follow(state, 1, HELD, HELD, now=now)
    assert doors == [(DOOR_OUTER, DOOR_HELD_OPEN)]


def test_a_door_opened_by_force_ends_the_passage():
    _, stages, doors, _ = follow(Interlock(), opened(2))
    assert doors == [(DOOR_INNER, DOOR_FORCED)]
    state, stages, doors, _ = follow(Interlock(), entry(), opened(2))
    assert (DOOR_INNER, DOOR_FORCED) in doors
    assert stages[-1] == NOT_BEGUN
    assert interlock.released(state) == ()


def test_egress_ends_an_entry():
    state, stages, _, _ = follow(Interlock(), entry(), egress())
    assert stages[-1] == NOT_BEGUN
    assert interlock.released(state) == (DOOR_INNER,)
    state, stages, _, _ = follow(Interlock(), entry(), opened(1), closed(1), egress())
    assert stages[-1] == STRANDED
    assert interlock.released(state) == (DOOR_OUTER,)  # for whoever stands in the chamber


def test_emergency_releases_both_for_a_while():
    state, _, _, now = follow(Interlock(), (events.EMERGENCY,))
    assert interlock.released(state) == DOORS
    state, _, doors, _ = follow(state, SETTINGS["EMERGENCY_RELEASE_MS"], now=now)
    assert interlock.released(state) == ()
    assert len(doors) == 2


def test_random_days_never_release_both():
    chance = random.Random(4)
    for _ in range(50):
        state, now = Interlock(fail_secure=(DOOR_INNER,)), 0
        for _ in range(200):
            now += chance.choice((0, 1, 500, RELEASE, HELD))
            state, _ = interlock.step(state, chance.choice(EVENTS), now, SETTINGS)
            assert len(interlock.released(state)) < 2 or state.fire or state.emergency


def test_egress_and_fire_release_anew_what_a_handover_has_released():
    """The handover's own release may have failed (a full journal): a way out does not depend on it."""
    released, _, _, _ = follow(Interlock(), (events.LET_THROUGH, EXIT))
    for event in (egress(), (events.INPUT, INPUT_FIRE, True)):
        _, effects = interlock.step(released, event, 0, SETTINGS)
        assert DOOR_INNER in [effect[1] for effect in effects if effect[0] == events.RELEASE]


def test_somebody_inside_gets_out_while_the_one_before_holds_the_outer_door():
    state, _, _, now = follow(Interlock(), egress(), RELEASE, opened(1))
    assert (state.route, interlock.released(state)) == (EGRESS, ())
    state, _, _, _ = follow(state, egress(), now=now)
    assert interlock.released(state) == (DOOR_INNER,)


def test_a_new_configuration_during_a_fire_moves_the_relays():
    burning, _, _, _ = follow(Interlock(), (events.INPUT, INPUT_FIRE, True))
    state, effects = interlock.step(burning, (events.CONFIGURED, (DOOR_INNER,)), 0, SETTINGS)
    assert interlock.released(state) == (DOOR_OUTER,)
    assert (events.LOCK, DOOR_INNER) in effects
    _, effects = interlock.step(state, (events.CONFIGURED, ()), 0, SETTINGS)
    assert [effect[1] for effect in effects if effect[0] == events.RELEASE] == [DOOR_INNER]

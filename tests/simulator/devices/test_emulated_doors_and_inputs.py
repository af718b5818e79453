"""Doors and inputs: consequences come later, and contacts bounce."""

import pytest
from doorward_simulator.devices.door import CLOSING_MS, OPENING_MS, Door
from doorward_simulator.devices.inputs import Input


@pytest.fixture
def door(scheduler):
    made = Door(scheduler, "outer")
    made.power(True)
    return made


def test_a_locked_door_does_not_give_way(door, scheduler):
    assert not door.push()
    scheduler.advance(5000)
    assert (door.open, door.history) == (False, [(0, "pushed in vain")])


def test_released_door_opens_when_pushed_and_closes_by_itself(door, scheduler):
    contacts = []
    door.on_contact = lambda closed: contacts.append((scheduler.now(), closed))
    door.energise(True)
    scheduler.advance(1000)
    assert not door.open  # nobody pushed
    assert door.push()
    door.energise(False)
    scheduler.advance(OPENING_MS + 20)
    assert door.open
    scheduler.advance(CLOSING_MS)
    assert not door.open
    assert [what for _, what in door.history] == ["released", "locked", "opened", "closed"]
    assert [closed for _, closed in contacts] == [False, True, False, True, False, True]
    assert contacts[2][0] - contacts[0][0] < 20


def test_fail_safe_strike_opens_without_power_and_fail_secure_does_not(scheduler):
    secure, safe = Door(scheduler, "vault", fail_secure=True), Door(scheduler, "street", fail_secure=False)
    for door in (secure, safe):
        door.energise(None)
    assert (secure.released, safe.released) == (False, True)
    for door in (secure, safe):
        door.energise(True)
    assert (secure.released, safe.released) == (True, False)


def test_held_open(door, scheduler):
    door.energise(True)
    door.push()
    door.hold()
    scheduler.advance(60_000)
    assert door.open
    door.let_go()
    scheduler.advance(CLOSING_MS + 20)
    assert not door.open


def test_passing_again_keeps_it_open_longer(door, scheduler):
    door.energise(True)
    door.push()
    scheduler.advance(OPENING_MS + CLOSING_MS - 100)
    assert door.push()
    scheduler.advance(CLOSING_MS - 100)
    assert door.open
    scheduler.advance(200)
    assert not door.open


def test_forced_door_stays_open_until_repaired(door, scheduler):
    door.force()
    scheduler.advance(60_000)
    assert door.open
    assert door.released
    door.repair()
    door.let_go()
    scheduler.advance(CLOSING_MS + 20)
    assert (door.open, door.released) == (False, False)


def test_button_is_low_while_pressed_and_bounces(scheduler):
    levels, button = [], Input(scheduler, "approve")
    button.on_level = levels.append
    assert button.level == 1
    button.press(100)
    scheduler.advance(50)
    assert (levels, button.level) == ([0, 1, 0], 0)
    scheduler.advance(200)
    assert (levels[3:], button.level) == ([1, 0, 1], 1)


def test_cut_cable_of_a_normally_closed_input_looks_active(scheduler):
    levels, tamper = [], Input(scheduler, "tamper", normally_closed=True)
    tamper.on_level = levels.append
    assert tamper.level == 0
    tamper.cut_cable()
    assert (tamper.level, levels) == (1, [1])
    tamper.cut_cable(False)
    tamper.set(True)
    assert tamper.level == 1

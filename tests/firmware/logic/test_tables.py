"""The tables themselves: words, settings and flows are whole, and what is wrong in them is found."""

import pytest
from doorward_firmware.logic import events, flows, prompts, settings
from doorward_firmware.logic.value import Value
from doorward_protocol import errors
from doorward_protocol.objects import DELIVER
from doorward_protocol.prompts import NUMBERS


def test_every_word_is_in_a_table():
    words = {value for name, value in vars(events).items() if name.isupper() and isinstance(value, str)}
    assert words == set(events.EVENTS) | set(events.EFFECTS) | {events.PERSON, events.VEHICLE}


def test_a_word_with_the_wrong_number_of_arguments_is_refused():
    with pytest.raises(ValueError, match="not in the table"):
        events.check(events.EVENTS, (events.TOUCH,))


@pytest.mark.parametrize("name", sorted(settings.SETTINGS))
def test_settings_are_bounded(name):
    default, least, most = settings.SETTINGS[name]
    assert least <= default <= most
    for value, allowed in ((least, True), (most, True), (least - 1, False), (most + 1, False)):
        values, refused = settings.override([[name, value]])
        assert values[name] == (value if allowed else default)
        assert refused == ([] if allowed else [name])


def test_an_unknown_setting_is_refused():
    assert settings.override([["OPEN_SESAME", 1]]) == (settings.defaults(), ["OPEN_SESAME"])


def spoiled(state, **changes):
    row = list(flows.FLOWS[DELIVER][state])
    for place, value in changes.items():
        row[("state", "setting", "success", "failure", "timeout").index(place)] = value
    return {**flows.FLOWS[DELIVER], state: tuple(row)}


@pytest.mark.parametrize(
    "flow",
    [
        spoiled(flows.CREW, setting="NO_SUCH_MS"),
        spoiled(flows.CREW, success="nowhere"),
        spoiled(flows.PREPARE, success=flows.RESTART),
        {**flows.FLOWS[DELIVER], "new": ("new", None, flows.IDLE, flows.IDLE, flows.IDLE)},
    ],
)
def test_a_flow_with_a_mistake_is_refused_at_import(flow):
    flows.check(flows.FLOWS[DELIVER], flows.PREPARE, settings.SETTINGS)
    with pytest.raises(ValueError, match=":"):
        flows.check(flow, flows.PREPARE, settings.SETTINGS)


def test_no_state_waits_for_ever_for_somebody_who_may_not_come():
    patient = [state for state in flows.FLOWS[DELIVER] if flows.timeout(DELIVER, state) is None]
    assert patient == [flows.ENTRY, flows.LEAVE, flows.FROZEN]  # interlock's time; the van; the centre


def test_prompts_are_known():
    for table in (prompts.TURNED_AWAY, prompts.FINGER_REFUSED):
        for reason in table:
            assert reason in errors.NAMES
            assert table[reason] in NUMBERS


class Pair(Value):
    __slots__ = ("left", "right")

    def __init__(self, left=1, right=2):
        self.left = left
        self.right = right


def test_values():
    pair = Pair()
    assert pair.but(left=3) == Pair(3, 2)
    assert pair == Pair()
    assert hash(pair) == hash(Pair())
    assert pair != Pair(3)
    assert "left=1" in repr(pair)
    with pytest.raises(TypeError, match="middle"):
        pair.but(middle=1)

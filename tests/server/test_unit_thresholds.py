"""The table of thresholds, and what is found of a unit's own words: pure."""

import pytest
from doorward_server.units import thresholds
from doorward_server.units.condition import NOTHING, Fill, Given, Recorded, contents_of, findings_of, is_heard
from doorward_server.units.difference import Difference, Refusal, difference
from doorward_server.units.models import Unit
from doorward_server.units.thresholds import ATTENTION, BAD, GOOD, Finding, judge, state_of

NOW = 1_800_000_000_000
MINUTE = 60_000


def a_unit(**changes) -> Unit:
    """A connected unit that holds what it should and has no trouble."""
    fields = {
        "id": 1, "kid": b"unit-001", "site_id": 1, "dh_key": b"", "signing_key": b"", "bundle_key": b"",
        "registered": NOW - 86_400_000, "manifest_version": 3, "actual_version": 3, "actual_complete": True,
        "online": True, "last_seen": NOW - 10_000, "clock_offset": 120, "clock_sure": True,
    }  # fmt: skip
    return Unit(**{**fields, **changes})


def states(unit: Unit, recorded: Recorded = NOTHING, found: Difference | None = None) -> dict[str, str]:
    """Each aspect that is not good."""
    found = found or difference(unit, is_heard(unit, NOW), None)
    given = Given(NOW - MINUTE, NOW + MINUTE)
    aspects = judge([*findings_of(unit, recorded, NOW), *contents_of(unit, found, given, NOW)])
    assert [aspect.name for aspect in aspects] == list(thresholds.ASPECTS)
    return {aspect.name: aspect.state for aspect in aspects if aspect.state != GOOD}


@pytest.mark.shows("F6")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {}),
        ({"last_seen": NOW - 89_999}, {}),
        ({"last_seen": NOW - 90_000}, {"connection": ATTENTION}),
        ({"last_seen": NOW - 15 * MINUTE}, {"connection": BAD}),
        ({"online": False, "last_seen": NOW}, {"connection": ATTENTION}),
        ({"online": False, "last_seen": NOW - 15 * MINUTE}, {"connection": BAD}),
        ({"clock_offset": -30_000}, {}),
        ({"clock_offset": -30_001}, {"clock": ATTENTION}),
        ({"clock_offset": 60_000}, {"clock": ATTENTION}),  # D16: within 60 s
        ({"clock_offset": 60_001}, {"clock": BAD}),
        ({"clock_sure": False}, {"clock": ATTENTION}),
        ({"clock_offset": None}, {"clock": ATTENTION}),  # not told yet
        ({"health": ["outer_screen: screen_failed"]}, {"sensors": ATTENTION}),
        ({"health": ["outer_screen: screen_failed", "camera: camera_failed"]}, {"sensors": BAD}),
        ({"health": ["something new"]}, {"sensors": BAD}),
        ({"health": [None, 7]}, {"sensors": BAD}),
        ({"health": ["inner_fingerprint: sensor_tampered"]}, {"tamper": BAD}),
        ({"health": ["journal: flash_full"]}, {"storage": BAD}),
        ({"health": ["secure_boot: unprotected"]}, {"protection": BAD}),
        ({"actual_complete": False}, {"contents": ATTENTION}),
    ],
)
def test_each_threshold_is_met_to_the_unit(changes, expected):
    assert states(a_unit(**changes)) == expected


@pytest.mark.shows("F6")
@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        (Recorded(fills=(Fill("journal", 89, 100),)), {}),
        (Recorded(fills=(Fill("journal", 90, 100),)), {"storage": ATTENTION}),
        (Recorded(fills=(Fill("journal", 98, 100), Fill("blobs", 0, 0))), {"storage": BAD}),
        (Recorded(tampering=("tamper",)), {"tamper": BAD}),
        (Recorded(starts=2), {}),
        (Recorded(starts=3), {"power": ATTENTION}),
        (Recorded(starts=1, watchdog=1), {"power": ATTENTION}),
        (Recorded(starts=3, watchdog=3), {"power": BAD}),
        (Recorded(starts=10), {"power": BAD}),
    ],
)
def test_records_count_too(recorded, expected):
    assert states(a_unit(), recorded) == expected


def test_of_a_unit_that_never_connected_only_that_is_known():
    found = states(a_unit(last_seen=None, online=False, registered=NOW - MINUTE))
    assert found == dict.fromkeys(thresholds.ASPECTS, ATTENTION)
    found = states(a_unit(last_seen=None, online=False, registered=NOW - 15 * MINUTE))
    assert found["connection"] == BAD


@pytest.mark.shows("F3")
@pytest.mark.parametrize(
    ("changes", "refusal", "why"),
    [
        ({}, None, ""),
        ({"manifest_version": 0}, None, "no_manifest"),
        ({"last_seen": None, "online": False}, None, "never_seen"),
        ({"online": False, "actual_version": 2}, None, "offline"),
        ({"online": False, "actual_complete": False}, None, "offline"),
        ({"last_seen": NOW - 90_000, "actual_version": 2}, None, "offline"),  # connected, and silent
        ({"online": False}, None, ""),
        ({"actual_version": 2}, None, "old_manifest"),
        ({"actual_version": 2}, Refusal("manifest", 10), "refused"),
        ({"actual_version": 2}, Refusal("blob", 19), "old_manifest"),
        ({"actual_complete": False, "actual_missing": ["00"]}, None, "fetching"),
        ({"actual_complete": False, "actual_missing": ["00"]}, Refusal("manifest", 10), "fetching"),
        ({"actual_complete": False, "actual_missing": ["00"]}, Refusal("blob", 19), "refused"),
        ({"actual_complete": False}, None, "unreadable"),
    ],
)
def test_why_a_unit_does_not_hold_what_it_should(changes, refusal, why):
    unit = a_unit(**changes)
    assert difference(unit, is_heard(unit, NOW), refusal).why == why


def test_what_is_refused_is_bad_at_once_and_what_comes_late_after_a_while():
    unit = a_unit(actual_version=2)

    def state(found, issued, fresh_until=NOW + 1):
        return judge(contents_of(unit, found, Given(issued, fresh_until), NOW))[2].state

    assert state(Difference("refused", refusal=Refusal("manifest", 10)), NOW) == BAD
    late = Difference("old_manifest")
    assert [state(late, NOW - age) for age in (0, 15 * MINUTE - 1, 15 * MINUTE)] == [
        ATTENTION,
        ATTENTION,
        BAD,
    ]
    assert [state(Difference(""), NOW, NOW + ahead) for ahead in (1, 0)] == [GOOD, BAD]


def test_a_page_knows_when_time_alone_changes_it():
    silence, fill = Finding("silence", 30_000, {}), Finding("fill", 10, {})
    assert thresholds.changes_in([silence, fill]) == 60_000
    assert thresholds.changes_in([Finding("silence", 90_000, {})]) == 15 * MINUTE - 90_000
    assert thresholds.changes_in([Finding("outdated", -5, {}), silence]) == 5
    assert thresholds.changes_in([Finding("silence", 15 * MINUTE, {}), fill]) is None


def test_every_measure_stands_once_and_turns_from_attention_to_bad():
    assert len({one.measure for one in thresholds.THRESHOLDS}) == len(thresholds.THRESHOLDS)
    for one in thresholds.THRESHOLDS:
        limits = [limit for limit in (one.attention, one.bad) if limit is not None]
        assert limits
        assert limits == sorted(limits), one.measure
        assert state_of(Finding(one.measure, max(limits), {})) == (ATTENTION if one.bad is None else BAD)

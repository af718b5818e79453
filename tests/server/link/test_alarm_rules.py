# ruff: noqa: E501 - tables read best with one case per line.
"""The table of alarms: every record and reason that matters is in it, and what does not matter is not."""

import pytest
from doorward_protocol import errors, records
from doorward_server.alarms.ends import ENDS, ended_by, subject_of
from doorward_server.alarms.rules import BY_NAME, PROTECTIONS, RULES, SERVER_RULES, SEVERITIES, rules_for

NONCE = bytes(8)
BURNT = [[name, True] for name in PROTECTIONS]

# Every kind of record in a flow without trouble: none of these may alarm (S11).
QUIET = {
    "boot": {"reason": 1, "firmware": "1", "tests": [["camera", True], *BURNT], "manifest": 1},
    "clock_set": {"before": 1_000_000, "after": 1_060_000},
    "manifest": {"version": 1, "hash": bytes(32)},
    "vehicle": {"task": 1, "nonce": NONCE},
    "finger": {"panel": 1, "duress": False, "picture": bytes(32)},
    "finger_refused": {"panel": 1, "reason": errors.NO_MATCH, "failures": 1},
    "crew": {"people": [1, 2]},
    "approval": {"approved": True, "reason": None},
    "door": {"door": 1, "event": records.DOOR_RELEASED, "cause": records.CAUSE_HANDOVER},
    "boxes": {"task": 1, "missing": [], "foreign": []},
    "closed": {"task": 1},
    "left": {"task": 1},
    "sensor": {"name": "camera", "reason": 0},
    "input": {"name": records.INPUT_EGRESS, "active": True},
    "storage": {"name": "journal", "used": 10, "total": 100},
}

# (record, fields, rule, severity)
LOUD = [
    ("boot", {"reason": 3, "tests": BURNT}, "watchdog", "warning"),
    ("boot", {"reason": 1, "tests": [["camera", False], *BURNT]}, "self_test", "high"),
    ("boot", {"reason": 1, "tests": [*BURNT[:-1], [PROTECTIONS[-1], False]]}, "unprotected", "high"),
    ("boot", {"reason": 1, "tests": [["camera", True], *BURNT[1:]]}, "unprotected", "high"),
    ("clock_set", {"before": 1_000_000, "after": 1_060_001}, "clock_jump", "warning"),
    ("clock_set", {"before": 1_060_001, "after": 1_000_000}, "clock_jump", "warning"),
    ("vehicle_refused", {"reason": errors.TASK_COMPLETED}, "twin_vehicle", "critical"),
    ("vehicle_refused", {"reason": errors.TAG_COPIED}, "tag_copied", "critical"),
    ("vehicle_refused", {"reason": errors.EARLY_VEHICLE}, "early_vehicle", "high"),
    ("vehicle_refused", {"reason": errors.ORDER_EXPIRED}, "order_expired", "high"),
    ("vehicle_refused", {"reason": errors.STALE_MANIFEST}, "stale_manifest", "high"),
    ("vehicle_refused", {"reason": errors.CLOCK_UNSURE}, "refused_on_clock", "high"),
    ("vehicle_refused", {"reason": errors.UNKNOWN_TAG}, "unknown_vehicle", "warning"),
    ("vehicle_refused", {"reason": errors.TASK_IN_HAND}, "vehicle_waits", "warning"),
    ("vehicle_refused", {"reason": errors.ORDER_INCOMPLETE}, "vehicle_waits", "warning"),
    ("vehicle_refused", {"reason": errors.FLASH_FULL}, "vehicle_waits", "warning"),
    ("finger", {"panel": 1, "duress": True, "picture": b""}, "duress", "critical"),
    ("finger", {"panel": 1, "duress": False, "picture": None}, "no_face_picture", "warning"),
    ("finger_refused", {"panel": 1, "reason": errors.SPOOF_FINGER}, "spoof_finger", "high"),
    ("finger_refused", {"panel": 1, "reason": errors.PERMIT_EXPIRED}, "permit_expired", "high"),
    ("finger_refused", {"panel": 1, "reason": errors.WRONG_ROLE}, "wrong_role", "warning"),
    ("finger_refused", {"panel": 1, "reason": errors.ONE_PERSON_TWO_ROLES}, "wrong_role", "warning"),
    ("finger_refused", {"panel": 1, "reason": errors.SENSOR_TAMPERED}, "tampered_search", "critical"),
    ("finger_refused", {"panel": 1, "reason": errors.SENSOR_SILENT}, "fingerprint_fault", "high"),
    ("finger_refused", {"panel": 1, "reason": errors.SENSOR_GARBAGE}, "fingerprint_fault", "high"),
    ("finger_refused", {"panel": 1, "reason": errors.FINGER_OFF}, "fingerprint_fault", "high"),
    ("locked", {"panel": 1, "failures": 5}, "five_failures", "high"),
    ("locked", {"panel": 1, "failures": 49}, "five_failures", "high"),
    ("locked", {"panel": 1, "failures": 50}, "finger_off", "critical"),
    ("released", {"panel": 1}, "panel_released", "info"),
    ("approval", {"approved": False, "reason": errors.PICTURE_MISMATCH}, "approval_refused", "high"),
    ("door", {"door": 1, "event": records.DOOR_FORCED, "cause": 1}, "door_forced", "critical"),
    ("door", {"door": 1, "event": records.DOOR_HELD_OPEN, "cause": 1}, "door_held_open", "high"),
    ("door", {"event": records.DOOR_RELEASED, "cause": records.CAUSE_EMERGENCY}, "emergency_release", "critical"),
    ("door", {"event": records.DOOR_RELEASED, "cause": records.CAUSE_FIRE}, "fire_release", "critical"),
    ("boxes", {"missing": [b"x"], "foreign": []}, "missing_box", "high"),
    ("foreign_box", {"reason": errors.FOREIGN_BOX}, "foreign_box", "high"),
    ("foreign_box", {"reason": errors.TAG_COPIED}, "foreign_box", "high"),
    ("frozen", {"reason": errors.MISSING_BOX}, "frozen", "critical"),
    ("frozen", {"reason": errors.FOREIGN_BOX}, "frozen", "critical"),
    ("frozen", {"reason": errors.HEAD_COUNT_MISMATCH}, "frozen", "critical"),
    ("frozen", {"reason": errors.PICTURE_MISMATCH}, "frozen", "critical"),
    ("frozen", {"reason": errors.TIMED_OUT}, "frozen_otherwise", "high"),
    ("restarted", {"reason": errors.RESTARTED_BY_CENTRE}, "restarted_by_centre", "info"),
    ("restarted", {"reason": errors.FIVE_FAILURES}, "restarted", "warning"),
    ("restarted", {"reason": errors.TIMED_OUT}, "restarted", "warning"),
    ("refusal", {"reason": errors.BAD_SIGNATURE}, "forged", "critical"),
    ("refusal", {"reason": errors.REPLAYED}, "forged", "critical"),
    ("refusal", {"reason": errors.UNKNOWN_KEY}, "forged", "critical"),
    ("refusal", {"reason": errors.WRONG_UNIT}, "forged", "critical"),
    ("refusal", {"reason": errors.OLD_VERSION}, "refusal", "warning"),
    ("refusal", {"reason": errors.EXPIRED}, "refusal", "warning"),
    ("sensor", {"name": "x", "reason": errors.SENSOR_TAMPERED}, "sensor_tampered", "critical"),
    ("sensor", {"name": "x", "reason": errors.SENSOR_SILENT}, "sensor_fault", "high"),
    ("sensor", {"name": "x", "reason": errors.SENSOR_GARBAGE}, "sensor_fault", "high"),
    ("sensor", {"name": "x", "reason": errors.CAMERA_FAILED}, "sensor_fault", "high"),
    ("sensor", {"name": "x", "reason": errors.READER_SILENT}, "sensor_fault", "high"),
    ("sensor", {"name": "x", "reason": errors.READER_GARBAGE}, "sensor_fault", "high"),
    ("sensor", {"name": "x", "reason": errors.SPEAKER_FAILED}, "output_fault", "warning"),
    ("sensor", {"name": "x", "reason": errors.SCREEN_FAILED}, "output_fault", "warning"),
    ("sensor", {"name": "x", "reason": errors.POOR_IMAGE}, "sensor_other", "warning"),
    ("input", {"name": records.INPUT_FIRE, "active": True}, "fire", "critical"),
    ("input", {"name": records.INPUT_TAMPER, "active": True}, "tamper", "critical"),
    ("epoch", {}, "new_epoch", "high"),
    ("storage", {"name": "journal", "used": 90, "total": 100}, "storage", "high"),
]  # fmt: skip


@pytest.mark.shows("S11")
@pytest.mark.parametrize("name", QUIET)
def test_a_flow_without_trouble_alarms_nobody(name):
    assert rules_for(name, QUIET[name]) == []


@pytest.mark.shows("S11")
@pytest.mark.parametrize(("name", "fields", "rule", "severity"), LOUD)
def test_trouble_alarms_with_its_severity(name, fields, rule, severity):
    assert [(one.name, one.severity) for one in rules_for(name, fields)] == [(rule, severity)]


def test_every_kind_of_record_has_been_thought_of():
    assert set(QUIET) | {name for name, *_ in LOUD} == set(records.RECORDS)


def test_every_rule_is_reached():
    assert {rule for *_, rule, _ in LOUD} == {rule.name for rule in RULES}


def test_every_reason_to_refuse_a_vehicle_alarms():
    used = (
        errors.UNKNOWN_TAG, errors.TAG_COPIED, errors.EARLY_VEHICLE, errors.TASK_COMPLETED, errors.ORDER_EXPIRED,
        errors.TASK_IN_HAND, errors.STALE_MANIFEST, errors.ORDER_INCOMPLETE, errors.CLOCK_UNSURE, errors.FLASH_FULL,
    )  # fmt: skip
    for reason in used:
        assert len(rules_for("vehicle_refused", {"reason": reason})) == 1


def test_every_reason_to_freeze_or_to_refuse_data_alarms_once():
    for reason in errors.NAMES:
        for name in ("frozen", "refusal", "restarted", "sensor"):
            assert len(rules_for(name, {"reason": reason, "name": "x"})) == 1


def test_rules_have_one_name_each_texts_in_both_languages_and_a_requirement():
    rules = (*RULES, *SERVER_RULES)
    assert len(BY_NAME) == len(rules)
    for rule in rules:
        assert rule.severity in SEVERITIES
        assert rule.requirement[0] in "SDF"
        assert rule.requirement[1:].isdigit()
        assert rule.title_en.isascii()
        assert any("\u4e00" <= character <= "\u9fff" for character in rule.title_zh)


@pytest.mark.shows("D9")
def test_only_duress_is_silent():
    assert [rule.name for rule in BY_NAME.values() if rule.silent] == ["duress"]


def test_what_ends_an_alarm_names_rules_that_exist():
    for end in ENDS:
        assert end.record in records.RECORDS
        assert set(end.rules) <= set(BY_NAME)


@pytest.mark.parametrize(
    ("name", "fields", "ended"),
    [
        ("door", {"door": 1, "event": records.DOOR_CLOSED}, {"door_forced", "door_held_open"}),
        ("door", {"door": 1, "event": records.DOOR_OPENED}, set()),
        ("sensor", {"name": "x", "reason": 0}, {"sensor_fault", "output_fault", "sensor_other"}),
        ("sensor", {"name": "x", "reason": errors.CAMERA_FAILED}, set()),
        ("input", {"name": 3, "active": False}, {"fire", "tamper"}),
        ("storage", {"name": "journal", "used": 1, "total": 100}, {"storage"}),
        ("released", {"panel": 1}, {"five_failures", "finger_off"}),
        ("boxes", {"task": 1, "missing": []}, {"missing_box"}),
        ("boxes", {"task": 1, "missing": [b"x"]}, set()),
    ],
)
def test_what_ends_an_alarm(name, fields, ended):
    assert set(ended_by(name, fields)) == ended


def test_what_ends_an_alarm_is_about_the_same_subject():
    assert subject_of("locked", {"panel": 2}) == subject_of("released", {"panel": 2}) == "panel:2"
    assert subject_of("door", {"door": 1}) != subject_of("door", {"door": 2})
    assert subject_of("boot", {}) == ""

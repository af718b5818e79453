# ruff: noqa: E501 - a table reads best with one rule per line.
"""The one table of alarms: which record, with which reason or condition, means trouble, and how bad it is.

`RULES` is read by the projection for every record of a unit's journal, `SERVER_RULES` holds what the server
sees itself. A record that no rule takes is a flow without trouble and alarms nobody (S11). A silent alarm is
for the centre alone: nothing at the unit, and no page of the site, may show it (D9). What ends a standing
alarm is in `ends.py`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from doorward_protocol import errors, records

INFO, WARNING, HIGH, CRITICAL = "info", "warning", "high", "critical"
SEVERITIES = (INFO, WARNING, HIGH, CRITICAL)

CLOCK_LIMIT = 60_000  # ms, D16
FINGER_OFF_FAILURES = 50  # D18
# What a chip's fuses protect, each a test in `boot` (docs/hardware.md); without one a unit is unprotected.
PROTECTIONS = ("flash_encryption", "secure_boot", "silent_rom")
STORAGE_EARLY = 90  # percent, F2
WATCHDOG = 3  # machine.WDT_RESET of MicroPython on the ESP32

Fields = dict[str, Any]
Condition = Callable[[Fields], bool]


class Rule(NamedTuple):
    """One kind of alarm. `requirement` is its number; `record` is empty where the server itself sees it."""

    name: str
    severity: str
    requirement: str
    title_zh: str
    title_en: str
    record: str = ""
    # Codes of doorward_protocol.errors, or a condition on the record's fields; None: always.
    when: tuple[int, ...] | Condition | None = None
    silent: bool = False

    def matches(self, fields: Fields) -> bool:
        """Whether a record of its kind means this alarm."""
        if isinstance(self.when, tuple):
            return fields.get("reason") in self.when
        return self.when is None or self.when(fields)


def _is(field: str, value: Any) -> Condition:
    return lambda fields: fields[field] == value


def _reason_not_in(*reasons: int) -> Condition:
    return lambda fields: fields["reason"] not in reasons


def _door(event: int, cause: int | None = None) -> Condition:
    return lambda fields: fields["event"] == event and cause in (None, fields["cause"])


def _input(name: int) -> Condition:
    return lambda fields: fields["active"] and fields["name"] == name


def _no_face(fields: Fields) -> bool:
    """Only the outer panel has a camera."""
    return fields["panel"] == records.PANEL_OUTER and fields["picture"] is None


def is_nearly_full(fields: Fields) -> bool:
    """Whether a `storage` record tells of too little room."""
    return fields["used"] * 100 >= fields["total"] * STORAGE_EARLY


def passed(fields: Fields) -> bool:
    """Whether all parts of a unit passed the self-test of a `boot` record."""
    return all(ok for name, ok in fields["tests"] if name not in PROTECTIONS)


def is_protected(fields: Fields) -> bool:
    """Whether every fuse of a unit's chip was found burnt at a `boot`; one that was not read is not burnt."""
    tests = dict(fields["tests"])
    return all(tests.get(name, False) for name in PROTECTIONS)


_FORGED = (
    errors.BAD_SIGNATURE,
    errors.UNKNOWN_KEY,
    errors.WRONG_KIND,
    errors.WRONG_UNIT,
    errors.REPLAYED,
    errors.BAD_HASH,
    errors.BAD_KEY,
)
_SERIOUS = (
    errors.MISSING_BOX,
    errors.FOREIGN_BOX,
    errors.HEAD_COUNT_MISMATCH,
    errors.PICTURE_MISMATCH,
    errors.TASK_COMPLETED,
    errors.TAG_COPIED,
)
_BROKEN = (
    errors.SENSOR_SILENT,
    errors.SENSOR_GARBAGE,
    errors.READER_SILENT,
    errors.READER_GARBAGE,
    errors.CAMERA_FAILED,
)
_ANNOYING = (errors.SPEAKER_FAILED, errors.SCREEN_FAILED)

# fmt: off
RULES = (
    # Vehicles at the gate.
    Rule("twin_vehicle", CRITICAL, "D3", "已完成的任务又来一辆车", "A second vehicle came for a finished task", "vehicle_refused", (errors.TASK_COMPLETED,)),
    Rule("tag_copied", CRITICAL, "D3", "车辆标签疑被复制", "A vehicle's tag was copied", "vehicle_refused", (errors.TAG_COPIED,)),
    Rule("early_vehicle", HIGH, "D3", "车辆提前到达", "A vehicle came before its window", "vehicle_refused", (errors.EARLY_VEHICLE,)),
    Rule("order_expired", HIGH, "D4", "车辆的任务单已过期", "A vehicle came with an expired order", "vehicle_refused", (errors.ORDER_EXPIRED,)),
    Rule("stale_manifest", HIGH, "D4", "单元的任务数据过旧", "The unit's orders are too old to act on", "vehicle_refused", (errors.STALE_MANIFEST,)),
    Rule("refused_on_clock", HIGH, "D16", "时钟不可信，车辆被拒", "A vehicle was refused: the clock is unsure", "vehicle_refused", (errors.CLOCK_UNSURE,)),
    Rule("unknown_vehicle", WARNING, "S1", "不在任务中的车辆", "A vehicle that is in no order", "vehicle_refused", (errors.UNKNOWN_TAG,)),
    Rule("vehicle_waits", WARNING, "S1", "车辆暂不能受理", "A vehicle cannot be served yet", "vehicle_refused", (errors.TASK_IN_HAND, errors.ORDER_INCOMPLETE, errors.FLASH_FULL)),
    # People at the panels.
    Rule("duress", CRITICAL, "D9", "胁迫报警", "Duress finger", "finger", _is("duress", True), silent=True),
    Rule("no_face_picture", WARNING, "S2", "没有现场照片", "No picture of the face at a finger", "finger", _no_face),
    Rule("spoof_finger", HIGH, "S2", "假指纹", "A finger that is not alive", "finger_refused", (errors.SPOOF_FINGER,)),
    Rule("permit_expired", HIGH, "D10", "证件过期的人员", "Somebody whose permit has ended", "finger_refused", (errors.PERMIT_EXPIRED,)),
    Rule("wrong_role", WARNING, "D2", "人员角色不符", "Somebody in the wrong role", "finger_refused", (errors.WRONG_ROLE, errors.ONE_PERSON_TWO_ROLES)),
    Rule("tampered_search", CRITICAL, "F6", "指纹传感器被篡改", "A fingerprint sensor was tampered with", "finger_refused", (errors.SENSOR_TAMPERED,)),
    Rule("fingerprint_fault", HIGH, "F6", "指纹传感器故障", "A fingerprint sensor fails", "finger_refused", (errors.SENSOR_SILENT, errors.SENSOR_GARBAGE, errors.FINGER_OFF)),
    Rule("five_failures", HIGH, "S6", "指纹连续失败，面板锁定", "Failed fingers locked a panel", "locked", lambda fields: fields["failures"] < FINGER_OFF_FAILURES),
    Rule("finger_off", CRITICAL, "D18", "指纹功能已停用", "Fingers are switched off at a panel", "locked", lambda fields: fields["failures"] >= FINGER_OFF_FAILURES),
    Rule("panel_released", INFO, "D18", "面板锁定已解除", "A locked panel was released", "released"),
    Rule("approval_refused", HIGH, "S2", "进门被拒绝", "Entry was refused by the approver", "approval", _is("approved", False)),
    # Doors.
    Rule("door_forced", CRITICAL, "D12", "门被强行打开", "A door was forced", "door", _door(records.DOOR_FORCED)),
    Rule("door_held_open", HIGH, "D12", "门未关好", "A door is held open", "door", _door(records.DOOR_HELD_OPEN)),
    Rule("emergency_release", CRITICAL, "D12", "紧急双门开启", "Emergency release of the doors", "door", _door(records.DOOR_RELEASED, records.CAUSE_EMERGENCY)),
    Rule("fire_release", CRITICAL, "D12", "消防联动开门", "The fire input released a door", "door", _door(records.DOOR_RELEASED, records.CAUSE_FIRE)),
    # Boxes and the end of a handover.
    Rule("foreign_box", HIGH, "S7", "不属于本任务的款箱", "A box of another order", "foreign_box"),
    Rule("missing_box", HIGH, "S8", "款箱缺少", "A box was not read", "boxes", lambda fields: bool(fields["missing"])),
    Rule("frozen", CRITICAL, "S8", "交接已冻结", "A handover is frozen", "frozen", _SERIOUS),
    Rule("frozen_otherwise", HIGH, "S11", "交接已冻结", "A handover is frozen", "frozen", _reason_not_in(*_SERIOUS)),
    Rule("restarted_by_centre", INFO, "S11", "中心重新开始任务", "The centre restarted a task", "restarted", (errors.RESTARTED_BY_CENTRE,)),
    Rule("restarted", WARNING, "S6", "任务重新开始", "A task had to start again", "restarted", _reason_not_in(errors.RESTARTED_BY_CENTRE)),
    # The unit itself.
    Rule("watchdog", WARNING, "F6", "单元被看门狗重启", "The watchdog restarted a unit", "boot", _is("reason", WATCHDOG)),
    Rule("self_test", HIGH, "F6", "单元自检失败", "A unit failed its self-test", "boot", lambda fields: not passed(fields)),
    Rule("unprotected", HIGH, "F6", "单元芯片未加保护（闪存加密、安全启动）", "A unit's chip is not protected (flash encryption, secure boot)", "boot", lambda fields: not is_protected(fields)),
    Rule("clock_jump", WARNING, "D16", "单元时钟被大幅调整", "A unit's clock was set by more than a minute", "clock_set", lambda fields: abs(fields["after"] - fields["before"]) > CLOCK_LIMIT),
    Rule("forged", CRITICAL, "S25", "单元拒绝了伪造的数据", "A unit refused forged data", "refusal", _FORGED),
    Rule("refusal", WARNING, "F6", "单元拒绝了数据", "A unit refused data", "refusal", _reason_not_in(*_FORGED) ),
    Rule("sensor_tampered", CRITICAL, "F6", "传感器被篡改", "A sensor was tampered with", "sensor", (errors.SENSOR_TAMPERED,)),
    Rule("sensor_fault", HIGH, "F6", "传感器故障", "A sensor or reader fails", "sensor", _BROKEN),
    Rule("output_fault", WARNING, "F6", "屏幕或扬声器故障", "A screen or speaker fails", "sensor", _ANNOYING),
    Rule("sensor_other", WARNING, "F6", "传感器异常", "Something is wrong with a sensor", "sensor", _reason_not_in(0, errors.SENSOR_TAMPERED, *_BROKEN, *_ANNOYING)),
    Rule("fire", CRITICAL, "D12", "火警", "Fire", "input", _input(records.INPUT_FIRE)),
    Rule("tamper", CRITICAL, "F6", "单元被拆动", "A unit is being tampered with", "input", _input(records.INPUT_TAMPER)),
    Rule("new_epoch", HIGH, "S25", "单元日志重新开始", "A unit began a new journal", "epoch"),
    Rule("storage", HIGH, "F2", "单元存储将满", "A unit's storage is nearly full", "storage", is_nearly_full),
)

# What the server sees by itself, or only in connection with planning.
SERVER_RULES = (
    Rule("unit_offline", HIGH, "F6", "单元离线", "A unit is offline"),
    Rule("clock_off", WARNING, "D16", "单元时钟偏差超过 60 秒", "A unit's clock is off by more than 60 s"),
    Rule("clock_unsure", WARNING, "D16", "单元时钟不可信", "A unit does not trust its clock"),
    Rule("task_on_unsure_clock", HIGH, "D16", "时钟不可信时开始任务", "A task began on an unsure clock"),
    Rule("second_arrival", CRITICAL, "D3", "已完成的任务再次开始", "A finished task began once more"),
    Rule("skipped_stop", HIGH, "S9", "车辆未按线路顺序到达", "A vehicle skipped a stop"),
    Rule("revoked_version", CRITICAL, "D4", "按已撤销的任务单交接", "A handover ran on a revoked order"),
    Rule("unknown_task", CRITICAL, "D4", "单元报告了未知任务", "A unit reports a task nobody planned for it"),
    Rule("left_open", HIGH, "S11", "未完成交接车辆已离开", "The vehicle left before the handover was closed"),
    Rule("journal_changed", CRITICAL, "S25", "单元改动了已上报的记录", "A unit changed what it had reported"),
    Rule("journal_fork", CRITICAL, "S25", "单元日志分叉", "A unit's journal forked"),
    Rule("journal_back", CRITICAL, "S25", "单元日志倒退", "A unit's journal went back"),
    Rule("journal_gap", CRITICAL, "S25", "单元日志有缺失", "Records of a unit are missing"),
    Rule("head_missing", HIGH, "S25", "单元没有为记录签名", "A unit does not sign its records"),
    Rule("head_forged", CRITICAL, "S25", "日志签名无效", "A journal head with a wrong signature"),
    Rule("unreadable_record", HIGH, "S23", "无法读取的记录", "A record that cannot be read"),
    Rule("link_abuse", HIGH, "S25", "单元发送了不合规的数据", "A unit sent what it must not send"),
    Rule("lost_plan", HIGH, "S23", "交接的任务在恢复备份时丢失，请补录计划", "A handover of a task whose plan was lost with a restore: plan it again"),
    Rule("backup_failed", HIGH, "S23", "自动备份失败：请检查备份目录和剩余空间，再运行 doorward backup", "The backup failed: check its folder and the free space, then run `doorward backup`"),
    Rule("restored", CRITICAL, "S23", "服务器已从备份恢复：请核对计划，并由两人在“审批”页确认后再下发", "The server was restored from a backup: check the plan, then let two people go on at Approvals"),
    Rule("notify_failing", HIGH, "F13", "通知发送失败", "Notifications do not arrive"),
    Rule("printing_failed", WARNING, "S5", "交接单打印失败", "A report could not be printed"),
)

# fmt: on

_BY_RECORD = {
    name: tuple(rule for rule in RULES if rule.record == name) for name in {rule.record for rule in RULES}
}
BY_NAME = {rule.name: rule for rule in (*RULES, *SERVER_RULES)}


def rules_for(name: str, fields: Fields) -> list[Rule]:
    """The alarms that a record means."""
    return [rule for rule in _BY_RECORD.get(name, ()) if rule.matches(fields)]


def title(rule: str, language: str) -> str:
    """The title of a rule in "zh" or "en"."""
    found = BY_NAME[rule]
    return found.title_zh if language == "zh" else found.title_en

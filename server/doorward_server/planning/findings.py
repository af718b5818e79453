"""Why a plan cannot be released, as people read it: reason, place in the plan, Chinese and English."""

from typing import Any, NamedTuple

from doorward_server.problems import Problem


class Finding(NamedTuple):
    """One obstacle. `where`: "crew", "vehicle", "stops", or "stop 2" (counted along the route from 1)."""

    reason: str
    where: str
    message_zh: str
    message_en: str


_TEXTS = {
    "no_stops": ("线路没有站点。", "The run has no stop."),
    "too_many_stops": ("站点超过 {limit} 个。", "More than {limit} stops."),
    "too_many_boxes": ("款箱超过 {limit} 个。", "More than {limit} boxes."),
    "too_many_people": ("押运组超过 {limit} 人。", "More than {limit} people in the crew."),
    "vehicle_unknown": ("没有这辆车。", "There is no such vehicle."),
    "vehicle_busy": ("车辆 {plate} 同时段已有线路 {run}。", "Vehicle {plate} is on run {run} at that time."),
    "crew_too_small": ("至少需要两名下车押运员。", "At least two people must come to the door."),
    "crew_twice": ("{name} 重复。", "{name} is in the crew twice."),
    "crew_unknown": ("没有编号为 {person} 的人员。", "There is no person number {person}."),
    "crew_removed": ("{name} 已被删除。", "{name} has been removed."),
    "crew_role": ("{name} 不是押运员或司机。", "{name} is neither escort nor driver."),
    "crew_duty": ("职责应为 door 或 vehicle。", "A duty is door or vehicle."),
    "driver_at_door": ("司机 {name} 不得下车交接。", "The driver {name} stays with the vehicle."),
    "crew_company": ("{name} 与车辆不属于同一押运公司。", "{name} is not of the vehicle's company."),
    "crew_permit": ("{name} 的证件在当日已失效。", "The permit of {name} has lapsed on that day."),
    "crew_busy": ("{name} 同时段已在线路 {run}。", "{name} is on run {run} at that time."),
    "site_unknown": ("没有这个网点。", "There is no such site."),
    "site_without_officer": (
        "该网点没有证件有效的营业专员或管理员。",
        "The site has no officer or keeper with a valid permit.",
    ),
    "kind_unknown": ("任务类型不正确。", "This is no kind of task."),
    "window_order": ("时间窗的开始须早于结束。", "A window begins before it ends."),
    "window_day": ("时间窗不在任务当日开始。", "The window does not begin on the run's day."),
    "window_long": ("时间窗超过一天。", "The window is longer than a day."),
    "window_passed": ("时间窗已过。", "The window has passed."),
    "windows_sequence": ("时间窗与线路顺序不符。", "The windows do not follow the route."),
    "expires_early": ("任务单在时间窗结束前失效。", "The order expires before its window ends."),
    "no_boxes": ("站点没有款箱。", "The stop has no box."),
    "box_unknown": ("没有编号为 {box} 的款箱。", "There is no box number {box}."),
    "box_twice": ("款箱 {number} 在线路中重复。", "Box {number} is planned twice in this run."),
    "box_busy": ("款箱 {number} 已在线路 {run} 中。", "Box {number} is on run {run}."),
}
REASONS = frozenset(_TEXTS)


def finding(reason: str, where: str, **values: Any) -> Finding:
    """The finding with its texts; `values` fill what they name."""
    text_zh, text_en = _TEXTS[reason]
    return Finding(reason, where, text_zh.format(**values), text_en.format(**values))


def refusal(findings: list[Finding]) -> Problem:
    """The refusal of a plan with these findings."""
    return Problem(
        422,
        "plan_invalid",
        "计划未通过校验。",
        "The plan does not hold.",
        "Correct what the details name and try again. 请按 details 更正后重试。",
        [found._asdict() for found in findings],
    )

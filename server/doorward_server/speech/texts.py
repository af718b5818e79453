# ruff: noqa: E501 - a table of sentences reads best with one prompt per line.
"""Everything that is spoken or drawn as a fixed text, in Chinese and English, in one place.

`PROMPTS` is keyed by the names of doorward_protocol.prompts; a test demands that both tables have the same names.
The sentences below it are what the centre's page says about arrivals, officers and alarms (S3, S15).
"""

from typing import NamedTuple


class Prompt(NamedTuple):
    """One guidance step of a unit: what is said, what is drawn, and how it looks.

    `tone`: go (green), wait (amber), stop (red), info (blue). `icon`: a function name in icons.py.
    """

    icon: str
    tone: str
    title_zh: str
    title_en: str
    say_zh: str
    say_en: str


PROMPTS = {
    "welcome_idle": Prompt("shield", "info", "联动门", "Interlock door", "欢迎。", "Welcome."),
    "vehicle_arrived": Prompt("van", "go", "押款车到达", "Van has arrived", "押款车到达，", "The van has arrived:"),
    "touch_finger": Prompt("finger", "info", "请按指纹", "Touch the sensor", "请按指纹。", "Please touch the sensor."),
    "finger_accepted": Prompt("check", "go", "认证成功", "Accepted", "认证成功，", "Accepted:"),
    "finger_refused_retry": Prompt("finger", "wait", "请再按一次", "Try again", "未通过，请再按一次。", "Not accepted. Try again."),
    "panel_locked": Prompt("lock", "stop", "面板已锁定", "Panel is locked", "面板已锁定，请等待。", "The panel is locked. Please wait."),
    "crew_complete_wait": Prompt(
        "people", "wait", "请等待确认", "Crew complete, wait", "人员到齐，请等待确认。", "The crew is complete. Please wait."
    ),
    "compare_pictures": Prompt(
        "compare", "info", "请比对照片", "Compare pictures", "请比对照片和人数。", "Compare the pictures and count the people."
    ),
    "approved_enter": Prompt("door_open", "go", "请进门", "Please enter", "确认通过，请进门。", "Approved. Please enter."),
    "refused": Prompt("cross", "stop", "未获准进入", "Entry refused", "未获准进入。", "Entry is refused."),
    "close_outer_door": Prompt("door_closed", "wait", "请关好外门", "Close outer door", "请关好外门。", "Please close the outer door."),
    "enter_inner": Prompt("door_open", "go", "请进内门", "Enter inner door", "内门已开，请进。", "The inner door is open. Please enter."),
    "bring_boxes": Prompt("box", "go", "请搬入款箱", "Bring the boxes", "请把款箱搬到交接区。", "Bring the boxes out for the handover."),
    "reading_boxes": Prompt("box_scan", "wait", "正在读款箱", "Reading the boxes", "正在读取款箱。", "Reading the boxes."),
    "boxes_complete": Prompt("box_check", "go", "款箱齐全", "Boxes complete", "款箱核对无误。", "All boxes are correct."),
    "box_missing": Prompt("box_missing", "stop", "款箱缺少", "A box is missing", "款箱数量不符。", "A box is missing."),
    "box_foreign": Prompt("box_cross", "stop", "错误的款箱", "Wrong box", "发现不属于本任务的款箱。", "There is a box of another order."),
    "officer_finger": Prompt(
        "officer", "info", "专员请按指纹", "Officer: touch sensor", "请营业专员按指纹。", "Officer, please touch the sensor."
    ),
    "crew_finger": Prompt(
        "finger", "info", "押运员请按指纹", "Crew: touch sensor", "请押运员按指纹。", "Crew, please touch the sensor."
    ),
    "handover_closed": Prompt("shield", "go", "交接完成", "Handover complete", "交接完成。", "The handover is complete."),
    "goodbye": Prompt("exit", "go", "一路平安", "Have a safe trip", "一路平安。", "Have a safe trip."),
    "vehicle_refused_early": Prompt("clock", "stop", "车辆提前到达", "Too early", "未到交接时间，请联系中心。", "Too early. Call the centre."),
    "vehicle_refused_completed": Prompt(
        "van_cross", "stop", "任务已完成", "Task already done", "任务已经完成，拒绝交接。", "This task is already done. Refused."
    ),
    "vehicle_refused_unknown": Prompt(
        "van_cross", "stop", "车辆不在任务中", "Van not expected", "车辆不在任务中，请联系中心。", "This van is not expected. Call the centre."
    ),
    "frozen_wait": Prompt("pause", "stop", "交接已冻结", "Handover frozen", "交接已冻结，请等待中心。", "Frozen. Wait for the centre."),
    "look_at_camera": Prompt("camera", "info", "请看镜头", "Look at the camera", "请看镜头。", "Look at the camera."),
    # Followed by the officer's name clip: 营业专员认证成功，某某 keeps the sentence whole with any name.
    "officer_verified": Prompt("officer", "go", "专员认证成功", "Officer verified", "营业专员认证成功，", "Officer verified:"),
    "task_restarted": Prompt("restart", "wait", "任务重新开始", "Task restarted", "任务重新开始。", "The task starts again."),
    "spoof_refused": Prompt("spoof", "stop", "请用真手指", "Use a real finger", "请使用真手指。", "Use a real finger."),
    "clock_unsure": Prompt("clock", "wait", "时钟不确定", "Clock unsure", "时钟不确定，请联系中心。", "The clock is unsure. Call the centre."),
    "out_of_order": Prompt("tools", "stop", "设备停用", "Out of order", "设备停用，请联系维修。", "Out of order. Call service."),
    "leave_through_door": Prompt("exit", "info", "请从联动门离开", "Leave by the door", "请从联动门离开。", "Please leave through the door."),
}  # fmt: skip

# What the centre's page speaks. Fields in braces are filled by `sentence`.
SENTENCES = {
    "arrival": ("{site}，押款车到达，车牌{plate}。", "{site}: the van has arrived, plate {plate}."),
    "crew": ("{site}，押运人员认证完成。", "{site}: the crew has been identified."),
    "approved": ("{site}，已确认放行。", "{site}: entry is approved."),
    "refused": ("{site}，拒绝放行。", "{site}: entry is refused."),
    "officer": ("{site}，营业专员{name}认证成功。", "{site}: officer {name} verified."),
    "closed": ("{site}，交接完成，款箱{boxes}个。", "{site}: handover complete, boxes: {boxes}."),
    "frozen": ("{site}，交接已冻结。", "{site}: the handover is frozen."),
    "left": ("{site}，押款车已离开。", "{site}: the van has left."),
    "test": ("语音已开启。", "Speech is on."),
    "alarm": ("报警，{site}，{title}。", "Alarm, {site}: {title}."),
}

LANGUAGES = ("zh", "en")
_DIGITS = str.maketrans("0123456789", "零一二三四五六七八九")


def sentence(name: str, language: str, /, **fields: str) -> str:
    """The centre's sentence `name` in "zh" or "en"; a plate is spelt letter by letter."""
    if "plate" in fields:
        fields["plate"] = spell(fields["plate"], language)
    return SENTENCES[name][LANGUAGES.index(language)].format(**fields)


def spell(plate: str, language: str) -> str:
    """A number plate as it is read out: 京A12345 → 京 A 一 二 三 四 五."""
    characters = [character for character in plate if character.isalnum()]
    text = " ".join(characters)
    return text.translate(_DIGITS) if language == "zh" else text

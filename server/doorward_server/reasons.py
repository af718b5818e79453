"""Refusal reasons as people read them, in Chinese and English: a short phrase per code of the protocol.

A test demands a phrase for every code. What to do about a reason stands in the protocol's own table.
"""

from doorward_protocol.errors import NAMES

PHRASES = {
    "malformed": ("数据格式错误", "malformed data"),
    "too_large": ("数据过大", "too large"),
    "too_deep": ("数据嵌套过深", "nested too deeply"),
    "not_deterministic": ("编码不规范", "encoding not canonical"),
    "duplicate_key": ("数据键重复", "duplicate key"),
    "bad_signature": ("签名无效", "bad signature"),
    "unknown_key": ("签名者不受信任", "unknown signer"),
    "wrong_kind": ("对象类型不符", "wrong kind of object"),
    "wrong_unit": ("属于其他单元", "meant for another unit"),
    "old_version": ("版本过旧", "old version"),
    "expired": ("已过期", "expired"),
    "not_yet_valid": ("尚未生效", "not yet valid"),
    "replayed": ("重复使用", "used before"),
    "wrong_task": ("属于其他任务", "belongs to another task"),
    "unknown_message": ("未知消息", "unknown message"),
    "bad_sequence": ("序号错误", "frame out of sequence"),
    "bad_ciphertext": ("无法解密", "cannot be decrypted"),
    "bad_hash": ("内容与哈希不符", "content does not match its hash"),
    "flash_full": ("存储已满", "storage is full"),
    "clock_unsure": ("时钟不可靠", "clock cannot be trusted"),
    "wrong_direction": ("消息方向错误", "wrong direction"),
    "not_wanted": ("未请求的数据", "not asked for"),
    "outside_profile": ("不支持的数据类型", "data type not used here"),
    "bad_key": ("密钥无效", "invalid key"),
    "unknown_tag": ("标签不在任何任务中", "tag is in no order"),
    "tag_copied": ("标签被复制", "tag was copied"),
    "early_vehicle": ("车辆提前到达", "vehicle is early"),
    "task_completed": ("任务已经完成", "task already completed"),
    "order_expired": ("任务单已过期", "order expired"),
    "task_in_hand": ("另一任务正在进行", "another task is in hand"),
    "stale_manifest": ("清单已过时", "manifest is stale"),
    "order_incomplete": ("任务资料未齐", "order is not complete yet"),
    "skipped_stop": ("跳过站点", "stop skipped"),
    "no_match": ("指纹不匹配", "no match"),
    "spoof_finger": ("假指纹", "spoof finger"),
    "poor_image": ("指纹图像不清", "poor finger image"),
    "sensor_silent": ("指纹模块无响应", "sensor is silent"),
    "sensor_garbage": ("指纹模块响应错误", "sensor answers garbage"),
    "wrong_role": ("角色不符", "wrong role"),
    "already_identified": ("已经认证过", "already identified"),
    "panel_locked": ("面板已锁定", "panel is locked"),
    "finger_off": ("指纹方式已停用", "finger factor is off"),
    "permit_expired": ("证件已过期", "permit expired"),
    "wrong_panel": ("面板不对", "wrong panel"),
    "sensor_tampered": ("指纹模块疑似被篡改", "sensor seems tampered with"),
    "camera_failed": ("摄像头故障", "camera failed"),
    "speaker_failed": ("扬声器故障", "speaker failed"),
    "reader_silent": ("读写器无响应", "reader is silent"),
    "reader_garbage": ("读写器响应错误", "reader answers garbage"),
    "screen_failed": ("屏幕故障", "screen failed"),
    "unprotected": ("芯片未加保护", "chip not protected"),
    "head_count_mismatch": ("人数不符", "head count differs"),
    "picture_mismatch": ("照片不是同一人", "a face is not the same"),
    "missing_box": ("款箱缺少", "a box is missing"),
    "foreign_box": ("不属于本任务的款箱", "box of another order"),
    "timed_out": ("超时", "timed out"),
    "five_failures": ("连续五次失败", "five failures in a row"),
    "one_person_two_roles": ("一人不能兼两个角色", "one person in two roles"),
    "restarted_by_centre": ("中心要求重来", "restarted by the centre"),
    "unit_restarted": ("单元断电或重启", "the unit lost power or restarted"),
}


def phrase(code: int | None, language: str) -> str:
    """The short phrase for a reason code in "zh" or "en"; an unknown code shows its number."""
    if code is None:
        return ""
    name = NAMES.get(code, "")
    if name not in PHRASES:
        return f"#{code}"
    return PHRASES[name][language == "en"]

"""Everything that can be refused, as data: a code and a name; `advice` has the sentence that says what to do.

The codes travel in `refused` messages and stand in journal records, so a number never changes its meaning.
Modules raise `ProtocolError(BAD_SIGNATURE, "manifest")`; pages and reports read `NAMES`.
"""

from doorward_protocol.compat import const

try:
    from doorward_protocol.advice import ADVICE
except ImportError:  # a unit has no room for sentences: it shows and speaks prompts
    ADVICE = {}

# Data that arrives: encoding, signatures, keys, versions, the channel.
MALFORMED = const(1)
TOO_LARGE = const(2)
TOO_DEEP = const(3)
NOT_DETERMINISTIC = const(4)
DUPLICATE_KEY = const(5)
BAD_SIGNATURE = const(6)
UNKNOWN_KEY = const(7)
WRONG_KIND = const(8)
WRONG_UNIT = const(9)
OLD_VERSION = const(10)
EXPIRED = const(11)
NOT_YET_VALID = const(12)
REPLAYED = const(13)
WRONG_TASK = const(14)
UNKNOWN_MESSAGE = const(15)
BAD_SEQUENCE = const(16)
BAD_CIPHERTEXT = const(17)
BAD_HASH = const(18)
FLASH_FULL = const(19)
CLOCK_UNSURE = const(20)
WRONG_DIRECTION = const(21)
NOT_WANTED = const(22)
OUTSIDE_PROFILE = const(23)
BAD_KEY = const(24)

# Vehicles, tasks and orders.
UNKNOWN_TAG = const(40)
TAG_COPIED = const(41)
EARLY_VEHICLE = const(42)
TASK_COMPLETED = const(43)
ORDER_EXPIRED = const(44)
TASK_IN_HAND = const(45)
STALE_MANIFEST = const(46)
ORDER_INCOMPLETE = const(47)
SKIPPED_STOP = const(48)

# People and sensors.
NO_MATCH = const(60)
SPOOF_FINGER = const(61)
POOR_IMAGE = const(62)
SENSOR_SILENT = const(63)
SENSOR_GARBAGE = const(64)
WRONG_ROLE = const(65)
ALREADY_IDENTIFIED = const(66)
PANEL_LOCKED = const(67)
FINGER_OFF = const(68)
PERMIT_EXPIRED = const(69)
WRONG_PANEL = const(70)
SENSOR_TAMPERED = const(71)
CAMERA_FAILED = const(72)
SPEAKER_FAILED = const(73)
READER_SILENT = const(74)
READER_GARBAGE = const(75)
SCREEN_FAILED = const(76)
UNPROTECTED = const(77)

# The handover itself.
HEAD_COUNT_MISMATCH = const(80)
PICTURE_MISMATCH = const(81)
MISSING_BOX = const(82)
FOREIGN_BOX = const(83)
TIMED_OUT = const(84)
FIVE_FAILURES = const(85)
ONE_PERSON_TWO_ROLES = const(86)
RESTARTED_BY_CENTRE = const(87)
UNIT_RESTARTED = const(88)

NAMES = {
    MALFORMED: "malformed",
    TOO_LARGE: "too_large",
    TOO_DEEP: "too_deep",
    NOT_DETERMINISTIC: "not_deterministic",
    DUPLICATE_KEY: "duplicate_key",
    BAD_SIGNATURE: "bad_signature",
    UNKNOWN_KEY: "unknown_key",
    WRONG_KIND: "wrong_kind",
    WRONG_UNIT: "wrong_unit",
    OLD_VERSION: "old_version",
    EXPIRED: "expired",
    NOT_YET_VALID: "not_yet_valid",
    REPLAYED: "replayed",
    WRONG_TASK: "wrong_task",
    UNKNOWN_MESSAGE: "unknown_message",
    BAD_SEQUENCE: "bad_sequence",
    BAD_CIPHERTEXT: "bad_ciphertext",
    BAD_HASH: "bad_hash",
    FLASH_FULL: "flash_full",
    CLOCK_UNSURE: "clock_unsure",
    WRONG_DIRECTION: "wrong_direction",
    NOT_WANTED: "not_wanted",
    OUTSIDE_PROFILE: "outside_profile",
    BAD_KEY: "bad_key",
    UNKNOWN_TAG: "unknown_tag",
    TAG_COPIED: "tag_copied",
    EARLY_VEHICLE: "early_vehicle",
    TASK_COMPLETED: "task_completed",
    ORDER_EXPIRED: "order_expired",
    TASK_IN_HAND: "task_in_hand",
    STALE_MANIFEST: "stale_manifest",
    ORDER_INCOMPLETE: "order_incomplete",
    SKIPPED_STOP: "skipped_stop",
    NO_MATCH: "no_match",
    SPOOF_FINGER: "spoof_finger",
    POOR_IMAGE: "poor_image",
    SENSOR_SILENT: "sensor_silent",
    SENSOR_GARBAGE: "sensor_garbage",
    WRONG_ROLE: "wrong_role",
    ALREADY_IDENTIFIED: "already_identified",
    PANEL_LOCKED: "panel_locked",
    FINGER_OFF: "finger_off",
    PERMIT_EXPIRED: "permit_expired",
    WRONG_PANEL: "wrong_panel",
    SENSOR_TAMPERED: "sensor_tampered",
    CAMERA_FAILED: "camera_failed",
    SPEAKER_FAILED: "speaker_failed",
    READER_SILENT: "reader_silent",
    READER_GARBAGE: "reader_garbage",
    SCREEN_FAILED: "screen_failed",
    UNPROTECTED: "unprotected",
    HEAD_COUNT_MISMATCH: "head_count_mismatch",
    PICTURE_MISMATCH: "picture_mismatch",
    MISSING_BOX: "missing_box",
    FOREIGN_BOX: "foreign_box",
    TIMED_OUT: "timed_out",
    FIVE_FAILURES: "five_failures",
    ONE_PERSON_TWO_ROLES: "one_person_two_roles",
    RESTARTED_BY_CENTRE: "restarted_by_centre",
    UNIT_RESTARTED: "unit_restarted",
}


def sentence(reason, detail=""):
    """Return what was refused as one line: the reason's name, advice where there is some, and the detail."""
    name = NAMES[reason]
    advice = ADVICE.get(name)
    return name + (": " + advice if advice else "") + (" (%s)" % detail if detail else "")


class ProtocolError(Exception):
    """A refusal. `reason` is a code of NAMES, `detail` says which thing was refused, in a few words."""

    def __init__(self, reason, detail=""):
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self):
        return sentence(self.reason, self.detail)

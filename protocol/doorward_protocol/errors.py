"""Everything that can be refused, as data: one code, one name and one sentence that says what to do.

The codes travel in `refused` messages and stand in journal records, so a number never changes its meaning.
Modules raise `ProtocolError(BAD_SIGNATURE, "manifest")`; pages and reports read `REASONS`.
"""

from doorward_protocol.compat import const

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

# The handover itself.
HEAD_COUNT_MISMATCH = const(80)
PICTURE_MISMATCH = const(81)
MISSING_BOX = const(82)
FOREIGN_BOX = const(83)
TIMED_OUT = const(84)
FIVE_FAILURES = const(85)
ONE_PERSON_TWO_ROLES = const(86)
RESTARTED_BY_CENTRE = const(87)

REASONS = {
    MALFORMED: (
        "malformed",
        "the data has the wrong form; send it again, and update the sender if it repeats",
    ),
    TOO_LARGE: ("too_large", "the data exceeds its limit; send it in smaller parts"),
    TOO_DEEP: ("too_deep", "the data is nested too deeply; update the sender"),
    NOT_DETERMINISTIC: ("not_deterministic", "the encoding is not the one shortest form; update the sender"),
    DUPLICATE_KEY: ("duplicate_key", "a map key occurs twice; update the sender"),
    BAD_SIGNATURE: ("bad_signature", "the signature does not fit; discard it and find out who sent it"),
    UNKNOWN_KEY: ("unknown_key", "the signer is not trusted here; provision or update the trust object"),
    WRONG_KIND: ("wrong_kind", "the object is signed as another kind; send it as what it is"),
    WRONG_UNIT: ("wrong_unit", "this is meant for another unit; take it there"),
    OLD_VERSION: ("old_version", "a newer version is already here; send the newest"),
    EXPIRED: ("expired", "its time is over; issue it again"),
    NOT_YET_VALID: ("not_yet_valid", "its time has not come; wait, or check the clock"),
    REPLAYED: ("replayed", "this was used before; issue a new one"),
    WRONG_TASK: ("wrong_task", "this belongs to another task; decide again for the task in hand"),
    UNKNOWN_MESSAGE: ("unknown_message", "no such message or record is known here; update this side"),
    BAD_SEQUENCE: ("bad_sequence", "a frame was lost, repeated or came too late; connect again"),
    BAD_CIPHERTEXT: ("bad_ciphertext", "the data cannot be decrypted with this key; connect again"),
    BAD_HASH: ("bad_hash", "the content does not have the hash it should have; fetch it again"),
    FLASH_FULL: ("flash_full", "there is no room left; connect the unit so that its records can be stored"),
    CLOCK_UNSURE: (
        "clock_unsure",
        "the clock cannot be trusted; connect the unit, or let two bank people confirm",
    ),
    WRONG_DIRECTION: ("wrong_direction", "the peer may not send this message; check which side it is"),
    NOT_WANTED: ("not_wanted", "nobody asked for this; ask first"),
    OUTSIDE_PROFILE: (
        "outside_profile",
        "floats, tags and other simple values are not used here; leave them out",
    ),
    BAD_KEY: ("bad_key", "this is no valid P-256 key; make a new key pair"),
    UNKNOWN_TAG: ("unknown_tag", "the tag is in no order of this site; ask the centre"),
    TAG_COPIED: (
        "tag_copied",
        "the tag's number is known but its chip is another one; hold it and tell the centre",
    ),
    EARLY_VEHICLE: (
        "early_vehicle",
        "the vehicle is before its window; keep the door shut and ask the centre",
    ),
    TASK_COMPLETED: (
        "task_completed",
        "this task is already completed; keep the door shut and call the centre now",
    ),
    ORDER_EXPIRED: ("order_expired", "the order is over; ask the centre for a new one"),
    TASK_IN_HAND: ("task_in_hand", "another task is being carried out; wait until it is closed"),
    STALE_MANIFEST: ("stale_manifest", "the orders here are too old; connect the unit or import a bundle"),
    ORDER_INCOMPLETE: (
        "order_incomplete",
        "parts of the order are still missing; wait for the transfer to end",
    ),
    SKIPPED_STOP: ("skipped_stop", "an earlier stop of this run is still open; ask the centre"),
    NO_MATCH: ("no_match", "the finger was not recognised; clean it and touch again, or use another finger"),
    SPOOF_FINGER: ("spoof_finger", "this was no live finger; look at the picture and call the centre"),
    POOR_IMAGE: ("poor_image", "the print is too poor; clean sensor and finger, press evenly"),
    SENSOR_SILENT: ("sensor_silent", "the fingerprint sensor does not answer; check its cable and power"),
    SENSOR_GARBAGE: (
        "sensor_garbage",
        "the fingerprint sensor answers nonsense; check its cable, restart the unit",
    ),
    WRONG_ROLE: ("wrong_role", "this person may not do this step; the right person must"),
    ALREADY_IDENTIFIED: (
        "already_identified",
        "this person has already been identified; the next one, please",
    ),
    PANEL_LOCKED: ("panel_locked", "too many failures; wait until the lock ends"),
    FINGER_OFF: (
        "finger_off",
        "fingers are switched off here after fifty failures; two people must release them",
    ),
    PERMIT_EXPIRED: ("permit_expired", "this person's permit is over; the company must send somebody else"),
    WRONG_PANEL: ("wrong_panel", "this step belongs to the other panel; go there"),
    SENSOR_TAMPERED: (
        "sensor_tampered",
        "the sensor matched what cannot match; take it out of use and inspect its cable",
    ),
    CAMERA_FAILED: ("camera_failed", "the camera takes no picture; check its ribbon, restart the unit"),
    SPEAKER_FAILED: ("speaker_failed", "the speaker fails; read the screen, have it repaired"),
    READER_SILENT: ("reader_silent", "the tag reader does not answer; check its cable and power"),
    READER_GARBAGE: ("reader_garbage", "the tag reader answers nonsense; check its cable, restart the unit"),
    SCREEN_FAILED: ("screen_failed", "the screen fails; listen to the speaker, have it repaired"),
    HEAD_COUNT_MISMATCH: (
        "head_count_mismatch",
        "more or fewer people than planned; keep the door shut, call the centre",
    ),
    PICTURE_MISMATCH: (
        "picture_mismatch",
        "the picture shows somebody else; keep the door shut, call the centre",
    ),
    MISSING_BOX: ("missing_box", "a box of the order was not read; read again, then call the centre"),
    FOREIGN_BOX: ("foreign_box", "a box that is not in the order was read; set it aside and call the centre"),
    TIMED_OUT: ("timed_out", "it took too long; start the step again"),
    FIVE_FAILURES: ("five_failures", "five failures in a row; the task starts again when the lock ends"),
    ONE_PERSON_TWO_ROLES: (
        "one_person_two_roles",
        "one person cannot fill two roles; somebody else must do this step",
    ),
    RESTARTED_BY_CENTRE: ("restarted_by_centre", "the centre restarted the task; begin again at the vehicle"),
}


class ProtocolError(Exception):
    """A refusal. `reason` is a code of REASONS, `detail` says which thing was refused, in a few words."""

    def __init__(self, reason, detail=""):
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self):
        name, advice = REASONS[self.reason]
        return "%s: %s%s" % (name, advice, " (%s)" % self.detail if self.detail else "")

"""Instructions of the EF01 fingerprint modules, and what their confirmation codes mean to us.

Sources: R503 user manual 1.2.2 (Grow, 2022), AS608 and ZFM-70 manuals, and the fuller code table that the
Synochip-based modules of Hi-Link (ZW series) and M5Stack (Unit Fingerprint2) share.

Liveness. No public manual of the family has an instruction for it: modules that check for a live finger do
so while they take the image and refuse what is not one with a confirmation code, in place of 00. We take
34, "a static foreign object in the image", the answer that the family introduced against conductive films
and peel on the sensor. 17, "residual print, or the finger did not move", is what a latent print brought up
again gives, but also what a patient finger gives, so it only asks for another touch. A module of another
vendor may use another code: it goes into the table here.
"""

from doorward_protocol.compat import const
from doorward_protocol.errors import (
    NO_MATCH,
    POOR_IMAGE,
    SENSOR_GARBAGE,
    SENSOR_SILENT,
    SENSOR_TAMPERED,
    SPOOF_FINGER,
)

GET_IMAGE = const(0x01)
IMAGE_TO_FEATURES = const(0x02)
SEARCH = const(0x04)
STORE = const(0x06)
LOAD = const(0x07)
UPLOAD = const(0x08)
DOWNLOAD = const(0x09)
DELETE = const(0x0C)
EMPTY = const(0x0D)
READ_PARAMETERS = const(0x0F)
SET_PASSWORD = const(0x12)
VERIFY_PASSWORD = const(0x13)
INFORMATION_PAGE = const(0x16)
COUNT_TEMPLATES = const(0x1D)
LED_RING = const(0x35)
CHECK_SENSOR = const(0x36)
PRODUCT_INFORMATION = const(0x3C)

# How long an answer may take, ms: the manuals give 0.2 s for an image, 0.5 s for features, 10 ms a search.
DEFAULT_TIMEOUT = const(600)
TIMEOUTS = {GET_IMAGE: 1200, IMAGE_TO_FEATURES: 1500, SEARCH: 1500, EMPTY: 2500, STORE: 1000}

OK = const(0x00)
DAMAGED_PACKET = const(0x01)
NO_FINGER = const(0x02)
IMAGE_FAILED = const(0x03)
NOT_FOUND = const(0x09)
WRONG_PASSWORD = const(0x13)
PASSWORD_NEEDED = const(0x21)

CODES = {
    DAMAGED_PACKET: SENSOR_GARBAGE,  # the module received a damaged packet
    NO_FINGER: POOR_IMAGE,  # no finger on the sensor
    IMAGE_FAILED: POOR_IMAGE,  # the image was not taken
    0x04: POOR_IMAGE,  # too dry or too light
    0x05: POOR_IMAGE,  # too wet or smudged
    0x06: POOR_IMAGE,  # too disordered
    0x07: POOR_IMAGE,  # too few features or too small an area
    0x08: NO_MATCH,  # the finger does not match
    NOT_FOUND: NO_MATCH,  # no such finger is loaded
    0x0A: POOR_IMAGE,  # the prints do not fit together
    0x0B: SENSOR_GARBAGE,  # slot out of range
    0x0C: SENSOR_GARBAGE,  # template unreadable or invalid
    0x0D: SENSOR_GARBAGE,  # template cannot be sent
    0x0E: SENSOR_GARBAGE,  # data packets cannot be received
    0x0F: SENSOR_GARBAGE,  # image cannot be sent
    0x10: SENSOR_GARBAGE,  # template cannot be deleted
    0x11: SENSOR_GARBAGE,  # library cannot be emptied
    WRONG_PASSWORD: SENSOR_TAMPERED,  # the module does not have our password
    0x15: POOR_IMAGE,  # no usable image in the buffer
    0x17: POOR_IMAGE,  # residual print, or the finger did not move
    0x18: SENSOR_GARBAGE,  # flash error in the module
    0x19: SENSOR_GARBAGE,  # undefined error
    0x1A: SENSOR_GARBAGE,  # no such register
    0x1B: SENSOR_GARBAGE,  # wrong register content
    0x1F: SENSOR_GARBAGE,  # library full
    0x20: SENSOR_GARBAGE,  # wrong address
    PASSWORD_NEEDED: SENSOR_TAMPERED,  # the module wants its password again
    0x22: SENSOR_GARBAGE,  # slot not as expected
    0x23: SENSOR_GARBAGE,  # slot empty
    0x24: NO_MATCH,  # the library is empty
    0x26: POOR_IMAGE,  # the module's own time ran out
    0x29: SENSOR_SILENT,  # the sensor area does not answer the module
    0x33: POOR_IMAGE,  # too small an area
    0x34: SPOOF_FINGER,  # a foreign object, not a live finger
    0x35: SENSOR_GARBAGE,  # illegal data
    0xFC: SENSOR_GARBAGE,  # instruction not supported
    0xFD: SENSOR_SILENT,  # hardware error in the module
    0xFE: SENSOR_GARBAGE,  # instruction failed
}


def meaning(code: int) -> tuple:
    """(reason, text) of a confirmation code other than 00."""
    return CODES.get(code, SENSOR_GARBAGE), "confirmation code %02x" % code

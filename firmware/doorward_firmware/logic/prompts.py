"""Which prompt belongs to which happening, and short forms of the effects that speak and draw."""

from doorward_protocol.errors import (
    CLOCK_UNSURE,
    EARLY_VEHICLE,
    FINGER_OFF,
    FLASH_FULL,
    ORDER_EXPIRED,
    ORDER_INCOMPLETE,
    PANEL_LOCKED,
    SPOOF_FINGER,
    STALE_MANIFEST,
    TAG_COPIED,
    TASK_COMPLETED,
    UNKNOWN_TAG,
    WRONG_KIND,
)
from doorward_protocol.prompts import NUMBERS
from doorward_protocol.records import PANEL_INNER, PANEL_OUTER

from doorward_firmware.logic import events

TURNED_AWAY = {
    EARLY_VEHICLE: "vehicle_refused_early",
    TASK_COMPLETED: "vehicle_refused_completed",
    UNKNOWN_TAG: "vehicle_refused_unknown",
    TAG_COPIED: "vehicle_refused_unknown",
    ORDER_EXPIRED: "vehicle_refused_unknown",
    CLOCK_UNSURE: "clock_unsure",
    STALE_MANIFEST: "out_of_order",
    ORDER_INCOMPLETE: "out_of_order",
    FLASH_FULL: "out_of_order",
    WRONG_KIND: "out_of_order",
}

FINGER_REFUSED = {
    SPOOF_FINGER: "spoof_refused",
    PANEL_LOCKED: "panel_locked",
    FINGER_OFF: "panel_locked",
}


def say(name, subject=None):
    """Speak a prompt, then the subject's name; subject: (events.PERSON or events.VEHICLE, id) or None."""
    return (events.SAY, NUMBERS[name], subject)


def show(panel, name, subject=None):
    """Draw a prompt on one panel."""
    return (events.SHOW, panel, NUMBERS[name], subject)


def at(panel, name, subject=None):
    """Speak a prompt and draw it on one panel."""
    return (say(name, subject), show(panel, name, subject))


def both(name, subject=None):
    """Speak a prompt and draw it on both panels."""
    return (say(name, subject), show(PANEL_OUTER, name, subject), show(PANEL_INNER, name, subject))


def rest():
    """Draw what the panels show while nothing happens."""
    return (show(PANEL_OUTER, "welcome_idle"), show(PANEL_INNER, "welcome_idle"))

"""What ends a standing alarm: a later record of the unit about the same door, panel, sensor or task."""

from typing import NamedTuple

from doorward_protocol import records

from doorward_server.alarms.rules import Condition, Fields, is_nearly_full, is_protected, passed


class End(NamedTuple):
    """A record that ends alarms of these rules about its own subject."""

    record: str
    rules: tuple[str, ...]
    when: Condition = lambda _: True


ENDS = (
    End("door", ("door_forced", "door_held_open"), lambda fields: fields["event"] == records.DOOR_CLOSED),
    End("door", ("emergency_release", "fire_release"), lambda fields: fields["event"] == records.DOOR_LOCKED),
    End("finger", ("five_failures", "fingerprint_fault")),
    End("released", ("five_failures", "finger_off")),
    End("sensor", ("sensor_fault", "output_fault", "sensor_other"), lambda fields: fields["reason"] == 0),
    End("input", ("fire", "tamper"), lambda fields: not fields["active"]),
    End("storage", ("storage",), lambda fields: not is_nearly_full(fields)),
    End("boot", ("self_test",), passed),
    End("boot", ("unprotected",), is_protected),
    End("restarted", ("frozen", "frozen_otherwise")),
    End("boxes", ("missing_box",), lambda fields: not fields["missing"]),
)

# What ends at all, by a record or by what the server sees itself, or stands once for all that is like it.
MAY_END = frozenset(rule for end in ENDS for rule in end.rules) | {
    "unit_offline",
    "clock_off",
    "clock_unsure",
    "head_missing",
    "head_forged",
    "journal_back",
    "journal_changed",
    "journal_fork",
    "journal_gap",
    "link_abuse",
    "notify_failing",
}

_BY_RECORD = {name: tuple(end for end in ENDS if end.record == name) for name in {end.record for end in ENDS}}

# Record: (the word for what it is about, the field that names it).
_SUBJECTS = {
    "door": ("door", "door"),
    "finger": ("panel", "panel"),
    "finger_refused": ("panel", "panel"),
    "locked": ("panel", "panel"),
    "released": ("panel", "panel"),
    "sensor": ("sensor", "name"),
    "input": ("input", "name"),
    "storage": ("storage", "name"),
    "boxes": ("task", "task"),
    "frozen": ("task", "task"),
    "restarted": ("task", "task"),
}


def subject_of(name: str, fields: Fields) -> str:
    """What a record is about: "door:1", "sensor:gate_reader"; empty for the unit as a whole."""
    if name not in _SUBJECTS:
        return ""
    word, field = _SUBJECTS[name]
    return f"{word}:{fields[field]}"


def ended_by(name: str, fields: Fields) -> tuple[str, ...]:
    """The names of the rules whose standing alarms a record ends."""
    return tuple(rule for end in _BY_RECORD.get(name, ()) if end.when(fields) for rule in end.rules)

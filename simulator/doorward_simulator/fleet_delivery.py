"""The journal of one delivery without trouble, as a unit of a fleet reports it: true kinds, in a true order.

First what was before the van (boot, the branch's own people at the egress), then the delivery of the order
from the vehicle's tag to its leaving. Each finger at the outer panel has its picture, as small as one chunk:
a camera's 20 to 60 KB would measure the line, not the link.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from time import time_ns

from doorward_firmware.board import FUSES
from doorward_protocol import objects, records

BETWEEN = 900  # ms between two records
PICTURE_BYTES = 2000
_BOOT = 1
_OUTER_SENSOR, _INNER_SENSOR = "outer_fingerprint", "inner_fingerprint"

Row = tuple[str, dict]


@dataclass
class Journal:
    """Encoded entries, and the pictures that they name, by hash."""

    entries: list[bytes]
    pictures: dict[bytes, bytes]


def journal_of(order: dict, manifest: int, count: int, random: Callable[[int], bytes]) -> Journal:
    """`count` entries that end with the order's delivery. Raises ValueError if it does not fit."""
    crew = [person for person, duty in order["crew"] if duty == objects.DUTY_DOOR]
    pictures = {sha256(content).digest(): content for content in (_picture(random) for _ in crew)}
    delivery = _delivery(order, crew, list(pictures), manifest, random(8))
    before = count - len(delivery)
    if before < 1:
        raise ValueError(f"a delivery has {len(delivery)} records and a boot before it, not {count} in all")
    rows = [*_morning(before), *delivery]
    begins = time_ns() // 1_000_000 - BETWEEN * len(rows)
    entries = [
        records.encode(name, begins + BETWEEN * at, records.CLOCK_SURE, _BOOT, random(16), **fields)
        for at, (name, fields) in enumerate(rows)
    ]
    return Journal(entries, pictures)


def _picture(random: Callable[[int], bytes]) -> bytes:
    """As long as a thumbnail, and like no other; nobody looks at it."""
    return b"\xff\xd8" + random(PICTURE_BYTES)


def _morning(count: int) -> list[Row]:
    """A boot with its self-tests, then people of the branch who go out: each is four records of a door."""
    parts = ["journal", "reader", *(name for name, *_ in FUSES)]
    boot = {"reason": 1, "firmware": "fleet", "tests": [[name, True] for name in parts], "manifest": 1}
    rows: list[Row] = [("boot", boot)]
    while len(rows) < count:
        rows += _through(records.DOOR_INNER, records.CAUSE_EGRESS)
    return rows[:count]


def _delivery(order: dict, crew: list[int], pictures: list[bytes], manifest: int, nonce: bytes) -> list[Row]:
    vehicle = objects.part("vehicle", order["vehicle"])
    officer = order["officers"][0]
    boxes = [row[2] for row in order["boxes"]]
    task = {"task": order["task"], "nonce": nonce}

    def finger(person: int, panel: int, picture: bytes | None = None) -> Row:
        sensor = _OUTER_SENSOR if panel == records.PANEL_OUTER else _INNER_SENSOR
        touch = {"panel": panel, "person": person, "finger": 2, "duress": False, "score": 96}
        return "finger", {**task, **touch, "sensor": sensor, "picture": picture}

    arrival = {
        "vehicle": vehicle["id"],
        "epc": vehicle["epc"],
        "tid": vehicle["tid"],
        "order_version": order["version"],
        "manifest": manifest,
        "last_contact": time_ns() // 1_000_000,
    }
    decision = {
        "approved": True,
        "by": [officer],
        "where": records.WHERE_PANEL,
        "head_count": len(crew),
        "picture": pictures[-1],
        "command": None,
        "reason": None,
    }
    reading = {"expected": boxes, "read": boxes, "missing": [], "foreign": [], "attempt": 1}
    closing = {
        "officer": officer,
        "crew": crew[0],
        "boxes": len(boxes),
        "order_version": order["version"],
    }
    return [
        ("vehicle", {**task, **arrival}),
        *(finger(*touch) for touch in zip(crew, [records.PANEL_OUTER] * len(crew), pictures, strict=True)),
        ("crew", {**task, "people": crew, "picture": pictures[-1]}),
        finger(officer, records.PANEL_INNER),
        ("approval", {**task, **decision}),
        *_through(records.DOOR_OUTER, records.CAUSE_HANDOVER),
        *_through(records.DOOR_INNER, records.CAUSE_HANDOVER),
        ("boxes", {**task, **reading}),
        finger(officer, records.PANEL_INNER),
        finger(crew[0], records.PANEL_INNER),
        ("closed", {**task, **closing}),
        *_through(records.DOOR_INNER, records.CAUSE_HANDOVER),
        *_through(records.DOOR_OUTER, records.CAUSE_HANDOVER),
        ("left", task),
    ]


def _through(door: int, cause: int) -> list[Row]:
    """Somebody passes a door."""
    events = (records.DOOR_RELEASED, records.DOOR_OPENED, records.DOOR_CLOSED, records.DOOR_LOCKED)
    return [("door", {"door": door, "event": event, "cause": cause}) for event in events]

"""What had left the unit, held against what was recovered: nothing that was said or done may be forgotten.

A leaf that was sent is in the journal, unchanged; a head that was sent has the root that it had; a manifest
that was reported is in force; a picture that was sent is there. A relay never moved without its record, a
sensor was never asked before the attempt was counted. Whatever the journal says, the counters know: used
commands, completed tasks, boots, pictures.
"""

from collections.abc import Sequence
from typing import Any

from doorward_firmware.logic import events, flows
from doorward_protocol import cose, messages, objects, records

from .recording import FRAME, RELAY, SEARCH, Departure
from .recovery import Recovered

Leaves = dict[tuple[int, int], bytes]
_ENDS = ("closed", "restarted", "frozen", "left")


def recorded_first(departures: Sequence[Departure], leaves: Leaves, heard: Sequence[bytes] = ()) -> list[str]:
    """What left before its record was durable, in sentences; `leaves`: all that there ever were."""
    places, known = list(leaves), [records.decode(entry) for entry in leaves.values()]
    problems, moved = [], {}
    for departure in departures:
        durable = known[: departure.leaves]
        if departure.kind == RELAY:
            door = departure.what
            moved[door] = moved.get(door, 0) + 1
            if moved[door] > _releases(durable, door):
                problems.append(f"door {door} was released {moved[door]} times, its record came later")
        elif departure.kind == FRAME and departure.what < len(heard):
            name, fields = _message(heard[departure.what])
            if name == "record" and (fields["epoch"], fields["index"]) not in places[: departure.leaves]:
                problems.append(f"leaf {fields['epoch']}/{fields['index']} was sent before it was durable")
    return problems


def broken(
    recovered: Recovered, departures: Sequence[Departure], leaves: Leaves, heard: Sequence[bytes] = ()
) -> list[str]:
    """Which promises a recovered unit breaks, after these departures; `leaves`: all that there ever were."""
    problems = _forgotten(recovered, departures, heard)
    problems += [
        f"leaf {epoch}/{index} is another one than it was"
        for (epoch, index), entry in recovered.leaves.items()
        if leaves.get((epoch, index)) != entry
    ]
    found = recovered.records()
    for panel in (records.PANEL_OUTER, records.PANEL_INNER):
        owed = _attempts_owed(departures, leaves, found, panel)
        counted = recovered.logic.lockout(panel).failures
        if counted < owed:
            problems.append(f"panel {panel}: {owed} attempts, {counted} counted")
    for door in (records.DOOR_OUTER, records.DOOR_INNER):
        moved = sum(departure.kind == RELAY and departure.what == door for departure in departures)
        if moved > _releases(found, door):
            problems.append(f"door {door} moved {moved} times, {_releases(found, door)} records say so")
    return problems + _counters(recovered, found)


def _forgotten(recovered: Recovered, departures: Sequence[Departure], heard: Sequence[bytes]) -> list[str]:
    problems = []
    for departure in departures:
        if departure.kind != FRAME or departure.what >= len(heard):
            continue
        name, fields = _message(heard[departure.what])
        if name == "record":
            if recovered.leaves.get((fields["epoch"], fields["index"])) != fields["entry"]:
                problems.append(f"leaf {fields['epoch']}/{fields['index']} was sent and is lost")
        elif name == "head":
            head = objects.payload_fields("head", cose.peek_payload(fields["object"]))
            if recovered.journal.root_at(head["epoch"], head["size"]) != head["root"]:
                problems.append(f"the head of {head['size']} leaves was sent and is lost")
        elif name in ("status", "have"):
            if recovered.desired.version < fields["manifest"]:
                problems.append(f"manifest {fields['manifest']} was reported and is lost")
        elif name == "blob" and not recovered.blobs.has(fields["hash"]):
            problems.append("a picture was sent and is lost")
    return problems


def _attempts_owed(
    departures: Sequence[Departure], leaves: Leaves, found: list[records.Record], panel: int
) -> int:
    """How many failures must be counted: what the last record says, and every search that none answers."""
    known = [records.decode(entry) for entry in leaves.values()]
    searches = [d.leaves for d in departures if d.kind == SEARCH and d.what == panel]
    answered = len(_answers(found, panel))
    waiting = sum(len(_answers(known[:count], panel)) >= answered for count in searches)
    answers = [record for record in found if _concerns(record, panel)]
    failures = answers[-1].fields.get("failures", 0) if answers else 0
    return failures + waiting


def _answers(found: Sequence[records.Record], panel: int) -> list[records.Record]:
    """The records of fingers at a panel: each answers a search."""
    names = ("finger", "finger_refused")
    return [record for record in found if record.name in names and record.fields["panel"] == panel]


def _concerns(record: records.Record, panel: int) -> bool:
    names = ("finger", "finger_refused", "locked", "released")
    return record.name in names and record.fields["panel"] == panel


def _counters(recovered: Recovered, found: list[records.Record]) -> list[str]:
    problems = []
    commands: Any = recovered.state.get("commands", [0, []])  # [floor, [[id, expires] …]]
    used = [entry[0] for entry in commands[1]]
    completed = [entry[0] for entry in recovered.logic.handover.completed]
    for record in found:
        fields = record.fields
        if record.boot > recovered.boots:
            problems.append(f"boot {record.boot} is in the journal, {recovered.boots} were counted")
        if fields.get("picture") is not None and not recovered.blobs.has(fields["picture"]):
            problems.append(f"{record.name}: its picture is lost")
        if record.name == "approval" and fields["command"] is not None and fields["command"] not in used:
            problems.append("a command that was obeyed could be used again")
        if record.name == "closed" and fields["task"] not in completed:
            problems.append(f"task {fields['task']} is closed, and forgotten")
    return problems + _in_hand(recovered, found)


def _in_hand(recovered: Recovered, found: list[records.Record]) -> list[str]:
    """An attempt that was announced goes on as what it was, or ends with a record."""
    last = {}
    for record in found:
        if record.name in ("vehicle", *_ENDS):
            last[record.fields["nonce"]] = record.name
    state = recovered.logic.handover.state
    again = [
        effect[2]["nonce"]
        for effect in recovered.effects
        if effect[0] == events.RECORD and effect[1] == "restarted"
    ]
    for nonce, name in list(last.items())[-1:]:
        if name == "vehicle" and nonce not in again and state != flows.FROZEN:
            return ["an attempt that was announced ends without a record"]
        if name == "closed" and state != flows.LEAVE:
            return [f"a closed task is {state}"]
        if name == "frozen" and state != flows.FROZEN:
            return [f"a frozen task is {state}"]
        if name in ("closed", "restarted", "frozen") and nonce in again:
            return [f"an attempt that was {name} is ended again"]
        if name == "left" and (state == flows.LEAVE or "restarted" in again):
            return ["a vehicle that has left could leave again"]
    return []


def _releases(found: Sequence[records.Record], door: int) -> int:
    return sum(
        record.name == "door"
        and (record.fields["door"], record.fields["event"]) == (door, records.DOOR_RELEASED)
        for record in found
    )


def _message(plaintext: bytes) -> tuple[str, dict]:
    return messages.decode(plaintext, messages.TO_SERVER)

"""Verifies an evidence pack with nothing but its own content and the protocol: usable far from the server.

What it proves: the unit signed these records, none was changed or left out between the first and the last,
and the bank's server had them (receipt); the pictures are those that the records name; the order is the one
in the manifest that the unit held; what people decided is signed. What it cannot know is whose the keys are:
their fingerprints have to be compared with those that the bank has published.
"""

import hashlib
from typing import Any, NamedTuple

from doorward_protocol import merkle, merkle_proofs, objects, records
from doorward_protocol.errors import ProtocolError
from doorward_protocol.records import Record
from doorward_protocol.suite import run

from doorward_server.audit import entries
from doorward_server.evidence.pack import DecisionLeaf, Evidence, Key, Pack

# What may be wrong, in Chinese and English.
FINDINGS = {
    "head_signature": ("日志头的签名无效", "the unit's signature over its journal is wrong"),
    "receipt_signature": ("回执的签名无效", "the signature of the server's receipt is wrong"),
    "receipt_differs": ("回执与日志头不符", "the receipt is not for this head"),
    "record_changed": ("记录内容与其哈希不符", "a record is not what its hash says"),
    "record_unproved": ("记录不在签名的日志中", "a record is not in the signed journal"),
    "record_missing": ("记录之间有缺失", "records are missing in between"),
    "record_unreadable": ("记录无法读取", "a record cannot be read"),
    "no_handover": ("没有交接的到达记录", "no record says that a van arrived"),
    "picture_missing": ("缺少照片", "a picture is missing"),
    "picture_changed": ("照片与其哈希不符", "a picture is not what its name says"),
    "manifest_signature": ("清单的签名无效", "the signature of the manifest is wrong"),
    "manifest_differs": ("清单不是单元当时所持的版本", "the manifest is not the one that the unit held"),
    "manifest_missing": ("缺少清单", "the manifest is missing"),
    "order_missing": ("缺少任务单", "the order is missing"),
    "order_differs": ("任务单与清单不符", "the order is not the one in the manifest"),
    "command_signature": ("指令的签名无效", "the signature of a command is wrong"),
    "command_differs": ("指令不属于本次交接", "a command is not for this handover"),
    "command_missing": ("缺少记录所指的指令", "the command that a record names is missing"),
    "decision_changed": ("决定的内容与其哈希不符", "a decision is not what its hash says"),
    "decision_unproved": ("决定未经签名证明", "a decision is not proved by a signed head"),
    "decision_unreadable": ("决定无法读取", "a decision cannot be read"),
    "unit_unknown": ("没有登记该单元密钥的决定", "no decision registers the unit with this key"),
    "not_released": ("没有两人发布任务单的决定", "no decision of two people releases the order"),
}
_RELEASES = ("run_release", "run_change")


class Finding(NamedTuple):
    """Something that does not hold: a key of FINDINGS, and where (an index, a hash; empty: the whole)."""

    what: str
    where: str = ""


def check(pack: Pack, suite: Any) -> list[Finding]:
    """Everything that does not hold; nothing if all of it is proved."""
    evidence = pack.evidence
    story, findings = _check_records(evidence, suite)
    findings += _check_pictures(pack, story)
    arrival = next((record for record in story if record.name == "vehicle"), None)
    if arrival is None:
        findings.append(Finding("no_handover"))
    else:
        findings += _check_order(evidence, suite, arrival)
        findings += _check_commands(evidence, suite, arrival, story)
    return findings + _check_decisions(evidence, suite, arrival)


def fingerprint(public: bytes) -> str:
    """What is compared with a published key: SHA-256 over its public point, in hexadecimal."""
    return hashlib.sha256(public).hexdigest()


def _signed(suite: Any, name: str, data: bytes, key: Key) -> dict[str, Any] | None:
    """The fields of an object that this key signed; None if it did not."""
    try:
        return run(objects.verify(suite, name, data, {key.kid: key.public}))
    except ProtocolError:
        return None


def _check_records(evidence: Evidence, suite: Any) -> tuple[list[Record], list[Finding]]:
    """The records that can be read, in their order, and what is wrong with the journal."""
    head = _signed(suite, "head", evidence.head, evidence.unit)
    if head is None:
        return [], [Finding("head_signature")]
    findings = []
    receipt = _signed(suite, "receipt", evidence.receipt, evidence.dispatch)
    if receipt is None:
        findings.append(Finding("receipt_signature"))
    elif any(receipt[name] != head[name] for name in ("unit", "epoch", "size", "root")):
        findings.append(Finding("receipt_differs"))
    story = []
    for before, leaf in zip((None, *evidence.records), evidence.records, strict=False):
        where = str(leaf.index)
        if before is not None and leaf.index != before.index + 1:
            findings.append(Finding("record_missing", where))
        if not merkle_proofs.verify_inclusion(
            leaf.leaf_hash, leaf.index, head["size"], leaf.path, head["root"]
        ):
            findings.append(Finding("record_unproved", where))
        if leaf.entry is None:
            continue
        if merkle.leaf_hash(leaf.entry) != leaf.leaf_hash:
            findings.append(Finding("record_changed", where))
            continue
        try:
            story.append(records.decode(leaf.entry))
        except ProtocolError:
            findings.append(Finding("record_unreadable", where))
    return story, findings


def _check_pictures(pack: Pack, story: list[Record]) -> list[Finding]:
    findings = [
        Finding("picture_changed", name)
        for name, content in pack.pictures.items()
        if hashlib.sha256(content).hexdigest() != name
    ]
    named = [record.fields["picture"].hex() for record in story if record.fields.get("picture")]
    return findings + [
        Finding("picture_missing", name) for name in dict.fromkeys(named) if name not in pack.pictures
    ]


def _check_order(evidence: Evidence, suite: Any, arrival: Record) -> list[Finding]:
    """Whether the order is the one that the manifest in force at the arrival lists."""
    if evidence.manifest is None:
        return [Finding("manifest_missing")]
    manifest = _signed(suite, "manifest", evidence.manifest, evidence.dispatch)
    if manifest is None:
        return [Finding("manifest_signature")]
    said = arrival.fields
    if (manifest["unit"], manifest["version"]) != (evidence.unit.kid, said["manifest"]):
        return [Finding("manifest_differs")]
    if evidence.order is None:
        return [Finding("order_missing")]
    wanted = (objects.ORDER, said["task"], said["order_version"], hashlib.sha256(evidence.order).digest())
    if not any(tuple(entry[:4]) == wanted for entry in manifest["entries"]):
        return [Finding("order_differs")]
    return []


def _check_commands(evidence: Evidence, suite: Any, arrival: Record, story: list[Record]) -> list[Finding]:
    findings, known = [], set()
    for number, data in enumerate(evidence.commands, 1):
        command = _signed(suite, "command", data, evidence.dispatch)
        if command is None:
            findings.append(Finding("command_signature", str(number)))
            continue
        known.add(command["id"])
        for_this = (evidence.unit.kid, arrival.fields["task"], arrival.fields["nonce"])
        if (command["unit"], command["task"], command["nonce"]) != for_this:
            findings.append(Finding("command_differs", command["id"].hex()))
    obeyed = [record.fields["command"] for record in story if record.fields.get("command")]
    return findings + [Finding("command_missing", one.hex()) for one in obeyed if one not in known]


def _check_decisions(evidence: Evidence, suite: Any, arrival: Record | None) -> list[Finding]:
    findings = []
    said: list[entries.Entry] = []
    for leaf in evidence.decisions:
        where = str(leaf.index)
        if not _is_proved(leaf, suite, evidence.journal):
            findings.append(Finding("decision_unproved", where))
        if leaf.entry is None:
            continue
        if merkle.leaf_hash(leaf.entry) != leaf.leaf_hash:
            findings.append(Finding("decision_changed", where))
            continue
        entry = entries.readable(leaf.entry)
        if entry is None:
            findings.append(Finding("decision_unreadable", where))
        else:
            said.append(entry)
    if not any(_registers(entry, evidence.unit) for entry in said):
        findings.append(Finding("unit_unknown"))
    if arrival is not None and not _is_released(said, arrival.fields["task"]):
        findings.append(Finding("not_released"))
    return findings


def _is_proved(leaf: DecisionLeaf, suite: Any, key: Key) -> bool:
    head = _signed(suite, "head", leaf.head, key)
    if head is None or head["size"] != leaf.index + 1:
        return False
    return merkle_proofs.verify_inclusion(leaf.leaf_hash, leaf.index, head["size"], leaf.path, head["root"])


def _registers(entry: entries.Entry, unit: Key) -> bool:
    said = entry.after or {}
    names_unit = (entry.kind, entry.subject) == ("unit_registered", f"unit:{unit.kid.hex()}")
    return names_unit and said.get("signing") == unit.public.hex()


def _is_released(said: list[entries.Entry], task: int) -> bool:
    """Whether somebody asked for the release or a change of the task's run, and somebody else approved."""
    runs = {entry.subject for entry in said if task in _tasks(entry)}
    asked = {
        entry.subject: entry.actor
        for entry in said
        if entry.kind == "approval_requested" and entry.after is not None
        if entry.after.get("kind") in _RELEASES and entry.after.get("subject") in runs
    }
    return any(
        entry.kind == "approval_approved" and entry.actor != asked.get(entry.subject, entry.actor)
        for entry in said
    )


def _tasks(entry: entries.Entry) -> set[int]:
    """The tasks of the stops that a decision about a run names."""
    stops = (entry.after or {}).get("stops")
    if not entry.subject.startswith("run:") or not isinstance(stops, list):
        return set()
    return {stop["task"] for stop in stops if isinstance(stop, dict) and "task" in stop}

"""Checks a journal of decisions with nothing but its rows and the public key: usable far from the server.

Found are changed or swapped contents, contents that are gone although no entry says who deleted them,
dropped, inserted or reordered leaves, and heads that do not fit. A cut-off end shows against any later head
that somebody has kept: pass it as `known_head`.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from doorward_protocol import merkle, objects
from doorward_protocol.errors import ProtocolError
from doorward_protocol.suite import run

from doorward_server.audit import entries


class Leaf(NamedTuple):
    """One row: position, leaf hash, entry (None: content deleted) and the head signed right after it."""

    position: int
    leaf_hash: bytes
    entry: bytes | None
    head: bytes


class Finding(NamedTuple):
    """Something that does not fit: at which position, and what (a stable word)."""

    position: int
    what: str


def check(
    leaves: Iterable[Leaf], suite: Any, kid: bytes, public: bytes, known_head: bytes | None = None
) -> list[Finding]:
    """Check all rows, the first to the last, in order. Returns what is wrong; nothing if all is well."""
    findings = []
    frontier = merkle.Frontier()
    gone: set[int] = set()
    deleted: set[int | None] = set()
    known = _head_fields(known_head, suite, kid, public) if known_head else None
    for position, leaf in enumerate(leaves):
        if leaf.position != position:
            findings.append(Finding(position, "position_missing"))
            break
        if leaf.entry is None:
            gone.add(position)
        elif (entry := entries.readable(leaf.entry)) is not None:
            deleted.add(entries.deleted_by(entry))
        if leaf.entry is not None and merkle.leaf_hash(leaf.entry) != leaf.leaf_hash:
            findings.append(Finding(position, "content_changed"))
        frontier.append(leaf.leaf_hash)
        signed = _head_fields(leaf.head, suite, kid, public)
        if signed is None:
            findings.append(Finding(position, "head_signature"))
        elif (signed["size"], signed["root"]) != (frontier.size, frontier.root()):
            findings.append(Finding(position, "head_differs"))
        if known and known["size"] == frontier.size and known["root"] != frontier.root():
            findings.append(Finding(position, "known_head_differs"))
    findings.extend(Finding(position, "content_missing") for position in sorted(gone - deleted))
    if known_head and known is None:
        findings.append(Finding(frontier.size, "known_head_signature"))
    if known and known["size"] > frontier.size:
        findings.append(Finding(frontier.size, "end_missing"))
    return findings


def _head_fields(head: bytes, suite: Any, kid: bytes, public: bytes) -> dict[str, Any] | None:
    try:
        fields = run(objects.verify(suite, "head", head, {kid: public}))
    except ProtocolError:
        return None
    return fields if fields["unit"] == kid else None

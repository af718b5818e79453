"""Checks a journal of decisions with nothing but its rows and the public key: usable far from the server.

Found are changed or swapped contents, contents that are gone although no entry says who deleted them,
dropped, inserted or reordered leaves, and heads that do not fit. A cut-off end shows against any later head
that somebody has kept: pass it as `known_head`. If a restore has cut it off, the journal says so itself, in
the entry with which its next epoch begins, and the finding says so too: what stood there is lost, not hidden.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from doorward_protocol import merkle, objects
from doorward_protocol.errors import ProtocolError
from doorward_protocol.suite import run

from doorward_server.audit import entries

# What may be wrong, in Chinese and English.
FINDINGS = {
    "position_missing": ("条目缺失或顺序不对", "an entry is missing, or out of its order"),
    "content_changed": ("内容与其哈希不符", "the content is not what its hash says"),
    "content_missing": ("内容缺失，没有删除它的决定", "its content is gone, and no entry deleted it"),
    "columns_differ": ("数据库中的列与签名的条目不符", "a column of the table differs from the signed entry"),
    "head_signature": ("日志头的签名无效", "the signature of the head is wrong"),
    "head_differs": ("日志头与条目不符", "the head does not fit the entries"),
    "epoch_unexplained": ("新的一代没有来由", "an epoch begins without a restore"),
    "known_head_signature": ("先前的日志头签名无效", "the signature of the earlier head is wrong"),
    "known_head_differs": ("与先前的日志不符", "it differs from the earlier journal"),
    "known_head_restored": ("先前的条目因恢复备份而丢失", "earlier entries were lost with a restore"),
    "end_missing": ("先前日志的末尾已不存在", "the end of the earlier journal is missing"),
}


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
    root = frontier.root()
    known_differs: int | None = None
    gone: set[int] = set()
    deleted: set[int | None] = set()
    known = _head_fields(known_head, suite, kid, public) if known_head else None
    epochs = _Epochs()
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
        before, root = root, frontier.root()
        signed = _head_fields(leaf.head, suite, kid, public)
        if signed is None:
            findings.append(Finding(position, "head_signature"))
        elif (signed["size"], signed["root"]) != (frontier.size, root):
            findings.append(Finding(position, "head_differs"))
        elif not epochs.goes_on(signed, leaf.entry, before):
            findings.append(Finding(position, "epoch_unexplained"))
        if known and known["size"] == frontier.size and known["root"] != root:
            known_differs = position
    findings.extend(Finding(position, "content_missing") for position in sorted(gone - deleted))
    if known_head and known is None:
        findings.append(Finding(frontier.size, "known_head_signature"))
    if known and (known_differs is not None or known["size"] > frontier.size):
        restored_at = epochs.left_before(known)
        if restored_at is not None:
            findings.append(Finding(restored_at, "known_head_restored"))
        elif known_differs is not None:
            findings.append(Finding(known_differs, "known_head_differs"))
        else:
            findings.append(Finding(frontier.size, "end_missing"))
    return findings


class _Epochs:
    """The epochs of a journal as its heads name them; `ends`: the last size of each, so far."""

    def __init__(self) -> None:
        self.ends: dict[int, int] = {}
        self._last: tuple[int, bytes | None] | None = None

    def goes_on(self, signed: dict[str, Any], entry: bytes | None, before: bytes) -> bool:
        """Take the next head (`before`: the root before it); False if an epoch begins without a reason."""
        here = signed["epoch"], signed["previous"]
        self.ends[signed["epoch"]] = signed["size"]
        last, self._last = self._last, here
        if last is None or here == last:
            return True
        said = None if entry is None else entries.readable(entry)
        return here[0] > last[0] and here[1] == before and said is not None and said.kind == entries.RESTORED

    def left_before(self, known: dict[str, Any]) -> int | None:
        """The size at which a restore left the epoch of this head before it was signed; None if none did.

        The epoch itself may be lost, if the same backup was restored twice.
        """
        epoch = max((one for one in self.ends if one <= known["epoch"]), default=0)
        end = self.ends.get(epoch, 0)
        return end if epoch < max(self.ends, default=0) and end < known["size"] else None


def _head_fields(head: bytes, suite: Any, kid: bytes, public: bytes) -> dict[str, Any] | None:
    try:
        fields = run(objects.verify(suite, "head", head, {kid: public}))
    except ProtocolError:
        return None
    return fields if fields["unit"] == kid else None

"""Why a unit does not hold what it should (F3). Pure."""

from typing import NamedTuple

from doorward_server.units.models import Unit

RESTORED = "restored"


class Refusal(NamedTuple):
    """A unit refused a manifest, or a content that one lists, for a code of doorward_protocol.errors."""

    what: str
    reason: int


class Difference(NamedTuple):
    """Why desired and actual differ, and what its words need; `why` is "" if they do not.

    Else "no_manifest" (none could be made), "never_seen", "offline" (not heard since `since`), "restored" (it
    holds a manifest that this server has lost, or gets none, until two people go on after the restore of
    `since`), "refused", "old_manifest" (sent, not taken yet), "fetching" (`missing` contents, of which a unit
    names 64 at most) or "unreadable" (all is there).
    """

    why: str
    since: int | None = None
    missing: int = 0
    refusal: Refusal | None = None


def difference(unit: Unit, heard: bool, refusal: Refusal | None, restored: int | None = None) -> Difference:
    """Why a unit does not hold what it should.

    `refusal`: the newest since its newest manifest was made; `restored`: when the server was restored (ms),
    as long as that waits for two people.
    """
    if not unit.manifest_version:
        return Difference("no_manifest" if restored is None else RESTORED, restored)
    if unit.last_seen is None:
        return Difference("never_seen", unit.registered)
    taken = unit.actual_version == unit.manifest_version
    if taken and unit.actual_complete:
        return Difference("")
    if not heard:
        return Difference("offline", unit.last_seen)
    if restored is not None and not taken:
        return Difference(RESTORED, restored)
    missing = len(unit.actual_missing) if taken else 0
    if refusal is not None and (refusal.what == "manifest") != taken:
        return Difference("refused", missing=missing, refusal=refusal)
    if not taken:
        return Difference("old_manifest")
    return Difference("fetching" if missing else "unreadable", missing=missing)

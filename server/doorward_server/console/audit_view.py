"""What the auditors' page shows of the journal of decisions: who changed what, field by field (F8)."""

import json
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from doorward_server.audit import entries
from doorward_server.audit import service as audit
from doorward_server.audit.models import Decision
from doorward_server.audit.verifier import FINDINGS
from doorward_server.console.decision_texts import DECISIONS
from doorward_server.console.moments import day_and_time
from doorward_server.console.texts import LANGUAGES, text
from doorward_server.evidence.verifier import fingerprint
from doorward_server.security.models import User
from doorward_server.services import services_of
from doorward_server.units import authority

PAGE_LENGTH = 50
LONGEST_VALUE = 400  # of one field; the API and the export have all of it
MOST_FINDINGS = 100


def build(session: Session, language: str, kind: str, subject: str, before: int | None) -> dict[str, Any]:
    """A page of the journal, the newest first; `older`: the position that the next one begins before."""
    query = select(Decision)
    if kind:
        query = query.where(Decision.kind == kind)
    if subject:
        query = query.where(Decision.subject == subject)
    if before is not None:
        query = query.where(col(Decision.index) < before)
    found = session.exec(query.order_by(col(Decision.index).desc()).limit(PAGE_LENGTH + 1)).all()
    shown = found[:PAGE_LENGTH]
    return {
        "entries": [_entry(session, one, language) for one in shown],
        "kinds": sorted(((name, said(name, language)) for name in DECISIONS), key=lambda one: one[1]),
        "keys": [
            {"name": text(f"key_{name}", language), "fingerprint": fingerprint(key.public)}
            for name, key in (
                ("journal", audit.journal_key(session)),
                ("dispatch", authority.dispatch_key(services_of(session))),
            )
        ],
        "older": shown[-1].index if len(found) > PAGE_LENGTH else None,
    }


def check(session: Session, language: str) -> dict[str, Any]:
    """Whether every entry and every signed head fits: how many there are, and what does not."""
    last = audit.head(session)
    found = audit.verify(session)
    size = 0 if last is None else last.index + 1
    key = "journal_broken" if found else "journal_whole"
    column = LANGUAGES.index(language)
    return {
        "good": not found,
        "said": text(key, language, size=size, count=len(found)),
        "findings": [f"#{one.position}: {FINDINGS[one.what][column]}" for one in found[:MOST_FINDINGS]],
    }


def said(kind: str, language: str) -> str:
    """What was decided, in words; a kind without words as it is."""
    return DECISIONS[kind][LANGUAGES.index(language)] if kind in DECISIONS else kind


def _entry(session: Session, decision: Decision, language: str) -> dict[str, Any]:
    services = services_of(session)
    now, zone = services.clock.milliseconds(), services.settings.zone
    actor = session.get(User, decision.actor_id) if decision.actor_id is not None else None
    before, after = entries.sides(decision.entry)
    return {
        "index": decision.index,
        "time": _moment(decision.time, now, zone),
        "what": said(decision.kind, language),
        "subject": decision.subject,
        "actor": actor.name if actor else text("the_server", language),
        "deleted": decision.entry is None,
        "fields": [
            {
                "name": name,
                "before": _value((before or {}).get(name)),
                "after": _value((after or {}).get(name)),
                "changed": before is not None,
            }
            for name in {**(before or {}), **(after or {})}
        ],
    }


def _moment(time: int, now: int, zone: ZoneInfo) -> str:
    """When; a number that is no time, as somebody may have left it in the database, as it is."""
    try:
        return day_and_time(time, now, zone)
    except (OverflowError, ValueError, OSError):
        return str(time)


def _value(value: Any) -> str:
    """A field's value in a line; nothing for one that is not there."""
    if value is None:
        return ""
    plain = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return plain if len(plain) <= LONGEST_VALUE else plain[:LONGEST_VALUE] + "…"

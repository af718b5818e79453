"""What the units' pages show: each unit's condition in words, and what it should hold and holds."""

from functools import partial
from typing import Any

from sqlmodel import Session

from doorward_server.console.describe import site_name
from doorward_server.console.moments import day_and_time, window
from doorward_server.console.texts import text
from doorward_server.console.unit_words import UnitWords
from doorward_server.handovers.models import HandoverEvent
from doorward_server.planning.models import Stop
from doorward_server.services import services_of
from doorward_server.units.facts import UnitFacts, facts_of, facts_of_all
from doorward_server.units.holdings import Holding, Version, holdings, manifest_of
from doorward_server.units.models import Unit
from doorward_server.units.recorded import last_start
from doorward_server.units.service import get_unit
from doorward_server.units.thresholds import ATTENTION, BAD, GOOD, STATES

PAGE_LENGTH = 60

_CHIPS = {GOOD: "good", ATTENTION: "wait", BAD: "bad"}
_SHORT = 12  # characters of a hash
# Causes of a reset, as MicroPython's machine.reset_cause() has them on the ESP32.
_CAUSES = {1: "start_power", 2: "start_reset", 3: "start_watchdog", 5: "start_software"}


def build_list(session: Session, language: str, page: int) -> dict[str, Any]:
    """One page of all units, the worst first, and how many are in which state."""
    found = facts_of_all(session)
    shown = found[(page - 1) * PAGE_LENGTH : page * PAGE_LENGTH]
    words = _words(session, language)
    return {
        "units": [_unit(facts, words, language) for facts in shown],
        "counts": [
            {"state": state, "chip": _CHIPS[state], "count": sum(facts.state == state for facts in found)}
            for state in reversed(STATES)
        ],
        "more": len(found) > page * PAGE_LENGTH,
        "stale_in": _stale_in(found),
        "now": _moment(session)(services_of(session).clock.milliseconds()),
    }


def build(session: Session, unit_id: int, language: str) -> dict[str, Any]:
    """One unit with everything that it should hold and holds. Raises 404."""
    unit = get_unit(session, unit_id)
    facts, words = facts_of(session, unit), _words(session, language)
    entries = [manifest_of(session, unit), *holdings(session, unit)]
    return {
        **_unit(facts, words, language),
        "not_held": words.not_held(facts),
        "entries": [_entry(session, one, facts, words, language) for one in entries],
        "about": _about(session, unit, language),
        "stale_in": _stale_in([facts]),
        "now": _moment(session)(services_of(session).clock.milliseconds()),
    }


def _unit(facts: UnitFacts, words: UnitWords, language: str) -> dict[str, Any]:
    return {
        "id": facts.unit.id,
        "kid": facts.unit.kid.hex(),
        "site": site_name(facts.site, language),
        "site_id": facts.unit.site_id,
        "state": facts.state,
        "chip": _CHIPS[facts.state],
        "differs": bool(facts.difference.why),
        "aspects": [
            {
                "name": aspect.name,
                "state": aspect.state,
                "chip": _CHIPS[aspect.state],
                "text": words.aspect(aspect),
            }
            for aspect in facts.aspects
        ],
    }


def _entry(
    session: Session, holding: Holding, facts: UnitFacts, words: UnitWords, language: str
) -> dict[str, Any]:
    return {
        "key": f"{holding.kind}-{holding.id}",
        "kind": holding.kind,
        "id": holding.id,
        "about": _order(session, holding) if holding.kind == "order" else "",
        "desired": _version(holding.desired, language),
        "held": _version(holding.held, language),
        "differs": holding.differs,
        "why": words.why_entry(holding, facts),
    }


def _version(version: Version | None, language: str) -> dict[str, str] | None:
    if version is None:
        return None
    said = text("version_and_hash", language, version=version.version)
    return {"text": said, "hash": version.hash, "short": version.hash[:_SHORT]}


def _order(session: Session, holding: Holding) -> str:
    """The window of an order's stop."""
    stop = session.get(Stop, holding.id)
    if stop is None:
        return ""
    return window(stop.window_from, stop.window_until, services_of(session).settings.zone)


def _about(session: Session, unit: Unit, language: str) -> list[dict[str, str]]:
    """Facts that are neither good nor bad."""
    moment = _moment(session)
    said = {
        "unit_key": unit.kid.hex(),
        "firmware": unit.firmware,
        "last_seen": "" if unit.last_seen is None else moment(unit.last_seen),
        "last_start": _start(last_start(session, unit.id), moment, language),
        "journal": text("journal_size", language, epoch=unit.epoch, size=unit.size),
        "registered": moment(unit.registered),
    }
    return [{"key": key, "value": value or "–"} for key, value in said.items()]


def _start(event: HandoverEvent | None, moment: Any, language: str) -> str:
    if event is None:
        return ""
    cause = event.details["reason"]
    said = text(_CAUSES[cause], language) if cause in _CAUSES else f"#{cause}"
    return f"{moment(event.time)} · {said}"


def _words(session: Session, language: str) -> UnitWords:
    return UnitWords(language, _moment(session))


def _moment(session: Session) -> Any:
    services = services_of(session)
    return partial(day_and_time, now=services.clock.milliseconds(), zone=services.settings.zone)


def _stale_in(found: list[UnitFacts]) -> int | None:
    """In how many ms the page is to be fetched again although nothing has happened; None: never."""
    return min((facts.changes_in for facts in found if facts.changes_in is not None), default=None)

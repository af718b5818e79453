"""The facts about a unit for programs: what the API answers and `doorward units --json` prints.

Reasons have the protocol's names, hashes and keys are hexadecimal, moments are in ms since 1970 UTC.
"""

from typing import Any

from doorward_protocol import errors

from doorward_server.units.facts import UnitFacts
from doorward_server.units.holdings import Holding, Version
from doorward_server.units.thresholds import Aspect, Finding, state_of


def of_unit(facts: UnitFacts) -> dict[str, Any]:
    """One unit. `difference`: see difference.py; `aspects`: see thresholds.py."""
    unit, refusal = facts.unit, facts.difference.refusal
    return {
        "id": unit.id,
        "kid": unit.kid.hex(),
        "site": unit.site_id,
        "state": facts.state,
        "online": unit.online,
        "last_seen": unit.last_seen,
        "clock_offset": unit.clock_offset,
        "clock_sure": unit.clock_sure,
        "firmware": unit.firmware,
        "health": unit.health,
        "manifest_version": unit.manifest_version,
        "actual_version": unit.actual_version,
        "actual_complete": unit.actual_complete,
        "difference": facts.difference.why,
        "refused": None if refusal is None else _reason(refusal.reason),
        "epoch": unit.epoch,
        "size": unit.size,
        "aspects": [_aspect(aspect) for aspect in facts.aspects],
    }


def of_holding(holding: Holding) -> dict[str, Any]:
    """One entry: `version`, `hash` and `size` as it should be (null: revoked), `held` as it is."""
    wanted = dict.fromkeys(Version._fields) if holding.desired is None else holding.desired._asdict()
    return {
        "kind": holding.kind,
        "id": holding.id,
        **wanted,
        "held": None if holding.held is None else holding.held._asdict(),
        "missing": holding.missing,
        "missing_parts": holding.missing_parts,
    }


def _aspect(aspect: Aspect) -> dict[str, Any]:
    return {
        "name": aspect.name,
        "state": aspect.state,
        "findings": [_finding(one) for one in aspect.findings],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    said = dict(finding.about)
    if said.get("reason") is not None:
        said["reason"] = _reason(said["reason"])
    return {"measure": finding.measure, "value": finding.value, "state": state_of(finding), "about": said}


def _reason(code: int) -> str:
    return errors.NAMES.get(code, f"#{code}")

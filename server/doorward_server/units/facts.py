"""The facts about units, for page, API and command: condition, desired against actual, the worst first."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy.orm import aliased
from sqlmodel import Session, select

from doorward_server.backup import restorations
from doorward_server.fleet.models import Site
from doorward_server.services import services_of
from doorward_server.units.condition import NOTHING, Given, Recorded, contents_of, findings_of, is_heard
from doorward_server.units.difference import Difference, difference
from doorward_server.units.models import ManifestVersion, Unit
from doorward_server.units.recorded import recorded, refusals
from doorward_server.units.thresholds import STATES, Aspect, changes_in, judge, worst

_NONE = Given()


class UnitFacts(NamedTuple):
    """A unit, its site, why it does not hold what it should, and its condition, `state` the worst of it.

    `changes_in`: in how many ms time alone makes it worse; None: never.
    """

    unit: Unit
    site: Site | None
    difference: Difference
    aspects: tuple[Aspect, ...]
    state: str
    changes_in: int | None


def facts_of_all(session: Session) -> list[UnitFacts]:
    """All units, the worst first, then by site."""
    return sorted(_facts(session, session.exec(select(Unit)).all()), key=_badness)


def facts_of(session: Session, unit: Unit) -> UnitFacts:
    """One unit."""
    return _facts(session, [unit])[0]


def _facts(session: Session, units: Sequence[Unit]) -> list[UnitFacts]:
    now = services_of(session).clock.milliseconds()
    sites = {site.id: site for site in session.exec(select(Site))}
    given, records = _given(session), recorded(session)
    waiting = restorations.waiting(session)
    restored = None if waiting is None else waiting.restored
    differing = [unit.id for unit in units if is_heard(unit, now) and difference(unit, True, None).why]
    refused = refusals(session, {one: given.get(one, _NONE).issued or now for one in differing})
    return [
        _of_one(
            unit,
            sites.get(unit.site_id),
            difference(unit, is_heard(unit, now), refused.get(unit.id), restored),
            given.get(unit.id, _NONE),
            records.get(unit.id, NOTHING),
            now,
        )
        for unit in units
    ]


def _of_one(
    unit: Unit, site: Site | None, found: Difference, given: Given, records: Recorded, now: int
) -> UnitFacts:
    findings = [*findings_of(unit, records, now), *contents_of(unit, found, given, now)]
    aspects = judge(findings)
    state = worst(aspect.state for aspect in aspects)
    return UnitFacts(unit, site, found, aspects, state, changes_in(findings))


def _given(session: Session) -> dict[int, Given]:
    """Of each unit; without the manifests themselves."""
    newest, held = aliased(ManifestVersion), aliased(ManifestVersion)
    query = (
        select(Unit.id, newest.issued, held.fresh_until)
        .join(newest, _version(newest, Unit.manifest_version), isouter=True)
        .join(held, _version(held, Unit.actual_version), isouter=True)
    )
    return {unit_id: Given(issued, fresh_until) for unit_id, issued, fresh_until in session.exec(query)}


def _version(manifest: Any, version: Any) -> Any:
    return (manifest.unit_id == Unit.id) & (manifest.version == version)


def _badness(facts: UnitFacts) -> tuple[Any, ...]:
    """Sorts: the state, then how much is in it, then the site."""
    how_much = [sum(aspect.state == state for aspect in facts.aspects) for state in reversed(STATES)]
    site = "" if facts.site is None else facts.site.code
    return -STATES.index(facts.state), *(-count for count in how_much[:-1]), site, facts.unit.id

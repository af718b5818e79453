"""Interlock × guard × doors × people: every reachable state, for every site type (D12).

from doorward_simulator.proofs import interlock_proof
result = interlock_proof.prove(fail_secure=(2,), crew=2, officers=1)
assert not result.breaches and not result.unreached
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from doorward_firmware.logic import events, interlock
from doorward_firmware.logic.interlock import Interlock
from doorward_protocol.records import (
    CAUSE_EGRESS,
    CAUSE_EMERGENCY,
    CAUSE_FIRE,
    CAUSE_HANDOVER,
    DOOR_INNER,
    DOOR_OUTER,
)

from . import claims
from . import controller as unit
from .building import Building, Place
from .controller import Controller, Controllers
from .search import Search

# Site types of docs/hardware.md by their fail secure doors, and the two that no site has yet.
SITES = {
    "branch": (),
    "vault": (DOOR_INNER,),
    "outer door fail secure": (DOOR_OUTER,),
    "both doors fail secure": (DOOR_OUTER, DOOR_INNER),
}


@dataclass
class Result:
    """What a search found. breaches: (claim, state or step in words, moves that lead there)."""

    fail_secure: tuple
    crew: int
    officers: int
    states: int = 0
    transitions: int = 0
    depth: int = 0
    unit_states: int = 0
    unit_steps: int = 0
    ways_out: int = 0
    presses: int = 0
    waits: int = 0
    rows: int = 0
    seconds: float = 0.0
    unreached: list[tuple] = field(default_factory=list)
    breaches: list[tuple[str, str, list[str]]] = field(default_factory=list)


def prove(
    fail_secure: tuple = (),
    crew: int = 2,
    officers: int = 1,
    progress: Callable[[int], object] = str,
) -> Result:
    """Search everything that so many people can bring about at a site with these fail secure doors."""
    began = time.process_time()
    steps = claims.Steps()
    controllers = Controllers(steps)
    building = Building(controllers, fail_secure)
    number = controllers.number(Controller(Interlock()))  # its configuration has not come yet
    begin = Place(number, crew=(crew, 0, 0), officers=(0, 0, officers))
    search = Search([begin], building.moves)
    search.run(progress)
    ways = claims.Ways(controllers, fail_secure)
    result = Result(fail_secure, crew, officers)
    _judge(search, building, controllers, ways, steps, result)
    result.states, result.transitions, result.depth = len(search.parents), search.transitions, search.depth
    result.unit_states, result.unit_steps = len(controllers.known), controllers.steps
    result.ways_out, (result.presses, result.waits) = ways.judged(), ways.worst
    result.rows, result.unreached = len(steps.rows), sorted(declared(fail_secure) - steps.rows, key=str)
    result.seconds = time.process_time() - began
    return result


def _judge(search, building, controllers, ways, steps, result):
    first = {}  # claim: one state that breaks it, the nearest
    for place in search.parents:
        broken = claims.place_breach(place, building, controllers)
        if broken is None and not ways.lead_out(place):
            broken = claims.TRAPPED
        if broken is None and not ways.lead_out_without_unit(place):
            broken = claims.TRAPPED_WITHOUT_UNIT
        if broken is not None:
            first.setdefault(broken, place)
    for claim, place in first.items():
        result.breaches.append((claim, _in_words(place, controllers), list(map(str, search.way_to(place)))))
    for claim, step in steps.breaches:
        if claim not in [known[0] for known in result.breaches]:
            before = controllers.number(step.before)
            place = next((one for one in search.parents if one.unit == before), None)
            way = list(map(str, search.way_to(place))) if place else ["(on the way of somebody who gets out)"]
            result.breaches.append((claim, f"{step.event}: {step.before} -> {step.after}", way))


def _in_words(place, controllers):
    return f"{place} with {controllers.known[place.unit]}"


# Stages that a route never reports, and why.
NEVER = {
    (interlock.ENTRY_REST, interlock.NEXT_DOOR): "it has one door",
    (interlock.EXIT_REST, interlock.NEXT_DOOR): "it has one door",
    (interlock.EGRESS, interlock.BEGUN): "no handover asked for it",
}


def declared(fail_secure: tuple) -> set[tuple]:
    """Every row of the interlock's tables that must occur, as `claims.Steps` notes it."""
    rows: set[tuple] = {
        ("event", event) for event in (*interlock.ACCEPTS, unit.BREAK_OFF) if event != events.RESET
    }
    if not fail_secure:
        rows.remove(("event", events.CONFIGURED))  # it says what the unit assumes without one
    for route, (doors, _) in interlock.ROUTES.items():
        rows.update(("route", route, step, opened) for step in range(len(doors)) for opened in (False, True))
        rows.update(("stage", route, stage) for stage in interlock.STAGES if (route, stage) not in NEVER)
    rows.update(("released", cause) for cause in (CAUSE_HANDOVER, CAUSE_EGRESS, CAUSE_FIRE, CAUSE_EMERGENCY))
    return rows

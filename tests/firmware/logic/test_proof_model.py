"""The proof's model of the handover allows whatever the true one does: no day leaves the states searched."""

import logic_checks
from doorward_firmware.logic import flows
from doorward_simulator.proofs import controller, interlock_proof
from doorward_simulator.proofs.building import Building, Place
from doorward_simulator.proofs.search import Search
from edges import Edges


def searched():
    """All states of the unit's part that one person can bring about at a branch."""
    controllers = controller.Controllers(lambda _step: None)
    number = controllers.number(controller.Controller(interlock_proof.Interlock()))
    Search([Place(number, officers=(0, 0, 1))], Building(controllers, ()).moves).run()
    return set(controllers.known)


def as_searched(edges):
    """What the proof calls the state that a unit is in."""
    doors, work = edges.state.doors, edges.handover
    running = {name: controller.LATER for name in controller.TIMERS if getattr(doors, name) is not None}
    permitted = work.state in (flows.ENTRY, flows.LEAVE) and work.permit is not None
    phase = work.state if permitted else flows.IDLE
    return controller.Controller(doors.but(**running), phase, tuple(sorted(edges.relays)), gone=work.gone)


def test_no_long_day_leaves_the_states_searched(monkeypatch):
    known, seen, true = searched(), set(), Edges.handle
    depth = 0

    def handle(edges, *event):
        nonlocal depth
        depth += 1
        effects = true(edges, *event)
        depth -= 1
        if not depth:  # what an event causes in turn belongs to it
            seen.add(as_searched(edges))
        return effects

    monkeypatch.setattr(Edges, "handle", handle)
    for seed in range(6):
        logic_checks.trace(seed)
    assert seen - known == set()
    assert len(seen) > 50

"""What people and things do in a scenario: the functions behind `do: NAME`.

Each takes the stage and the step's arguments, and returns nothing, or a text when it could not be done.
People are named by staff number, vans by plate, boxes by number, sites by code, users by login: as the bank
does.
"""

from .devices.tags import Tag
from .party import Party
from .scenario_loader import ScenarioError, StepTable, duration
from .stage import Stage

DO = StepTable("do")
REASONS = ("picture_mismatch", "head_count_mismatch")


@DO
def van_arrives(stage: Stage, vehicle: str, unit: str | None = None, tag: str = "true") -> None:
    """A van stops at the gate. `tag: copied` is a second van with a copy of the first one's EPC."""
    chosen = {"true": stage.vehicle_tag, "copied": stage.bank.fake_van}.get(tag)
    if chosen is None:
        raise ScenarioError(f"tag {tag!r}: a van's tag is true or copied")
    stage.vehicle_tag(vehicle)  # its name must be known
    stage.site(unit).van_arrives(vehicle, chosen(vehicle))


@DO
def stranger_arrives(stage: Stage, epc: str, tid: str, unit: str | None = None) -> None:
    """A vehicle whose tag (EPC and TID in hexadecimal) no bank knows."""
    stage.site(unit).van_arrives(epc, Tag(bytes.fromhex(epc), bytes.fromhex(tid)))


@DO
def van_leaves(stage: Stage, vehicle: str, unit: str | None = None) -> None:
    stage.site(unit).van_leaves(vehicle)


@DO
def touch(
    stage: Stage, person: str, panel: str, finger: int = 2, kind: str = "normal", unit: str | None = None
) -> None:
    """Lay a finger (1..10, as ISO/IEC 19794) on a panel. `kind`: normal, dry, wet, spoof."""
    stage.site(unit).touch(stage.person(person), panel, finger, kind)


@DO
def identify(stage: Stage, people: list, panel: str = "outer", unit: str | None = None) -> None:
    """One after the other lays their right index finger on a panel."""
    for person in people:
        stage.site(unit).touch(stage.person(person), panel, 2)


@DO
def walk_in(stage: Stage, unit: str | None = None) -> str:
    """The crew goes through the interlock: outer door, and when it is closed, inner door."""
    return stage.site(unit).walk(("outer", "inner"))


@DO
def walk_out(stage: Stage, unit: str | None = None) -> str:
    """The other way round."""
    return stage.site(unit).walk(("inner", "outer"))


@DO
def stand(stage: Stage, people: list, unit: str | None = None) -> None:
    """Exactly these people stand before the outer panel's camera."""
    stage.site(unit).stand([stage.person(name) for name in people])


@DO
def push(stage: Stage, door: str, unit: str | None = None) -> str | None:
    """Push a leaf that has been released and go through."""
    return None if stage.site(unit).push(door) else f"the {door} door does not give way"


@DO
def push_in_vain(stage: Stage, door: str, unit: str | None = None) -> str | None:
    """Push a leaf that must not give way."""
    return f"the {door} door gave way" if stage.site(unit).push(door) else None


@DO
def put_boxes(stage: Stage, boxes: list, unit: str | None = None) -> None:
    """Put boxes into the handover area."""
    stage.site(unit).put_boxes(stage.box_tags(boxes))


@DO
def take_boxes(stage: Stage, boxes: list | None = None, unit: str | None = None) -> None:
    """Take boxes away, by default all."""
    stage.site(unit).take_boxes(boxes)


@DO
def press(stage: Stage, button: str, hold: str = "180ms", times: int = 1, unit: str | None = None) -> None:
    """Press a button or break a loop: APPROVE, REFUSE, EGRESS, FIRE, TAMPER."""
    if button not in stage.unit(unit).parts.buttons:
        raise ScenarioError(f"there is no button {button!r}: use {', '.join(stage.unit(unit).parts.buttons)}")
    for again in range(times):
        if again:
            stage.world.run_for(2 * duration(hold))
        stage.site(unit).press(button, duration(hold))


@DO
def show_card(stage: Stage, person: str, unit: str | None = None) -> None:
    """Hold somebody's staff card to the inner panel."""
    stage.site(unit).show_card(stage.person(person).card)


@DO
def unplug(stage: Stage, unit: str | None = None) -> None:
    """Pull the unit's network cable."""
    stage.disturbed.add(stage.unit(unit).name)
    stage.unit(unit).cable.plug(False)


@DO
def plug(stage: Stage, unit: str | None = None) -> None:
    stage.unit(unit).cable.plug(True)


@DO
def power_off(stage: Stage, unit: str | None = None) -> None:
    """The unit's supply fails."""
    stage.disturbed.add(stage.unit(unit).name)
    stage.unit(unit).power_off()


@DO
def power_on(stage: Stage, unit: str | None = None) -> None:
    stage.unit(unit).power_on()


@DO
def decide(
    stage: Stage,
    by: str,
    approve: bool,
    heads: int | None = None,
    reason: str | None = None,
    patience: str = "0s",
    unit: str | None = None,
) -> str | None:
    """The officer compares the pictures at the host screen and decides, as a logged-in user.

    Somebody else at that screen may decide first, for as long as `patience`.
    """
    if reason is not None and reason not in REASONS:
        raise ScenarioError(f"reason {reason!r}: use one of {', '.join(REASONS)}")
    if stage.world.run_until(lambda: stage.came(unit, "approval"), duration(patience)):
        return None
    waiting = [handover for handover in stage.handovers(unit) if handover["state"] == "crew"]
    if not waiting:
        return "no crew waits for a decision, says the server"
    handover = waiting[-1]
    stage.desk(by).post(
        f"/api/handovers/{handover['id']}/decide",
        {
            "approve": approve,
            "head_count": heads,
            "reason": reason,
            "picture": handover["crew_picture"] or "",
        },
    )
    return None


@DO
def hand_over(
    stage: Stage,
    vehicle: str,
    crew: list,
    officer: str,
    login: str,
    boxes: list,
    stranger: str | None = None,
    unit: str | None = None,
    within: str = "30min",
) -> str:
    """A van comes, and its people do what the screens say until it has left; a stranger may touch first."""
    van_arrives(stage, vehicle, unit)
    party = Party(
        stage,
        unit,
        vehicle,
        [stage.person(name) for name in crew],
        stage.person(officer),
        stage.desk(login),
        stage.box_tags(boxes),
        None if stranger is None else stage.person(stranger),
    )
    return party.carry_out(duration(within))


@DO
def restart_task(stage: Stage, by: str, why: str, unit: str | None = None) -> str | None:
    """The centre lets a frozen task begin again."""
    frozen = [handover for handover in stage.handovers(unit) if handover["state"] == "frozen"]
    if not frozen:
        return "no handover is frozen, says the server"
    stage.desk(by).post(f"/api/handovers/{frozen[-1]['id']}/restart", {"why": why})
    return None


@DO
def change_crew(
    stage: Stage, run: int, door: list, by: str, approved_by: str, drive: list | None = None
) -> None:
    """Two dispatchers give a released run (1 for the plan's first) another crew."""
    crew = [[name, "door"] for name in door] + [[name, "vehicle"] for name in drive or []]
    members = [{"person_id": stage.preparation.people[name], "duty": duty} for name, duty in crew]
    run_id = stage.preparation.runs[run - 1]
    asked = stage.desk(by).post(f"/api/runs/{run_id}/change-request", {"crew": members})
    stage.approve(approved_by, asked["approval_id"])


@DO
def release_lockout(stage: Stage, panel: str, by: str, approved_by: str, unit: str | None = None) -> None:
    """Two people of the centre release a locked panel (F7)."""
    row = stage.unit_row(unit)
    number = {"outer": 1, "inner": 2}[panel]
    asked = stage.desk(by).post(f"/api/units/{row['id']}/lockout_release", {"panel": number})
    stage.approve(approved_by, asked["approval"])

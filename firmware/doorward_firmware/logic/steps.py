"""What an accepted event means in each state of a task, up to the open inner door and after the boxes.

Each function takes (handover, event, now, settings) and returns (outcome, handover, effects); outcome None
means that the state goes on. The flow decides where an outcome leads. `box_steps` has the reading of boxes.
"""

from doorward_protocol.errors import (
    CAMERA_FAILED,
    HEAD_COUNT_MISMATCH,
    MALFORMED,
    PICTURE_MISMATCH,
    TIMED_OUT,
)
from doorward_protocol.objects import APPROVE
from doorward_protocol.records import PANEL_INNER, PANEL_OUTER, WHERE_HOST, WHERE_PANEL

from doorward_firmware.logic import authentication, events, interlock, prompts
from doorward_firmware.logic.flows import FAILURE, SUCCESS, TIMEOUT
from doorward_firmware.logic.value import sequence


def record(handover, kind_name, **fields):
    """A RECORD effect about the task in hand."""
    fields["task"] = handover.task.id
    fields["nonce"] = handover.task.nonce
    return (events.RECORD, kind_name, fields)


def refused_command(fields, reason):
    """The record of a command that was not obeyed."""
    detail = {"what": "command", "reference": fields["id"], "reason": reason, "detail": ""}
    return (events.RECORD, "refusal", detail)


def finger(handover, event):
    """The record of an accepted finger."""
    _, panel, _, person, number, duress, score, sensor, picture, _ = event
    return record(
        handover,
        "finger",
        panel=panel,
        person=person,
        finger=number,
        duress=duress,
        score=score,
        sensor=sensor,
        picture=picture,
    )


def prepare_loaded(handover, event, _now, _settings):
    """Both sensors are ready, for this attempt."""
    return (SUCCESS if event[1] == handover.task.nonce else None), handover, ()


def crew_match(handover, event, now, settings):
    """An escort was recognised. Without a picture nobody can compare, so it does not count yet."""
    person, picture = event[3], event[8]
    effects = (finger(handover, event),)
    if picture is None:
        return None, handover, effects + prompts.at(PANEL_OUTER, "look_at_camera")
    identified = sequence(*handover.identified, person)
    handover = handover.but(identified=identified, deadline=now + settings["CREW_TIMEOUT_MS"])
    effects += prompts.both("finger_accepted", (events.PERSON, person))
    outcome = SUCCESS if authentication.complete(handover.task, handover.identified) else None
    return outcome, handover, effects


def picture_taken(handover, event, _now, _settings):
    """The picture by which the approver counts heads."""
    _, nonce, picture = event
    if nonce != handover.task.nonce:
        return None, handover, ()
    if picture is None:
        return FAILURE, handover.but(reason=CAMERA_FAILED), ()
    crew = record(handover, "crew", people=list(handover.identified), picture=picture)
    return SUCCESS, handover.but(picture=picture), (crew,)


def approval_match(handover, event, now, settings):
    """The officer stands at the inner panel and may now press a button."""
    person = event[3]
    until = now + settings["OFFICER_CONFIRM_MS"]
    subject = (events.PERSON, person)
    effects = (finger(handover, event), prompts.say("officer_verified", subject))
    return None, handover.but(officer=person, officer_until=until), effects


def approval_button(handover, event, now, _settings):
    """APPROVE confirms the head count that the screen shows; either button needs the officer's finger."""
    if handover.officer is None or now >= handover.officer_until:
        return None, handover.but(officer=None), prompts.at(PANEL_INNER, "officer_finger")
    reason = None if event[1] == APPROVE else PICTURE_MISMATCH
    heads = len(handover.task.door)
    return _decide(handover, reason, [handover.officer], WHERE_PANEL, heads, None)


def approval_command(handover, event, _now, _settings):
    """A decision from the host screen: about this picture, and by the task's officers."""
    fields = event[1]
    heads, approve = fields["head_count"], fields["verb"] == APPROVE
    against = authentication.host_decision(handover.task, fields["decided_by"], fields["issued"])
    if approve and not against:
        if heads is None:
            against = MALFORMED
        elif fields["picture"] != handover.picture:
            against = PICTURE_MISMATCH
    if against:
        return None, handover, (refused_command(fields, against),)
    reason = None if approve else PICTURE_MISMATCH
    if heads is not None and heads != len(handover.task.door):
        reason = HEAD_COUNT_MISMATCH
    return _decide(handover, reason, fields["decided_by"], WHERE_HOST, heads, fields["id"])


def _decide(handover, reason, by, where, head_count, command):
    decision = record(
        handover,
        "approval",
        approved=reason is None,
        by=by,
        where=where,
        head_count=head_count,
        picture=handover.picture,
        command=command,
        reason=reason,
    )
    if reason is not None:
        return FAILURE, handover.but(reason=reason), sequence(decision, *prompts.both("refused"))
    return SUCCESS, handover.but(permit=None), (decision,)


def entry_recorded(handover, event, _now, _settings):
    """The approval is durable: now, and not before, the interlock is asked."""
    if event[1] != "approval" or handover.permit is not None:
        return None, handover, ()
    route = interlock.ENTRY_REST if handover.stranded else interlock.ENTRY
    return None, handover.but(permit=event[2]), ((events.LET_THROUGH, route),)


ENTRY_PROMPTS = {
    (interlock.ENTRY, interlock.BEGUN): "approved_enter",
    (interlock.ENTRY, interlock.IN_CHAMBER): "close_outer_door",
    (interlock.ENTRY, interlock.NEXT_DOOR): "enter_inner",
    (interlock.ENTRY_REST, interlock.BEGUN): "enter_inner",
}


def entry_passage(handover, event, _now, _settings):
    """The crew on its way through the interlock."""
    _, route, stage = event
    if route not in (interlock.ENTRY, interlock.ENTRY_REST):
        return None, handover, ()
    if stage == interlock.THROUGH:
        return SUCCESS, handover, ()
    if stage == interlock.STRANDED or (stage == interlock.NOT_BEGUN and handover.stranded):
        return FAILURE, handover.but(stranded=True), ()
    if stage == interlock.NOT_BEGUN:
        return TIMEOUT, handover, ()
    name = ENTRY_PROMPTS.get((route, stage))
    return None, handover, prompts.both(name) if name else ()


def chamber_button(handover, event, _now, _settings):
    """The approval stands; the officer lets the crew go on, or not."""
    if event[1] == APPROVE:
        return SUCCESS, handover, ()
    return FAILURE, handover.but(reason=PICTURE_MISMATCH), ()


def chamber_passage(handover, event, _now, _settings):
    """The crew went out again by the egress button: it has to begin afresh."""
    if event[1:] != (interlock.EGRESS, interlock.THROUGH):
        return None, handover, ()
    return TIMEOUT, handover.but(reason=TIMED_OUT), ()


def close_match(handover, event, _now, _settings):
    """One finger for the bank and one for the company, in any order."""
    person = event[3]
    effects = (finger(handover, event),)
    subject = (events.PERSON, person)
    if person in handover.task.officers:
        handover = handover.but(signed_officer=person)
        effects += (prompts.say("officer_verified", subject),)
        wanted = "crew_finger"
    else:
        handover = handover.but(signed_crew=person)
        effects += (prompts.say("finger_accepted", subject),)
        wanted = "officer_finger"
    if handover.signed_officer is None or handover.signed_crew is None:
        return None, handover, effects + prompts.at(PANEL_INNER, wanted)
    closed = record(
        handover,
        "closed",
        officer=handover.signed_officer,
        crew=handover.signed_crew,
        boxes=len(handover.task.boxes),
        order_version=handover.task.version,
    )
    return SUCCESS, handover, sequence(*effects, closed)


def leave_button(handover, event, _now, _settings):
    """The officer lets the crew out."""
    if event[1] != APPROVE or handover.permit is None or handover.passing:
        return None, handover, ()
    route = interlock.EXIT_REST if handover.stranded else interlock.EXIT
    return None, handover, ((events.LET_THROUGH, route),)


def leave_passage(handover, event, _now, _settings):
    """Remember who is on the way out, and who stopped in the chamber."""
    _, route, stage = event
    if stage == interlock.THROUGH:
        handover = handover.but(stranded=False)
    if route not in (interlock.EXIT, interlock.EXIT_REST):
        return None, handover, ()
    if stage == interlock.BEGUN:
        return None, handover.but(passing=True), ()
    if stage not in interlock.ENDS:
        return None, handover, ()
    handover = handover.but(passing=False, stranded=handover.stranded or stage == interlock.STRANDED)
    return _left(handover) if handover.gone else (None, handover, ())


def leave_gone(handover, event, _now, _settings):
    """The vehicle's tag is out of reach: it has left. Whoever is still on the way out gets there first."""
    if event[1] != handover.task.epc:
        return None, handover, ()
    if handover.passing:
        return None, handover.but(gone=True), ()
    return _left(handover)


def _left(handover):
    return SUCCESS, handover, (record(handover, "left"), prompts.say("goodbye"))

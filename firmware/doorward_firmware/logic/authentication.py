"""Who may do what with a finger: a set match of people, bound to roles and to their permits.

The sensor answers whose finger it is. Here is decided what that is worth in this task and in this step: the
planned crew and nobody else (D1), one role per person (D2), permits to the minute (D10). Each function
returns 0 or the reason of the refusal.
"""

from doorward_protocol.errors import (
    ALREADY_IDENTIFIED,
    MALFORMED,
    NO_MATCH,
    NOT_YET_VALID,
    ONE_PERSON_TWO_ROLES,
    PERMIT_EXPIRED,
    WRONG_PANEL,
    WRONG_ROLE,
)
from doorward_protocol.objects import DRIVER, ESCORT, KEEPER, OFFICER
from doorward_protocol.records import PANEL_INNER, PANEL_OUTER

BANK_ROLES = (OFFICER, KEEPER)
CREW_ROLES = (ESCORT, DRIVER)


def permit(member, wall):
    """Judge a person's validity at wall time; from the first millisecond to before the last."""
    if wall < member.valid_from:
        return NOT_YET_VALID
    return PERMIT_EXPIRED if wall >= member.valid_until else 0


def crew_finger(task, person, identified, panel, wall):
    """Judge a finger that is to identify a crew member at the door."""
    member = task.member(person)
    if member is None:
        return NO_MATCH
    if panel != PANEL_OUTER:
        return WRONG_PANEL
    if person not in task.door or member.role not in CREW_ROLES:
        return WRONG_ROLE
    if person in task.officers:
        return ONE_PERSON_TWO_ROLES
    if person in identified:
        return ALREADY_IDENTIFIED
    return permit(member, wall)


def officer_finger(task, person, identified, panel, wall):
    """Judge a finger that is to confirm for the bank: never at the outer panel, never an escort's."""
    member = task.member(person)
    if member is None:
        return NO_MATCH
    if panel != PANEL_INNER:
        return WRONG_PANEL
    if person in identified:
        return ONE_PERSON_TWO_ROLES if person in task.officers else WRONG_ROLE
    if person not in task.officers or member.role not in BANK_ROLES:
        return WRONG_ROLE
    return permit(member, wall)


def host_decision(task, by, wall):
    """Judge who decided at the host screen (ids) at wall time: officers of the task, all of them."""
    if not by:
        return MALFORMED
    for person in by:
        member = task.member(person)
        if person in task.door:
            return ONE_PERSON_TWO_ROLES
        if member is None or person not in task.officers:
            return WRONG_ROLE
        reason = permit(member, wall)
        if reason:
            return reason
    return 0


def closing_finger(task, person, identified, panel, wall, officer, crew):
    """Judge a finger that is to close the handover. officer, crew: who has already closed it, or None.

    For the bank one of the order's officers signs, for the company one of the crew that was let in.
    """
    member = task.member(person)
    if member is None:
        return NO_MATCH
    if panel != PANEL_INNER:
        return WRONG_PANEL
    if person in task.officers and person in task.door:
        return ONE_PERSON_TWO_ROLES
    if person in task.officers:
        taken, fits = officer, member.role in BANK_ROLES
    else:
        taken, fits = crew, person in identified and member.role in CREW_ROLES
    if not fits:
        return WRONG_ROLE
    return ALREADY_IDENTIFIED if taken is not None else permit(member, wall)


def complete(task, identified):
    """True if everybody planned at the door has been identified, and nobody else (D1)."""
    if not task.door or len(identified) != len(task.door):
        return False
    return all(person in identified for person in task.door)

"""The only way to the relays: one small function, and it says no unless everything agrees.

The interlock has already decided which door it wants to release. The guard trusts neither it nor the
handover alone: it asks for each cause what must be true, and looks at the relays as they really are. Whoever
drives the relays calls `may_release` right before doing so and at no other place.
"""

from doorward_protocol.records import CAUSE_EGRESS, CAUSE_EMERGENCY, CAUSE_FIRE, CAUSE_HANDOVER

from doorward_firmware.logic import flows, interlock

# route: the state in which the handover must be for it
ROUTE_STATES = {
    interlock.ENTRY: flows.ENTRY,
    interlock.ENTRY_REST: flows.ENTRY,
    interlock.EXIT: flows.LEAVE,
    interlock.EXIT_REST: flows.LEAVE,
}


def may_release(door, cause, doors, handover, energised):
    """Return True if the relay of door may be energised now for this cause.

    doors: state of the interlock; handover: state of the handover; energised: doors whose relays are on.
    """
    if door not in interlock.released(doors):
        return False
    if cause == CAUSE_FIRE:
        return doors.fire and door not in doors.fail_secure
    if cause == CAUSE_EMERGENCY:
        return doors.emergency
    if cause == CAUSE_EGRESS and doors.fire:
        return doors.fire_exit
    for other in energised:
        if other != door:
            return False
    if cause == CAUSE_EGRESS:
        return doors.route == interlock.EGRESS
    if cause != CAUSE_HANDOVER:
        return False
    if doors.outer_open or doors.inner_open:
        return False
    if handover.state != ROUTE_STATES.get(doors.route):
        return False
    return handover.permit is not None

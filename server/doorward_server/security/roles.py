"""Who may do what: one table from permission to roles. Routes name a permission, never a role."""

from enum import StrEnum


class Role(StrEnum):
    """What a login is for."""

    DISPATCHER = "dispatcher"
    DUTY = "duty"
    AUDITOR = "auditor"
    OFFICER = "officer"
    KEEPER = "keeper"
    ADMINISTRATOR = "administrator"


class Permission(StrEnum):
    """Something a route lets people do."""

    # The centre's view over all sites: wall, handovers, alarms, reports.
    SEE_CENTRE = "see_centre"
    # One site's view; officers and keepers are bound to their own site.
    SEE_SITE = "see_site"
    SEE_PLAN = "see_plan"
    SEE_PEOPLE = "see_people"
    SEE_FLEET = "see_fleet"
    SEE_UNITS = "see_units"
    SEE_APPROVALS = "see_approvals"
    # Requests of one's own site for a visit.
    REQUEST_TASK = "request_task"
    PLAN = "plan"
    RELEASE = "release"
    DECIDE_HANDOVER = "decide_handover"
    ACKNOWLEDGE_CHANGE = "acknowledge_change"
    HANDLE_ALARMS = "handle_alarms"
    REQUEST_LOCKOUT_RELEASE = "request_lockout_release"
    APPROVE_LOCKOUT_RELEASE = "approve_lockout_release"
    IMPORT = "import"
    APPROVE_IMPORT = "approve_import"
    MANAGE_UNITS = "manage_units"
    MANAGE_USERS = "manage_users"
    APPROVE_USERS = "approve_users"
    AUDIT = "audit"
    # Everybody who is logged in.
    SELF = "self"


_DISPATCHER, _DUTY, _AUDITOR = Role.DISPATCHER, Role.DUTY, Role.AUDITOR
_OFFICER, _KEEPER, _ADMINISTRATOR = Role.OFFICER, Role.KEEPER, Role.ADMINISTRATOR

ROLES: dict[Permission, frozenset[Role]] = {
    Permission.SEE_CENTRE: frozenset((_DISPATCHER, _DUTY, _AUDITOR)),
    Permission.SEE_SITE: frozenset((_DISPATCHER, _DUTY, _AUDITOR, _OFFICER, _KEEPER)),
    Permission.SEE_PLAN: frozenset((_DISPATCHER, _DUTY, _AUDITOR)),
    Permission.SEE_PEOPLE: frozenset((_DISPATCHER, _DUTY, _AUDITOR, _ADMINISTRATOR)),
    Permission.SEE_FLEET: frozenset((_DISPATCHER, _DUTY, _AUDITOR, _ADMINISTRATOR)),
    Permission.SEE_UNITS: frozenset((_DISPATCHER, _DUTY, _AUDITOR, _ADMINISTRATOR)),
    Permission.SEE_APPROVALS: frozenset((_DISPATCHER, _DUTY, _AUDITOR, _ADMINISTRATOR)),
    Permission.REQUEST_TASK: frozenset((_OFFICER, _KEEPER)),
    Permission.PLAN: frozenset((_DISPATCHER,)),
    Permission.RELEASE: frozenset((_DISPATCHER,)),
    Permission.DECIDE_HANDOVER: frozenset((_OFFICER, _KEEPER)),
    Permission.ACKNOWLEDGE_CHANGE: frozenset((_OFFICER, _KEEPER)),
    Permission.HANDLE_ALARMS: frozenset((_DISPATCHER, _DUTY)),
    Permission.REQUEST_LOCKOUT_RELEASE: frozenset((_DUTY, _OFFICER, _KEEPER)),
    Permission.APPROVE_LOCKOUT_RELEASE: frozenset((_DISPATCHER, _DUTY)),
    Permission.IMPORT: frozenset((_DISPATCHER, _ADMINISTRATOR)),
    Permission.APPROVE_IMPORT: frozenset((_DISPATCHER, _DUTY, _ADMINISTRATOR)),
    Permission.MANAGE_UNITS: frozenset((_ADMINISTRATOR,)),
    Permission.MANAGE_USERS: frozenset((_ADMINISTRATOR,)),
    Permission.APPROVE_USERS: frozenset((_DUTY, _ADMINISTRATOR)),
    Permission.AUDIT: frozenset((_AUDITOR,)),
    Permission.SELF: frozenset(Role),
}

SITE_ROLES = frozenset((Role.OFFICER, Role.KEEPER))


def allows(role: str, permission: Permission) -> bool:
    """Whether a role has a permission. Unknown roles have none."""
    return role in ROLES[permission]

"""What has to be right in a restored database before its server meets units and people again.

All in one transaction: the journal of decisions says that a restore took place and begins an epoch; numbers
go on above the lost ones; whoever was removed since the backup is removed again; requests that waited for a
second person are void, because they may have been decided since; every login ends. The alarm that stands at
the centre until two people have looked at the plan (`confirm.py`) is raised when the server starts: it knows
whom to tell.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

from sqlmodel import Session, col, delete, update

from doorward_server.audit import service as audit
from doorward_server.backup import numbers, restorations
from doorward_server.backup.archive import Manifest
from doorward_server.backup.removed import Removal
from doorward_server.people import service as people
from doorward_server.people.models import Person
from doorward_server.security import four_eyes, users
from doorward_server.security.models import Approval, LoginSession, User
from doorward_server.services import services_of

_JUST_BEFORE = timedelta(milliseconds=1)


class Settled(NamedTuple):
    """How many were removed again, and how many requests became void."""

    people: int
    users: int
    requests: int


def settle(
    session: Session, manifest: Manifest, removals: Iterable[Removal], present: dict[str, int]
) -> Settled:
    """Make a restored database ready. `present`: the last numbers of the data that it replaces."""
    services = services_of(session)
    now = services.clock.milliseconds()
    given = numbers.after_restore(session, present)
    after = {"made": manifest.made, "decisions": manifest.decisions, "numbers": given}
    # By the clock: the same backup may be restored twice, and each time the journal goes on differently.
    epoch = max(audit.epoch(session) + 1, now)
    audit.record(session, None, restorations.RESTORED, restorations.SUBJECT, None, after, new_epoch=epoch)
    restorations.forget(services.parts)
    since = sorted({one.subject for one in removals if one.time >= manifest.made})
    gone_people = sum(_remove_again(session, subject, "person") for subject in since)
    gone_users = sum(_remove_again(session, subject, "user") for subject in since)
    void = four_eyes.open_approvals(session)
    open_now = update(Approval).where(col(Approval.state) == four_eyes.REQUESTED)
    session.exec(open_now.values(expires_at=services.clock.now() - _JUST_BEFORE))
    session.expire_all()
    four_eyes.drop_expired(session)
    session.exec(delete(LoginSession))
    return Settled(gone_people, gone_users, len(void))


def _remove_again(session: Session, subject: str, kind: str) -> bool:
    what, _, number = subject.partition(":")
    if what != kind or not number.isdecimal():
        return False
    if kind == "person":
        person = session.get(Person, int(number))
        if person is not None and person.removed_at is None:
            people.remove_person(session, None, person)
            return True
    else:
        user = session.get(User, int(number))
        if user is not None and user.removed_at is None:
            users.remove_user(session, None, user)
            return True
    return False

"""Takes somebody out of service: at once, everywhere, by one person alone, for it only shuts doors."""

from sqlmodel import Session

from doorward_server.people.models import Person
from doorward_server.people.service import get_person, remove_person
from doorward_server.planning import progress
from doorward_server.problems import not_found
from doorward_server.security.models import User


def take_out(session: Session, user: User, person_id: int) -> Person:
    """Remove somebody, and let the units that know them have what is right now. Raises 404 for nobody."""
    person = get_person(session, person_id)
    if person.removed_at is not None:
        raise not_found("人员", "person")
    remove_person(session, user, person)
    progress.tell_units(session, progress.sites_of_person(session, person))
    return person

"""What the users' page shows: everybody who may log in, by role, and whom they may be."""

from typing import Any

from sqlmodel import Session, col, select

from doorward_server.console.describe import Describer, site_name
from doorward_server.console.texts import text
from doorward_server.fleet.models import Site
from doorward_server.people.models import Person, PersonRole
from doorward_server.security import users
from doorward_server.security.models import User
from doorward_server.security.roles import Role

_AT_SITES = (PersonRole.OFFICER, PersonRole.KEEPER)


def listed(session: Session, user: User) -> dict[str, Any]:
    """The users by role, and the sites and people that a new one may belong to."""
    language = user.language
    describer = Describer(session, language)
    places = {site.id: site for site in session.exec(select(Site).order_by(col(Site.code)))}
    rows = [_row(one, user, places, describer, language) for one in users.list_users(session)]
    name = Person.name_zh if language == "zh" else Person.name_en
    people = session.exec(
        select(Person.staff_number, name)
        .where(col(Person.role).in_(_AT_SITES), col(Person.removed_at).is_(None))
        .order_by(col(Person.staff_number))
    )
    return {
        "groups": [
            {"role": role, "users": [row for row in rows if row["role"] == role]}
            for role in Role
            if any(row["role"] == role for row in rows)
        ],
        "sites": [{"key": site.code, "name": site_name(site, language)} for site in places.values()],
        "people": [{"key": number, "name": said} for number, said in people],
    }


def _row(
    user: User, viewer: User, places: dict[int, Site], describer: Describer, language: str
) -> dict[str, Any]:
    about = [site_name(places.get(user.site_id or 0), language)]
    if user.person_id is not None:
        about.append(describer.person(user.person_id))
    if not user.password_hash:
        about.append(text("without_password", language))
    return {
        "id": user.id,
        "login": user.login,
        "name": user.name,
        "role": user.role,
        "about": " · ".join(one for one in about if one),
        "own": user.id == viewer.id,
    }

"""Imports as a whole: written or not, again, by two people."""

import import_folder
import pytest
from doorward_server.audit import entries
from doorward_server.audit.models import Decision
from doorward_server.fleet.models import Area, Box, Site, Vehicle
from doorward_server.importing import service
from doorward_server.people import service as people
from doorward_server.people.models import Finger, Person
from doorward_server.problems import Problem
from doorward_server.security import sessions, users
from doorward_server.security.models import User
from import_folder import cell
from sqlmodel import col, select

pytestmark = pytest.mark.shows("S20")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "bank"


@pytest.fixture
def bank(services, folder):
    """A bank that was set up by its first import."""
    import_folder.write(folder)
    with services.database.writing() as session:
        report = service.import_folder(session, folder)
    assert report.findings == []
    return report


def user(session, login) -> User:
    found = users.find_user(session, login)
    assert found is not None
    return found


def again(services, folder, change=None, by=("chen", "lin")):
    """Import once more, with a change, by two dispatchers."""
    import_folder.write(folder, change)
    with services.database.writing() as session:
        asker, decider = (users.find_user(session, login) for login in by)
        return service.import_folder(session, folder, asker, decider)


def test_a_whole_bank_comes_in(services, bank):
    assert bank.counts["people"] == {"new": 5}
    assert bank.without_password == ["chen", "lin", "zhao"]
    with services.database.reading() as session:
        assert session.exec(select(Area.code)).all() == ["east"]
        site = session.exec(select(Site).where(Site.code == "vault")).one()
        assert (site.name_zh, site.printer) == ("金库", "ipp://printer/vault")
        escort = session.exec(select(Person).where(Person.staff_number == "E001")).one()
        assert escort.card_uid == bytes.fromhex("04A1B2C3")
        assert people.photo_of(session, escort) == import_folder.photo("JPEG")
        fingers = people.fingers_of(session, escort)
        assert [(finger.number, finger.duress) for finger in fingers] == [(1, False), (2, True)]
        assert people.template_of(session, fingers[1]) == b"\x01" * 512
        officer = session.exec(select(User).where(User.login == "zhao")).one()
        assert session.get(Person, officer.person_id).staff_number == "O001"


def test_the_same_again_changes_nothing(services, bank, folder):
    with services.database.reading() as session:
        before = len(session.exec(select(Decision.index)).all())
    report = again(services, folder)
    assert {kind for counts in report.counts.values() for kind in counts} == {"same"}
    with services.database.reading() as session:
        decisions = session.exec(select(Decision).where(Decision.index >= before)).all()
    assert [decision.kind for decision in decisions] == ["import_applied"]


def test_a_changed_row_is_updated_with_both_sides_in_the_journal(services, bank, folder):
    report = again(services, folder, cell("people", 0, "name_zh", "张伟明"))
    assert report.counts["people"] == {"changed": 1, "same": 4}
    with services.database.reading() as session:
        decision = session.exec(
            select(Decision).where(Decision.kind == "person_imported").order_by(col(Decision.index))
        ).all()[-1]
        entry = entries.decode(decision.entry)
        assert (entry.before, entry.after) == ({"name_zh": "张伟"}, {"name_zh": "张伟明"})
        assert session.get(User, entry.actor).login == "lin"
        assert len(session.exec(select(Person)).all()) == 5


def test_a_new_template_replaces_the_old_one(services, bank, folder):
    import_folder.write(folder)
    (folder / "fingers" / "e001-1.fpt").write_bytes(b"\x09" * 512)
    with services.database.writing() as session:
        asker, decider = (users.find_user(session, login) for login in ("chen", "lin"))
        report = service.import_folder(session, folder, asker, decider)
    assert report.counts["fingers"] == {"changed": 1, "same": 2}
    with services.database.reading() as session:
        finger = session.exec(select(Finger).order_by(col(Finger.id))).first()
        assert people.template_of(session, finger) == b"\x09" * 512


def test_two_boxes_may_exchange_their_tags(services, bank, folder):
    def change(rows, _):
        first, second = rows["boxes"]
        first[1:3], second[1:3] = second[1:3], first[1:3]

    assert again(services, folder, change).counts["boxes"] == {"changed": 2}
    with services.database.reading() as session:
        box = session.exec(select(Box).where(Box.number == "B001")).one()
        assert box.epc == bytes.fromhex("E2801160AA12")
        query = select(Decision).where(Decision.kind == "box_imported", Decision.subject == f"box:{box.id}")
        last = entries.decode(session.exec(query.order_by(col(Decision.index).desc())).first().entry)
    tags = {"epc": bytes.fromhex("E2801160AA11"), "tid": bytes.fromhex("E2801105200000001122BB11")}
    assert last.before == tags, "what it had, not what it laid down"


def test_a_tag_that_belongs_to_something_not_in_the_workbook_is_refused(services, bank, folder):
    def change(rows, _):
        del rows["boxes"]
        rows["vehicles"][0][2] = "E2801160AA11"

    (found,) = again(services, folder, change).findings
    assert (found.sheet, found.column, found.reason) == ("vehicles", "epc", "taken")
    assert "B001" in found.message_en
    with services.database.reading() as session:
        assert session.exec(select(Vehicle.epc)).one() == bytes.fromhex("E2801160AA01")


def test_a_part_of_the_workbook_is_enough_later(services, bank, folder):
    def change(rows, _):
        for sheet in list(rows):
            if sheet != "boxes":
                del rows[sheet]
        rows["boxes"] = [["B009", "E2801160AA19", "E2801105200000001122BB19", "vault"]]

    assert again(services, folder, change).counts == {"boxes": {"new": 1}}


def test_somebody_who_was_removed_does_not_come_back_by_import(services, bank, folder):
    with services.database.writing() as session:
        people.remove_person(session, None, session.exec(select(Person)).first())
        users.remove_user(session, None, user(session, "zhao"))
    found = [(one.sheet, one.column, one.reason) for one in again(services, folder).findings]
    assert ("people", "staff_number", "removed") in found
    assert ("users", "login", "removed") in found


def test_a_changed_role_ends_the_logins(services, bank, folder, client):
    with services.database.writing() as session:
        token = sessions.begin(session, user(session, "chen"))
    again(services, folder, cell("users", 1, "role", "auditor"))
    with services.database.reading() as session:
        assert sessions.user_of(session, token) is None


@pytest.mark.shows("F7")
@pytest.mark.parametrize(
    ("asker", "decider"),
    [(None, None), ("chen", None), (None, "lin"), ("chen", "chen"), ("zhao", "lin"), ("chen", "zhao")],
)
def test_a_bank_with_users_is_imported_by_two_who_may(services, bank, folder, asker, decider):
    with services.database.writing() as session:
        named = [login and users.find_user(session, login) for login in (asker, decider)]
        with pytest.raises(Problem, match="four_eyes"):
            service.import_folder(session, folder, *named)

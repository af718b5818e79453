"""Imports as a whole: written or not, again, with files, by two people, over HTTP."""

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
from doorward_server.security.roles import Role
from import_folder import cell
from sqlmodel import select


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
            select(Decision).where(Decision.kind == "person_imported").order_by(Decision.index)
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
        finger = session.exec(select(Finger).order_by(Finger.id)).first()
        assert people.template_of(session, finger) == b"\x09" * 512


def test_two_boxes_may_exchange_their_tags(services, bank, folder):
    def change(rows, _):
        first, second = rows["boxes"]
        first[1:3], second[1:3] = second[1:3], first[1:3]

    assert again(services, folder, change).counts["boxes"] == {"changed": 2}
    with services.database.reading() as session:
        box = session.exec(select(Box).where(Box.number == "B001")).one()
        assert box.epc == bytes.fromhex("E2801160AA12")


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
        rows["boxes"] = [["B009", "E2801160AA19", "E2001122BB19", "vault"]]

    assert again(services, folder, change).counts == {"boxes": {"new": 1}}


def test_somebody_who_was_removed_does_not_come_back_by_import(services, bank, folder):
    with services.database.writing() as session:
        people.remove_person(session, None, session.exec(select(Person)).first())
        users.remove_user(session, None, users.find_user(session, "zhao"))
    found = [(one.sheet, one.column, one.reason) for one in again(services, folder).findings]
    assert ("people", "staff_number", "removed") in found
    assert ("users", "login", "removed") in found


def test_a_changed_role_ends_the_logins(services, bank, folder, client):
    with services.database.writing() as session:
        token = sessions.begin(session, users.find_user(session, "chen"))
    again(services, folder, cell("users", 1, "role", "auditor"))
    with services.database.reading() as session:
        assert sessions.user_of(session, token) is None


@pytest.mark.parametrize(
    ("asker", "decider"),
    [(None, None), ("chen", None), (None, "lin"), ("chen", "chen"), ("zhao", "lin"), ("chen", "zhao")],
)
def test_a_bank_with_users_is_imported_by_two_who_may(services, bank, folder, asker, decider):
    with services.database.writing() as session:
        named = [login and users.find_user(session, login) for login in (asker, decider)]
        with pytest.raises(Problem, match="four_eyes"):
            service.import_folder(session, folder, *named)


class TestFiles:
    """Names from the workbook reach nothing but the files beside it."""

    def found(self, services, folder):
        with services.database.writing() as session:
            return [one.reason for one in service.import_folder(session, folder).findings]

    @pytest.mark.parametrize(
        "name",
        [
            "../secret.jpg",
            "/etc/passwd",
            "..",
            "photos/../../secret.jpg",
            "a/b.jpg",
            "a\\b.jpg",
            ".hidden",
            "C:x.jpg",
            "e001.jpg ",
            "x.jpg.",
        ],
    )
    def test_a_name_is_a_bare_name(self, services, folder, name):
        import_folder.write(folder, cell("people", 0, "photo", name))
        (folder.parent / "secret.jpg").write_bytes(import_folder.photo("JPEG"))
        reason = "" if name == "e001.jpg " else "file_name_bad"
        assert self.found(services, folder) == [reason] * bool(reason)

    def test_a_link_that_leads_elsewhere_is_refused(self, services, folder):
        import_folder.write(folder)
        secret = folder.parent / "secret.jpg"
        secret.write_bytes(import_folder.photo("JPEG"))
        (folder / "photos" / "e001.jpg").unlink()
        (folder / "photos" / "e001.jpg").symlink_to(secret)
        assert self.found(services, folder) == ["file_name_bad"]

    def test_a_missing_file_is_named(self, services, folder):
        import_folder.write(folder)
        (folder / "fingers" / "e001-1.fpt").unlink()
        assert self.found(services, folder) == ["file_missing"]

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"\xff\xd8 no picture", "photo_bad"),
            (b"", "photo_bad"),
            (b"GIF89a" + bytes(100), "photo_bad"),
            (import_folder.photo("JPEG", (10, 10)), "photo_bad"),
            (import_folder.photo("PNG", (5000, 70)), "photo_bad"),
            (import_folder.photo("JPEG")[:-200], "photo_bad"),
            (bytes(2 * 1024 * 1024 + 1), "file_too_large"),
        ],
    )
    def test_a_photo_is_a_photo(self, services, folder, content, reason):
        import_folder.write(folder)
        (folder / "photos" / "e001.jpg").write_bytes(content)
        assert self.found(services, folder) == [reason]

    @pytest.mark.parametrize(
        ("content", "reason"), [(b"", "template_bad"), (bytes(8 * 1024 + 1), "file_too_large")]
    )
    def test_a_template_has_a_sensible_size(self, services, folder, content, reason):
        import_folder.write(folder)
        (folder / "fingers" / "e001-1.fpt").write_bytes(content)
        assert self.found(services, folder) == [reason]


class TestOverHttp:
    @pytest.fixture
    def browsers(self, log_in, staffed):
        return {role: log_in(user) for role, user in staffed.users.items()}

    def upload(self, browser, content, address="/api/imports"):
        return browser.post(address, files={"archive": ("bank.zip", content, "application/zip")})

    def test_a_second_person_lets_people_in(self, browsers, folder, services):
        import_folder.write(folder, cell("sites", 1, "name_zh", "新城北"))
        answer = self.upload(browsers[Role.ADMINISTRATOR], import_folder.pack(folder))
        assert answer.status_code == 202
        decision = f"/api/approvals/{answer.json()['approval_id']}/decision"
        (waiting,) = (services.settings.data / "imports").iterdir()
        assert b"bank.xlsx" not in waiting.read_bytes(), "what waits is sealed"
        assert "E001" not in {
            one["staff_number"] for one in browsers[Role.DUTY].get("/api/people").json()
        } - {"E001"}
        own = browsers[Role.ADMINISTRATOR].post(decision, json={"approve": True})
        assert own.json()["reason"] == "same_person"
        done = browsers[Role.DUTY].post(decision, json={"approve": True})
        assert (done.status_code, done.json()["state"]) == (200, "approved")
        sites = {site["code"]: site["name_zh"] for site in browsers[Role.DUTY].get("/api/sites").json()}
        assert sites["north"] == "新城北"
        assert not waiting.exists()

    def test_a_refused_import_leaves_nothing_behind(self, browsers, folder, services):
        import_folder.write(folder)
        answer = self.upload(browsers[Role.DISPATCHER], import_folder.pack(folder))
        decision = f"/api/approvals/{answer.json()['approval_id']}/decision"
        browsers[Role.DUTY].post(decision, json={"approve": False})
        assert list((services.settings.data / "imports").iterdir()) == []
        assert "K001" not in {one["staff_number"] for one in browsers[Role.DUTY].get("/api/people").json()}

    def test_a_bad_archive_is_not_even_asked_for(self, browsers, folder):
        import_folder.write(folder, cell("people", 0, "role", "boss"))
        answer = self.upload(browsers[Role.DISPATCHER], import_folder.pack(folder))
        assert (answer.status_code, answer.json()["reason"]) == (422, "import_invalid")
        (found,) = answer.json()["details"]
        assert (found["sheet"], found["row"], found["column"]) == ("people", 2, "role")
        assert browsers[Role.DISPATCHER].get("/api/approvals").json() == []

    def test_a_check_keeps_nothing(self, browsers, folder, services):
        import_folder.write(folder)
        report = self.upload(
            browsers[Role.DISPATCHER], import_folder.pack(folder), "/api/imports/check"
        ).json()
        assert (report["findings"], report["rows"]["people"]) == ([], {"rows": 5})
        assert list((services.settings.data / "imports").iterdir()) == []

    def test_what_waits_and_was_changed_is_not_imported(self, browsers, folder, services):
        import_folder.write(folder)
        answer = self.upload(browsers[Role.DISPATCHER], import_folder.pack(folder))
        (waiting,) = (services.settings.data / "imports").iterdir()
        waiting.write_bytes(waiting.read_bytes()[:-1] + b"\x00")
        decision = f"/api/approvals/{answer.json()['approval_id']}/decision"
        answer = browsers[Role.DUTY].post(decision, json={"approve": True})
        assert (answer.status_code, answer.json()["reason"]) == (409, "changed_since_request")

    def test_archives_that_nobody_waits_for_are_deleted_at_start(self, services):
        orphan = services.settings.data / "imports" / "00.sealed"
        orphan.write_bytes(b"left over")
        service.forget_orphans(services)
        assert not orphan.exists()

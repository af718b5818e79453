"""Restores: what is refused, what is kept aside, what is set right; no interruption loses anything."""

import asyncio
import shutil
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from alembic import command
from doorward_server.alarms.models import Alarm
from doorward_server.app import open_services
from doorward_server.audit import service as audit
from doorward_server.audit.models import Decision
from doorward_server.audit.verifier import Leaf, check
from doorward_server.backup import archive, making, removed, restorations, restore, running, schedule, swap
from doorward_server.backup.archive import BackupError
from doorward_server.database import migration_config
from doorward_server.fleet.models import Area
from doorward_server.notify.models import Notice
from doorward_server.notify.targets import Target
from doorward_server.people import service as people
from doorward_server.people.models import Finger, Person, PersonKey
from doorward_server.security import biometrics, four_eyes, sessions, users
from doorward_server.security.models import Approval, LoginSession, User
from doorward_server.settings import Settings
from sqlmodel import col, func, select

pytestmark = pytest.mark.shows("S23")


@contextmanager
def opened(settings, clock):
    """The server's services, closed again: nobody works on the data afterwards."""
    services = open_services(settings, clock)
    try:
        yield services
    finally:
        services.database.close()


@pytest.fixture
def settings(staffed_data, tmp_path):
    folder = shutil.copytree(staffed_data[0], tmp_path / "data")
    return Settings(data=folder, argon2_time_cost=1, argon2_memory_kib=8)


@pytest.fixture
def bank(staffed_data):
    return staffed_data[1]


@pytest.fixture
def backup(settings, clock) -> Path:
    """A backup of a bank's data, a day old by now."""
    with opened(settings, clock) as services:
        path, _ = making.make(services, settings.backups)
    clock.pass_time(days=1)
    return path


def put_area(settings, clock, code):
    with opened(settings, clock) as services, services.database.writing() as session:
        session.add(Area(code=code, name_zh=code, name_en=code))


def areas(data: Path) -> set[str]:
    with closing(sqlite3.connect(f"file:{data / 'doorward.sqlite'}?mode=ro", uri=True)) as database:
        return {code for (code,) in database.execute("SELECT code FROM area")}


def tree(folder: Path) -> dict[str, bytes]:
    """Everything in a folder but the lock, the backups and what SQLite keeps beside a database."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
        and "backups" not in path.parts
        and not path.name.endswith((running.FILE, "-shm", "-wal"))
    }


def test_what_was_there_is_kept_aside_and_the_backup_is_in_its_place(settings, clock, backup):
    put_area(settings, clock, "later")
    before = areas(settings.data)
    key = (settings.keys / "master").read_bytes()
    done = restore.restore(settings, backup, clock)
    assert done.aside == settings.data / "before-restore-20260302T220000Z"
    assert areas(settings.data) == before - {"later"}
    assert done.aside is not None
    assert areas(done.aside) == before
    assert (done.aside / "keys" / "master").read_bytes() == (settings.keys / "master").read_bytes() == key
    assert {one.name for one in settings.data.iterdir()} >= {"doorward.sqlite", "keys", "backups"}
    assert not (settings.data / swap.READY).exists()
    assert not (settings.data / swap.STAGING).exists()
    for private in (settings.data / "doorward.sqlite", settings.keys / "master"):
        assert private.stat().st_mode & 0o077 == 0


def test_it_comes_back_on_an_empty_machine(settings, clock, backup, tmp_path):
    elsewhere = settings.model_copy(update={"data": tmp_path / "new"})
    done = restore.restore(elsewhere, backup, clock)
    assert (done.aside, done.list_found) == (None, True)  # the list lies beside the backup
    with opened(elsewhere, clock) as services, services.database.reading() as session:
        person = session.exec(select(Person).where(col(Person.photo).is_not(None))).first()
        assert person is not None
        assert people.photo_of(session, person)
        assert audit.verify(session) == []


def test_the_journal_says_so(settings, clock, backup):
    restore.restore(settings, backup, clock)
    with opened(settings, clock) as services, services.database.reading() as session:
        decision = session.exec(select(Decision).where(Decision.kind == "restored")).one()
        found = restorations.waiting(session)
        assert found is not None
        assert (decision.actor_id, found.restored - found.made) == (None, 24 * 3600 * 1000)
        assert audit.epoch(session) == clock.milliseconds()
        assert audit.verify(session) == []


def test_the_server_alarms_and_tells_those_whom_its_own_variables_name(settings, clock, backup):
    """The restore is made in another shell, at night. The alarm is one, however often the server starts."""
    restore.restore(settings, backup, clock)
    address, secret = "http://127.0.0.1:9/", "whsec_" + "A" * 32
    target = {"name": "duty", "kind": "json", "address": address, "secret": secret}
    heeded = settings.model_copy(update={"notify": (Target.model_validate(target),)})
    for _ in range(2):
        with opened(heeded, clock) as services:
            asyncio.run(served(services))
    with opened(heeded, clock) as services, services.database.reading() as session:
        alarm = session.exec(select(Alarm)).one()
        assert (alarm.rule, alarm.severity, alarm.ended) == ("restored", "critical", None)
        assert list(session.exec(select(Notice.target, Notice.key))) == [("duty", alarm.key)]


async def served(services):
    async with schedule.backing_up(services):
        pass


def test_the_same_backup_twice_is_two_histories(settings, clock, backup):
    """What the first one decided is lost with the second: no number and no epoch comes twice."""
    restore.restore(settings, backup, clock)
    with opened(settings, clock) as services, services.database.writing() as session:
        session.add_all(Area(code=f"a{n}", name_zh="x", name_en="x") for n in range(3))
        session.flush()
        first = list(session.exec(select(Area.id).where(col(Area.code).startswith("a"))))
        kept = audit.record(session, None, "thing_changed", "thing:1", None, {}).head
    shutil.rmtree(settings.data / "keys")  # the data that it replaces tells nothing
    (settings.data / "doorward.sqlite").write_bytes(b"destroyed")
    clock.pass_time(minutes=5)
    restore.restore(settings, backup, clock)
    with opened(settings, clock) as services, services.database.writing() as session:
        area = Area(code="b", name_zh="x", name_en="x")
        session.add(area)
        session.flush()
        assert len(set(first)) == 3
        assert min(first) > 1000
        assert area.id > max(first)
        assert audit.epoch(session) == clock.milliseconds()
        key = audit.journal_key(session)
        query = select(Decision.index, Decision.leaf_hash, Decision.entry, Decision.head)
        leaves = [Leaf(*row) for row in session.exec(query.order_by(col(Decision.index)))]
        (finding,) = check(leaves, services.suite, key.kid, key.public, kept)
        assert finding.what == "known_head_restored"


def test_whoever_was_removed_since_stays_removed(settings, clock, backup, bank):
    gone, user = bank.crew[0].id, bank.dispatcher2.id
    with opened(settings, clock) as services, services.database.writing() as session:
        people.remove_person(session, None, session.get_one(Person, gone))
        users.remove_user(session, None, session.get_one(User, user))
    (settings.data / "doorward.sqlite").write_bytes(b"destroyed")  # only the list beside the backups knows
    done = restore.restore(settings, backup, clock)
    assert (done.settled.people, done.settled.users, done.list_found) == (1, 1, True)
    with opened(settings, clock) as services, services.database.reading() as session:
        person = session.get_one(Person, gone)
        assert (person.removed_at is not None, person.photo) == (True, None)
        assert session.get(PersonKey, gone) is None
        assert session.exec(select(Finger).where(Finger.person_id == gone)).all() == []
        assert session.get_one(User, user).removed_at is not None
        kinds = set(session.exec(select(Decision.kind)))
        assert {"person_removed", "person_key_destroyed", "user_removed"} <= kinds
        other = session.exec(select(PersonKey.person_id)).first()
        assert other is not None
        assert biometrics._key(session, other, make=False)


def test_a_list_that_was_tampered_with_stops_no_restore(settings, clock, backup, bank):
    lines = ["[" * 100_000, '{"subject": "user:1", "time": 1e999}', '{"subject": "x", "time": 1}', "7", "\0"]
    later = clock.milliseconds()
    lines += [f'{{"subject": "person:{number}", "time": {later}}}' for number in ("²", "1" * 40, "-1", "7.5")]
    lines += [f'{{"subject": "person:{bank.crew[0].id}", "time": {later}}}']
    (settings.backups / removed.FILE).write_text("\n".join(lines))
    assert restore.restore(settings, backup, clock).settled == (1, 0, 0)


def test_without_a_list_the_present_database_tells_who_was_removed(settings, clock, backup, bank):
    moved = backup.parent.parent.parent / "elsewhere.backup"
    backup.rename(moved)
    (settings.backups / removed.FILE).unlink()
    with opened(settings, clock) as services, services.database.writing() as session:
        people.remove_person(session, None, session.get_one(Person, bank.crew[0].id))
    (settings.backups / removed.FILE).unlink()
    assert restore.restore(settings, moved, clock).settled.people == 1


def test_that_nothing_knows_who_was_removed_is_told(settings, clock, backup, tmp_path):
    alone = tmp_path / "alone"
    alone.mkdir()
    moved = shutil.move(backup, alone / backup.name)
    elsewhere = settings.model_copy(update={"data": tmp_path / "new"})
    assert not restore.restore(elsewhere, Path(moved), clock).list_found


def test_requests_that_may_have_been_decided_since_are_void_and_logins_end(settings, clock, bank):
    with opened(settings, clock) as services:
        with services.database.writing() as session:
            sessions.begin(session, session.get_one(User, bank.dispatcher.id))
            asker = session.get_one(User, bank.users["administrator"].id)
            users.request_password(session, asker, session.get_one(User, bank.dispatcher.id), "p" * 20)
        path, _ = making.make(services, settings.backups)
    assert restore.restore(settings, path, clock).settled.requests == 1
    with opened(settings, clock) as services, services.database.writing() as session:
        assert four_eyes.open_approvals(session) == []
        assert session.exec(select(Approval.state)).one() == "expired"
        assert session.exec(select(func.count()).select_from(LoginSession)).one() == 0


def test_an_older_schema_is_brought_up_to_date(settings, clock, tmp_path):
    old = tmp_path / "old"
    shutil.copytree(settings.keys, old / "keys")
    database = old / "doorward.sqlite"
    command.upgrade(migration_config(f"sqlite:///{database}"), "0001")
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("INSERT INTO area (code, name_zh, name_en) VALUES ('old', 'x', 'x')")
        connection.commit()
        connection.execute("PRAGMA journal_mode=DELETE")
    sources = {archive.DATABASE: database} | {f"keys/{key.name}": key for key in settings.keys.iterdir()}
    server = (settings.keys / "server").read_bytes()[:8].hex()
    facts = {"made": clock.milliseconds(), "schema": "0001", "server": server, "decisions": 0}
    archive.write(tmp_path / "old.backup", sources, facts)
    restore.restore(settings, tmp_path / "old.backup", clock)
    assert areas(settings.data) == {"old"}
    with opened(settings, clock) as services, services.database.reading() as session:
        assert restorations.waiting(session) is not None


def refused(settings, path, clock, said, error: type[Exception] = BackupError):
    """The restore is refused in these words, and nothing is changed."""
    before = tree(settings.data)
    with pytest.raises(error, match=said):
        restore.restore(settings, path, clock)
    assert tree(settings.data) == before


def test_a_newer_schema_is_refused(settings, clock, backup, monkeypatch):
    monkeypatch.setattr(restore, "_known_schemas", lambda _settings: {"0001"})
    refused(settings, backup, clock, "newer Doorward")


def test_the_backup_of_another_bank_is_refused(settings, clock, backup):
    key = settings.keys / "server"
    key.write_bytes(b"stranger" + key.read_bytes()[8:])
    refused(settings, backup, clock, "another server")


def test_a_damaged_backup_is_refused(settings, clock, backup):
    content = bytearray(backup.read_bytes())
    content[len(content) // 2] ^= 1
    backup.write_bytes(content)
    refused(settings, backup, clock, "damaged")


def test_a_database_that_is_none_is_refused(settings, clock, backup, tmp_path):
    sources = {f"keys/{key.name}": key for key in settings.keys.iterdir()}
    sources[archive.DATABASE] = tmp_path / "none"
    sources[archive.DATABASE].write_bytes(b"nothing of SQLite" * 1000)
    known = archive.read_manifest(backup)
    facts = {"made": known.made, "schema": known.schema, "server": known.server, "decisions": 0}
    archive.write(tmp_path / "bad.backup", sources, facts)
    refused(settings, tmp_path / "bad.backup", clock, "damaged")


def test_a_full_disk_is_foreseen(settings, clock, backup, monkeypatch):
    monkeypatch.setattr(restore, "_ROOM", 1 << 40)
    refused(settings, backup, clock, "make room")


def test_another_database_is_not_ours_to_restore(settings, clock, backup):
    elsewhere = settings.model_copy(update={"database_url": "postgresql://bank"})
    refused(elsewhere, backup, clock, "DOORWARD_DATABASE_URL")


def test_nothing_is_replaced_below_a_running_server(settings, clock, backup):
    with running.serving(settings.data):
        refused(settings, backup, clock, "stop it first", running.InUseError)
    restore.restore(settings, backup, clock)


def test_nothing_is_replaced_below_another_program(settings, clock, backup):
    services = open_services(settings, clock)  # such as an import
    with services.database.reading() as session:
        session.exec(select(Area)).all()
        with pytest.raises(running.InUseError, match="another program"):
            restore.restore(settings, backup, clock)
    services.database.close()
    restore.restore(settings, backup, clock)


def test_no_server_starts_while_data_is_replaced(settings, clock):
    with running.replacing(settings.data), pytest.raises(running.InUseError, match="under way"):
        running.serving(settings.data).__enter__()


def test_what_fails_before_the_last_step_changes_nothing(settings, clock, backup, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    before = tree(settings.data)
    for module, name in ((archive, "unpack"), (restore, "settle"), (swap, "swap")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, interrupted)
            with pytest.raises(KeyboardInterrupt):
                restore.restore(settings, backup, clock)
        assert tree(settings.data) == before
        assert not (settings.data / swap.STAGING).exists()


def test_what_a_killed_restore_left_behind_is_cleared(settings, clock, backup):
    left = settings.data / swap.STAGING
    left.mkdir()
    (left / "doorward.sqlite").write_bytes(b"half")
    put_area(settings, clock, "later")
    restore.restore(settings, backup, clock)
    assert "later" not in areas(settings.data)


class Cut(BaseException):
    """The power is gone."""


@pytest.mark.parametrize("names", [("doorward.sqlite", "doorward.sqlite-wal", "doorward.sqlite-shm"), ()])
def test_the_last_step_can_be_cut_off_anywhere(tmp_path, monkeypatch, names):
    """Before it begins everything is as it was; afterwards whoever opens the data next finishes it."""
    rename, unlink = Path.rename, Path.unlink
    cuts = finished = 0
    for count in range(20):
        data = tmp_path / f"data{count}"
        (data / "keys").mkdir(parents=True)
        (data / "keys" / "master").write_text("old")
        for name in names:
            (data / name).write_text("old")
        staging = data / swap.STAGING
        (staging / "keys").mkdir(parents=True)
        (staging / "keys" / "master").write_text("new")
        (staging / "doorward.sqlite").write_text("new")
        left = count

        def step(action, *arguments, **options):
            nonlocal left
            if left == 0:
                raise Cut
            left -= 1
            return action(*arguments, **options)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "rename", lambda *a: step(rename, *a))
            patch.setattr(Path, "unlink", lambda *a, **o: step(unlink, *a, **o))
            try:
                swap.swap(data, staging, "aside")
                finished += 1
            except Cut:
                cuts += 1
        was_old = staging.exists()
        swap.finish(data)
        if was_old:
            assert (data / "keys" / "master").read_text() == "old"
            continue
        kept = {
            str(path.relative_to(data / "aside")) for path in (data / "aside").rglob("*") if path.is_file()
        }
        assert kept == {"keys/master", *names}
        assert {path.read_text() for path in (data / "aside").rglob("*") if path.is_file()} == {"old"}
        here = [data / "keys" / "master", data / "doorward.sqlite"]
        assert [path.read_text() for path in here] == ["new", "new"]
        assert not (data / "doorward.sqlite-wal").exists()
        assert not (data / swap.READY).exists()
    assert cuts >= 5
    assert finished > 5


def test_a_server_finishes_what_was_interrupted_when_it_starts(settings, clock, backup, monkeypatch):
    put_area(settings, clock, "later")

    def cut(_data):
        raise Cut

    with monkeypatch.context() as patch, pytest.raises(Cut):  # noqa: PT012
        patch.setattr(swap, "_finish", cut)
        restore.restore(settings, backup, clock)
    with opened(settings, clock) as services, services.database.reading() as session:
        assert restorations.waiting(session) is not None
    assert "later" not in areas(settings.data)
    (aside,) = settings.data.glob("before-restore-*")
    assert "later" in areas(aside)


def test_the_next_restore_finishes_what_was_interrupted_too(settings, clock, backup, monkeypatch):
    put_area(settings, clock, "later")

    def cut(_data):
        raise Cut

    monkeypatch.setattr(swap, "_finish", cut)
    with pytest.raises(Cut):
        restore.restore(settings, backup, clock)
    monkeypatch.undo()
    clock.pass_time(seconds=1)
    restore.restore(settings, backup, clock)
    first, second = sorted(settings.data.glob("before-restore-*"))
    assert "later" in areas(first)
    assert areas(second) == areas(settings.data)

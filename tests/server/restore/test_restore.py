"""Restores: what is kept aside, what is set right, who is told."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from doorward_server.alarms.models import Alarm
from doorward_server.audit import service as audit
from doorward_server.audit.models import Decision
from doorward_server.audit.verifier import Leaf, check
from doorward_server.backup import archive, making, removed, restorations, restore, schedule, swap
from doorward_server.database import migration_config
from doorward_server.fleet.models import Area
from doorward_server.notify.models import Notice
from doorward_server.notify.targets import Target
from doorward_server.people import service as people
from doorward_server.people.models import Finger, Person, PersonKey
from doorward_server.security import biometrics, four_eyes, sessions, users
from doorward_server.security.models import Approval, LoginSession, User
from restored_bank import areas, opened, put_area
from sqlmodel import col, func, select

pytestmark = pytest.mark.shows("S23")


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

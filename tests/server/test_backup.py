"""Backups: one moment's state while others write, nobody else's to read, checked before it has its name."""

import asyncio
import json
import sqlite3
import stat
import zipfile
from contextlib import closing
from datetime import UTC, datetime, time
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from doorward_server.alarms.models import Alarm
from doorward_server.audit import service as audit
from doorward_server.backup import archive, making, removed, schedule
from doorward_server.backup.archive import BackupError
from doorward_server.people import service as people
from doorward_server.people.models import Person
from doorward_server.security import users
from doorward_server.security.models import User
from sqlmodel import select

pytestmark = pytest.mark.shows("S23")

SHANGHAI = ZoneInfo("Asia/Shanghai")


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def decide(services, count=1):
    with services.database.writing() as session:
        for number in range(count):
            audit.record(session, None, "thing_changed", f"thing:{number}", None, {"filling": "x" * 2000})


def database_in(path, tmp_path):
    folder = tmp_path / "unpacked"
    folder.mkdir()
    archive.unpack(path, folder)
    return sqlite3.connect(folder / archive.DATABASE)


@pytest.fixture
def folder(settings):
    return settings.backups


def test_a_backup_holds_database_and_keys_and_is_for_nobody_else(services, staffed, folder):
    path, manifest = making.make(services, folder)
    assert path == folder / "doorward-20260301T220000Z.backup"
    assert (mode(folder), mode(path)) == (0o700, 0o600)
    assert archive.check(path) == manifest
    keys = {f"keys/{name}" for name in ("master", "server", "dispatch", "journal")}
    assert set(manifest.files) == {archive.DATABASE, *keys}
    assert manifest.server == services.keys.pair("server").kid.hex()
    assert [one.name for one in folder.iterdir() if one.name.startswith(".making")] == []


def test_it_is_one_moments_state_while_others_write_and_nobody_waits(
    services, staffed, folder, tmp_path, monkeypatch
):
    """Somebody writes between any two pieces of the copy: all of it gets through, none of it gets in."""
    decide(services, 200)
    monkeypatch.setattr(making, "_PAGES", 20)
    written = []

    def write(done, total):
        if len(written) < 8:
            decide(services)
            written.append((done, total))

    path, manifest = making.make(services, folder, write)
    assert len(written) == 8
    assert written[0][0] < written[7][0] < written[7][1]
    with closing(database_in(path, tmp_path)) as copy:
        assert copy.execute("SELECT count(*) FROM decision").fetchone() == (manifest.decisions,)
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with services.database.reading() as session:
        last = audit.head(session)
        assert last is not None
        assert last.index + 1 == manifest.decisions + 8


def test_one_that_cannot_be_finished_leaves_what_was_there(services, folder, clock, monkeypatch):
    first, _ = making.make(services, folder)
    clock.pass_time(days=1)

    def full(_manifest):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive, "asdict", full)
    with pytest.raises(OSError, match="No space"):
        making.make(services, folder)
    assert making.kept(folder) == [first]
    assert list(folder.glob(".making*")) == []


def test_one_that_might_fill_the_disk_is_not_begun(services, folder, monkeypatch):
    """The database may lie on the same disk."""
    free = 64 << 20
    monkeypatch.setattr(making.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    with pytest.raises(BackupError, match=r"64 MiB free and 6\d MiB are needed.*DOORWARD_BACKUP_FOLDER"):
        making.make(services, folder)
    assert making.kept(folder) == []
    free <<= 1
    making.make(services, folder)


def test_one_that_does_not_read_as_it_was_written_gets_no_name(services, folder, monkeypatch):
    written = archive.write

    def spoiled(path, *rest):
        manifest = written(path, *rest)
        content = bytearray(path.read_bytes())
        content[2000] ^= 1
        path.write_bytes(content)
        return manifest

    monkeypatch.setattr(archive, "write", spoiled)
    with pytest.raises(BackupError):
        making.make(services, folder)
    assert making.kept(folder) == []


def test_a_damaged_database_is_not_taken_for_a_backup(services, staffed, folder):
    decide(services, 100)
    services.database.close()
    file = making.database_file(services)
    assert file is not None
    content = bytearray(file.read_bytes())
    content[8192 * 5 : 8192 * 6] = b"\xff" * 8192
    file.write_bytes(content)
    with pytest.raises(BackupError, match="restore the last backup"):
        making.make(services, folder)
    assert making.kept(folder) == []


def test_only_one_is_made_at_a_time_and_what_a_killed_one_left_goes(services, folder):
    folder.mkdir()
    (folder / ".making-left").mkdir()
    (folder / ".making-left" / "doorward.sqlite").write_bytes(b"half")

    def another(_done, _total):
        with pytest.raises(BackupError, match="another backup"):
            making.make(services, folder)

    making.make(services, folder, another)
    assert not (folder / ".making-left").exists()


def test_the_oldest_go_and_nothing_else(folder):
    folder.mkdir()
    names = [f"doorward-202603{day:02}T190000Z.backup" for day in range(1, 6)]
    others = [
        "notes.txt",
        "doorward-20250101T000000Z.backup.copy",
        "doorward-20250231T000000Z.backup",
        "doorward-20300101T000000Z.backup",
    ]
    for name in [*names, *others]:
        (folder / name).touch()
    now = datetime(2026, 3, 6, tzinfo=UTC)
    assert [one.name for one in making.remove_old(folder, 3, now)] == names[:2]
    assert {one.name for one in folder.iterdir()} == {*names[2:], *others}


def test_whoever_is_removed_stands_in_a_list_beside_the_backups_at_once(services, staffed, folder, clock):
    making.make(services, folder)
    with services.database.writing() as session:
        people.remove_person(session, None, session.get_one(Person, staffed.crew[0].id))
        users.remove_user(session, None, session.get_one(User, staffed.dispatcher2.id))
    now = clock.milliseconds()
    noted = [(f"person:{staffed.crew[0].id}", now), (f"user:{staffed.dispatcher2.id}", now)]
    assert removed.read(folder) == noted
    assert mode(folder / removed.FILE) == 0o600
    (folder / removed.FILE).write_text('{"subject": "person:1000", "time": 5}\n{"torn')
    clock.pass_time(days=1)
    making.make(services, folder)  # the list is written anew: nobody is lost from it
    assert removed.read(folder) == [("person:1000", 5), *noted]


def test_a_removal_that_is_rolled_back_is_not_noted(services, staffed, folder):
    making.make(services, folder)
    with services.database.writing() as session:
        people.remove_person(session, None, session.get_one(Person, staffed.crew[0].id))
        session.rollback()
    assert removed.read(folder) == []


@pytest.mark.parametrize(
    ("last", "at", "expected"),
    [
        ("2026-03-01 18:59", time(3), "2026-03-01 19:00"),  # 02:59 and 03:00 in Shanghai
        ("2026-03-01 19:00", time(3), "2026-03-02 19:00"),
        ("2026-03-01 22:00", time(3), "2026-03-02 19:00"),
        ("2026-03-01 15:00", time(23, 30), "2026-03-01 15:30"),
    ],
)
def test_the_next_one_is_due_at_the_local_time_after_the_last(last, at, expected):
    moments = [datetime.strptime(one, "%Y-%m-%d %H:%M").replace(tzinfo=UTC) for one in (last, expected)]
    assert schedule.due(moments[0], at, SHANGHAI) == moments[1]


def alarms_of(services) -> list[tuple[str, bool]]:
    with services.database.reading() as session:
        return [(alarm.rule, alarm.ended is None) for alarm in session.exec(select(Alarm))]


def test_the_daily_backup_is_made_when_it_is_due_and_the_newest_are_kept(services, folder, clock):
    daily = schedule.Schedule(services)
    assert daily.step() == schedule.LONGEST_SECONDS  # an empty bank has nothing to lose
    decide(services)
    assert daily.step() == schedule.LONGEST_SECONDS
    assert making.kept(folder) == []
    for _ in range(9):
        clock.pass_time(days=1)
        assert daily.step() == 0
    assert len(making.kept(folder)) == services.settings.backup_keep == 7
    clock.pass_time(hours=20, minutes=59, seconds=30)
    assert daily.step() == 30
    assert alarms_of(services) == []


@pytest.mark.parametrize("keep", [1, 7])
def test_a_clock_that_was_ahead_does_not_stop_the_daily_backup(services, folder, clock, monkeypatch, keep):
    monkeypatch.setattr(services.settings, "backup_keep", keep)
    clock.pass_time(days=1000)
    decide(services)
    ahead, _ = making.make(services, folder)
    clock.pass_time(days=-1000)
    daily = schedule.Schedule(services)
    assert daily.step() == 0
    assert 0 < daily.step() <= schedule.LONGEST_SECONDS
    assert making.kept(folder)[1:] == [ahead]


def test_a_failed_backup_alarms_until_one_succeeds(services, folder, clock):
    decide(services)
    clock.pass_time(days=1)
    folder.write_text("in the way")
    daily = schedule.Schedule(services)
    assert [daily.step(), daily.step()] == [schedule.RETRY_SECONDS] * 2
    assert alarms_of(services) == [("backup_failed", True)]
    with services.database.reading() as session:
        assert str(folder) in session.exec(select(Alarm)).one().details["problem"]
    folder.unlink()
    assert daily.step() == 0
    assert alarms_of(services) == [("backup_failed", False)]


def test_the_daily_backup_waits_for_nobody_who_writes(services, staffed, folder):
    """Such as an import, or a rebuild from the journals."""
    with services.database.writing() as session:
        audit.record(session, None, "thing_changed", "thing:1", None, {})
        assert schedule.back_up(services)
    assert len(making.kept(folder)) == 1


def test_an_old_backup_goes_only_when_the_new_one_is_there(services, folder, clock, monkeypatch):
    monkeypatch.setattr(services.settings, "backup_keep", 1)
    first, _ = making.make(services, folder)
    clock.pass_time(days=1)
    with monkeypatch.context() as patch:
        patch.setattr(archive, "check", lambda *_: None)
        assert not schedule.back_up(services)
    assert making.kept(folder) == [first]
    assert schedule.back_up(services)
    assert first not in making.kept(folder)
    assert len(making.kept(folder)) == 1


def test_a_running_server_makes_it_by_itself(services, folder, clock, monkeypatch):
    monkeypatch.setattr(schedule, "START_SECONDS", 0)
    decide(services)
    clock.pass_time(days=1)

    async def serve():
        async with schedule.backing_up(services), asyncio.timeout(20):
            while not making.kept(folder):  # noqa: ASYNC110 - made on another thread
                await asyncio.sleep(0.01)

    asyncio.run(serve())


def test_switched_off_nothing_is_made(services, folder, monkeypatch):
    monkeypatch.setattr(services.settings, "backup_time", "")
    monkeypatch.setattr(schedule, "Schedule", None)

    async def serve():
        async with schedule.backing_up(services):
            pass

    asyncio.run(serve())
    assert not folder.exists()


def spoil(path, tmp_path, kind):
    """A copy of a backup that is not to be believed."""
    bad = tmp_path / "bad.backup"
    content = bytearray(path.read_bytes())
    if kind == "flipped":
        content[len(content) // 2] ^= 0x10
    elif kind == "cut":
        content = content[:-2000]
    elif kind == "text":
        content = bytearray(b"no backup at all")
    elif kind == "name":  # of a file, where it begins, as UTF-8 that is none
        content[content.index(b"keys/master")] = 0xFF
        content[content.index(b"\xffeys/master") - 23] |= 8
    elif kind == "directory":  # the same in the list at the end
        content[content.rindex(b"keys/master")] = 0xFF
        content[content.rindex(b"\xffeys/master") - 37] |= 8
    if kind in ("flipped", "cut", "text", "name", "directory"):
        bad.write_bytes(content)
        return bad
    with zipfile.ZipFile(path) as good, zipfile.ZipFile(bad, "w") as packed:
        said = json.loads(good.read(archive.MANIFEST))
        files = {name: good.read(name) for name in said["files"]}
        if kind == "foreign":
            said["format"] = "somebody else's"
        elif kind == "version":
            said["version"] = 2
        elif kind == "outside":
            said["files"]["../outside"] = said["files"].pop("keys/master")
            files["../outside"] = files.pop("keys/master")
        elif kind == "hash":
            files["keys/master"] = bytes(32)
        elif kind == "longer":
            files[archive.DATABASE] += bytes(100_000_000)
        elif kind == "more":
            files["keys/more"] = b"x"
        elif kind == "no time":
            said["made"] = 10**20
        elif kind == "escape":
            said["schema"] = "\x1b[2J"
        elif kind == "list":
            said = [said]
        method = zipfile.ZIP_LZMA if kind == "method" else zipfile.ZIP_DEFLATED
        for name, data in files.items():
            packed.writestr(name, data, method)
        packed.writestr(archive.MANIFEST, json.dumps(said), method)
    return bad


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("flipped", "damaged"),
        ("cut", "damaged"),
        ("text", "damaged"),
        ("foreign", "no backup of Doorward"),
        ("list", "no backup of Doorward"),
        ("version", "newer Doorward"),
        ("outside", "damaged"),
        ("hash", "damaged"),
        ("longer", "damaged"),
        ("more", "damaged"),
        ("no time", "damaged"),
        ("escape", "damaged"),
        ("method", "packed as none"),
        ("name", "damaged"),
        ("directory", "damaged"),
    ],
)
def test_what_is_no_sound_backup_is_refused_with_a_reason(services, folder, tmp_path, kind, said):
    path, _ = making.make(services, folder)
    bad = spoil(path, tmp_path, kind)
    with pytest.raises(BackupError, match=said) as refused:
        archive.check(bad)
    assert str(bad) in str(refused.value)
    target = tmp_path / "target"
    target.mkdir()
    with pytest.raises(BackupError):
        archive.unpack(bad, target)
    assert not (tmp_path / "outside").exists()
    assert sum(one.stat().st_size for one in target.rglob("*") if one.is_file()) < 50_000_000


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BackupError, match="cannot be read"):
        archive.check(tmp_path / "nothing.backup")


def test_what_waits_after_the_start_is_due_again_after_a_day_off(services, folder, clock):
    """A server that is off at three in the morning makes its backup when it is on again."""
    decide(services)
    making.make(services, folder)
    clock.pass_time(days=2, hours=5)
    assert schedule.Schedule(services).step() == 0
    assert len(making.kept(folder)) == 2
    clock.pass_time(seconds=1)
    assert 0 < schedule.Schedule(services).step() <= schedule.LONGEST_SECONDS

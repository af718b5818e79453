"""Restores that are refused, with the reason, and change nothing."""

import pytest
from doorward_server.app import open_services
from doorward_server.backup import archive, restore, running
from doorward_server.backup.archive import BackupError
from doorward_server.fleet.models import Area
from restored_bank import tree
from sqlmodel import select

pytestmark = pytest.mark.shows("S23")


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

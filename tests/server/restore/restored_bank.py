"""What tests of restores do to a bank's data, and see of it."""

import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path

from doorward_server.app import open_services
from doorward_server.backup import running
from doorward_server.fleet.models import Area


@contextmanager
def opened(settings, clock):
    """The server's services, closed again: nobody works on the data afterwards."""
    services = open_services(settings, clock)
    try:
        yield services
    finally:
        services.database.close()


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

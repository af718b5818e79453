"""The database: migrations equal models, transactions are whole, times keep their zone."""

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from doorward_server import database
from doorward_server.database import Database, after_commit
from doorward_server.fleet.models import Area, Site
from doorward_server.security.models import User
from sqlalchemy import event, inspect, text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlmodel import SQLModel, select


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'some.sqlite'}"


def differences(url):
    database.import_models()
    engine = database.open_engine(url)
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), SQLModel.metadata)
    engine.dispose()
    return found


def test_the_migrations_make_what_the_models_say(url):
    """If this fails after a change of models: python -m doorward_server.migrations "what changed"."""
    database.upgrade(url)
    assert differences(url) == []


def test_every_migration_can_be_taken_back(url):
    database.upgrade(url)
    command.downgrade(database.migration_config(url), "base")
    engine = database.open_engine(url)
    assert inspect(engine).get_table_names() == ["alembic_version"]
    engine.dispose()
    database.upgrade(url)
    assert differences(url) == []


def test_upgrading_twice_is_upgrading_once(url):
    database.upgrade(url)
    database.upgrade(url)
    assert differences(url) == []


def test_every_constraint_has_a_name():
    database.import_models()
    for table in SQLModel.metadata.sorted_tables:
        assert all(constraint.name for constraint in table.constraints), table.name


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("secure_delete", 1)],
)
def test_sqlite_keeps_what_it_says_it_keeps(services, pragma, value):
    with services.database.reading() as session:
        assert session.connection().execute(text(f"PRAGMA {pragma}")).scalar() == value


def test_a_reference_to_nothing_is_refused(session):
    session.add(Site(code="x", name_zh="x", name_en="x", kind="branch", area_id=999))
    with pytest.raises(IntegrityError):
        session.flush()
    session.rollback()


def add_area(session, code):
    session.add(Area(code=code, name_zh=code, name_en=code))
    session.flush()


def codes(services):
    with services.database.reading() as session:
        return list(session.exec(select(Area.code)))


def test_a_failed_block_leaves_nothing(services):
    def add_and_fail(session):
        add_area(session, "half")
        raise RuntimeError

    with pytest.raises(RuntimeError), services.database.writing() as session:
        add_and_fail(session)
    assert codes(services) == []


def test_looking_commits_nothing(services):
    with services.database.reading() as session:
        add_area(session, "lost")
    assert codes(services) == []


def test_writers_wait_for_each_other_instead_of_failing(services):
    """Each reads, then writes what it read plus one: none of the steps may get lost."""

    def count_up():
        for _ in range(10):
            with services.database.writing() as session:
                area = session.exec(select(Area)).one()
                area.name_en = str(int(area.name_en) + 1)
                session.add(area)

    with services.database.writing() as session:
        session.add(Area(code="count", name_zh="0", name_en="0"))
    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with services.database.reading() as session:
        assert session.exec(select(Area)).one().name_en == "40"


def test_a_reader_is_not_in_a_writers_way(services):
    with services.database.reading() as looking:
        assert list(looking.exec(select(Area))) == []
        with services.database.writing() as session:
            add_area(session, "new")
        assert list(looking.exec(select(Area))) == [], "a reader keeps the picture it began with"
    assert codes(services) == ["new"]


def test_after_commit_happens_after_the_commit_and_only_then(services):
    seen = []
    with services.database.writing() as session:
        add_area(session, "one")
        after_commit(session, lambda: seen.append(codes(services)))
        assert seen == []
    assert seen == [["one"]]

    def fail(session):
        after_commit(session, lambda: seen.append("never"))
        raise RuntimeError

    with pytest.raises(RuntimeError), services.database.writing() as session:
        fail(session)
    with services.database.writing() as session:
        add_area(session, "two")
    assert len(seen) == 1


def test_a_time_comes_back_aware_and_in_utc(services):
    moment = datetime(2026, 3, 2, 6, 0, tzinfo=timezone(timedelta(hours=8)))
    with services.database.writing() as session:
        session.add(User(login="a", name="a", role="duty", created_at=moment))
    with services.database.reading() as session:
        stored = session.exec(select(User.created_at)).one()
    assert (stored, stored.tzinfo) == (moment, UTC)


def test_a_time_without_zone_is_refused(session):
    session.add(User(login="a", name="a", role="duty", created_at=datetime(2026, 3, 2)))  # noqa: DTZ001
    with pytest.raises(StatementError, match="zone"):
        session.flush()
    session.rollback()


def test_a_get_request_never_takes_the_write_lock(client, services):
    begun = []
    event.listen(
        services.engine, "begin", lambda connection: begun.append(connection.get_execution_options())
    )
    assert client.get("/api/health").status_code == 200
    assert [options["doorward_writes"] for options in begun] == [False]


def test_a_closed_database_can_be_opened_again(url):
    database.upgrade(url)
    opened = Database(url)
    opened.close()
    with opened.reading() as session:
        assert list(session.exec(select(Area))) == []
    opened.close()


def test_a_writer_that_waits_comes_before_one_that_begins_again(url):
    """Else whoever writes much and often would keep everybody else waiting until their patience ends."""
    database.upgrade(url)
    opened = Database(url)
    order, begun = [], threading.Event()

    def write(name):
        with opened.writing() as session:
            session.connection()
            order.append(name)

    def patient():
        begun.set()
        write("patient")

    with opened.writing() as session:
        session.connection()
        order.append("busy")
        waiting = threading.Thread(target=patient)
        waiting.start()
        begun.wait()
        waiting.join(0.2)  # by then it asks for its turn
    write("busy again")
    waiting.join()
    opened.close()
    assert order == ["busy", "patient", "busy again"]

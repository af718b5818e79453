"""The link's writer: what waits shares a transaction, and whoever fails does so alone."""

import asyncio

import pytest
from doorward_server.database import Database
from doorward_server.link import writer
from doorward_server.link.writer import Writer
from doorward_server.units.models import Unit
from sqlmodel import select


@pytest.fixture
def commits(monkeypatch) -> list[None]:
    """One for each writing transaction that was begun."""
    found: list[None] = []
    writing = Database.writing
    monkeypatch.setattr(Database, "writing", lambda database: found.append(None) or writing(database))
    return found


def named(name):
    def change(session):
        session.exec(select(Unit)).one().firmware += name
        return name

    return change


def fail(session):
    session.exec(select(Unit)).one().firmware += "?"
    raise ValueError("not this one")


def do(services, unit_id, *changes):
    """What becomes of changes that come at once."""

    async def all_of_them():
        one = Writer(services)
        try:
            return await asyncio.gather(
                *(one.share(unit_id, change) for change in changes), return_exceptions=True
            )
        finally:
            await one.close()

    return asyncio.run(all_of_them())


def firmware(services) -> str:
    with services.database.reading() as session:
        return session.exec(select(Unit)).one().firmware


def test_what_waits_shares_a_transaction_in_its_order(services, unit, commits):
    assert do(services, unit.id, *map(named, "abc")) == ["a", "b", "c"]
    assert len(commits) == 1
    assert firmware(services).endswith("abc")


def test_no_transaction_is_shared_by_too_many(services, unit, commits, monkeypatch):
    monkeypatch.setattr(writer, "TOGETHER", 2)
    assert do(services, unit.id, *map(named, "abcde")) == list("abcde")
    assert len(commits) == 3


def test_who_fails_fails_alone_and_leaves_nothing(services, unit):
    a, problem, c = do(services, unit.id, named("a"), fail, named("c"))
    assert (a, c) == ("a", "c")
    assert isinstance(problem, ValueError)
    assert firmware(services).endswith("ac")


def test_a_change_that_nobody_waits_for_any_more_is_not_begun(services, unit):
    async def leave():
        one = Writer(services)
        left = asyncio.create_task(one.share(unit.id, named("left")))
        stayed = asyncio.create_task(one.share(unit.id, named("stayed")))
        await asyncio.sleep(0)
        left.cancel()
        assert await stayed == "stayed"
        await one.close()

    asyncio.run(leave())
    assert firmware(services).endswith("stayed")
    assert "left" not in firmware(services)

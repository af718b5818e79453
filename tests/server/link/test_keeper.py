"""The keeper of manifests: everybody is looked at, a few in a transaction, so that others can write."""

import asyncio
from contextlib import contextmanager

import pytest
from doorward_server.database import Database
from doorward_server.fleet.models import Site
from doorward_server.units import keeper, service
from doorward_server.units.models import Unit
from sqlmodel import select

UNITS = 7


@pytest.fixture
def units(staffed, services) -> list[int]:
    with services.database.writing() as session:
        site = session.exec(select(Site)).first()
        assert site is not None
        made = []
        for number in range(1, UNITS + 1):
            dh, signing, bundle = (bytes([number, part]) * 32 for part in range(3))
            made.append(service.register_unit(session, bytes([number]) * 8, site, dh, signing, bundle))
        return [unit.id for unit in made]


@pytest.fixture
def transactions(monkeypatch) -> list[list[int]]:
    """Which units were looked at in each writing transaction."""
    found: list[list[int]] = []
    writing = Database.writing

    @contextmanager
    def counted(database):
        with writing(database) as session:
            found.append([])
            yield session

    monkeypatch.setattr(Database, "writing", counted)
    monkeypatch.setattr(service, "refresh", lambda _session, unit: found[-1].append(unit.id))
    monkeypatch.setattr(keeper, "STEP", 3)
    return found


async def made(services) -> keeper.Keeper:
    return keeper.Keeper(services)


def test_at_first_everybody_is_looked_at_a_few_in_a_transaction(units, services, transactions):
    asyncio.run(made(services))._step(set())
    assert [len(some) for some in transactions] == [3, 3, 1]
    assert sorted(one for some in transactions for one in some) == sorted(units)


def test_later_only_those_are_looked_at_that_it_was_told_of(units, services, transactions):
    one = asyncio.run(made(services))
    one._step(set())
    transactions.clear()
    one._step(set())
    assert transactions == []
    one._step({units[1], units[4]})
    assert transactions == [[units[1], units[4]]]


def test_registered_units_have_a_manifest_and_get_no_second_one(units, services):
    asyncio.run(made(services))._step(set())
    with services.database.reading() as session:
        assert [unit.manifest_version for unit in session.exec(select(Unit))] == [1] * UNITS

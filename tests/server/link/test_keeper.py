"""The keeper of manifests: who is looked at when, a few in a transaction, so that others can write."""

import asyncio
from contextlib import contextmanager, suppress

import pytest
from doorward_server.database import Database
from doorward_server.fleet.models import Site
from doorward_server.units import keeper, manifests, service
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
    monkeypatch.setattr(service, "renew", lambda _session, unit: found[-1].append(unit.id))
    monkeypatch.setattr(keeper, "STEP", 3)
    return found


def fail(_session, _unit):
    raise OSError("the disk is full")


@pytest.fixture
def passed(monkeypatch) -> list[float]:
    """The seconds on the keeper's clock, which stands still unless a test lets time pass."""
    seconds = [0.0]
    monkeypatch.setattr(asyncio.BaseEventLoop, "time", lambda _loop: seconds[0])
    return seconds


@pytest.fixture
def kept(services, passed):
    """A keeper whose loop stands still."""

    async def make() -> keeper.Keeper:
        return keeper.Keeper(services)

    return asyncio.run(make())


@pytest.fixture
def looked_around(kept, monkeypatch):
    """A keeper that has looked at everybody."""
    monkeypatch.setattr(keeper, "PAUSE_SECONDS", 0)
    while kept._unseen is None or kept._unseen:
        kept._step(set())
    return kept


def test_after_a_start_everybody_is_looked_at_a_few_at_a_time(units, kept, transactions, monkeypatch):
    monkeypatch.setattr(keeper, "PAUSE_SECONDS", 0)
    for _ in range(4):
        kept._step(set())
    assert [len(some) for some in transactions] == [3, 3, 1]
    assert sorted(one for some in transactions for one in some) == sorted(units)


def test_the_look_at_everybody_leaves_others_their_time(units, kept, transactions, passed):
    assert kept._step(set()) == keeper.PAUSE_SECONDS
    passed[0] += keeper.PAUSE_SECONDS / 4
    assert kept._step(set()) == keeper.PAUSE_SECONDS * 3 / 4  # a plan has changed; it is no time to go on
    assert transactions == [units[:3]]
    passed[0] += keeper.PAUSE_SECONDS
    kept._step(set())
    assert transactions == [units[:3], units[3:6]]


def test_what_fails_is_looked_at_again(units, kept, transactions, monkeypatch):
    monkeypatch.setattr(keeper, "PAUSE_SECONDS", 0)
    renew = service.renew
    monkeypatch.setattr(service, "renew", fail)
    with pytest.raises(OSError, match="disk is full"):
        kept._step(set())
    monkeypatch.setattr(service, "renew", renew)
    transactions.clear()
    for _ in range(3):
        kept._step(set())
    assert transactions == [units[3:6], [*units[:2], units[6]], [units[2]]]


def test_one_that_fails_holds_up_nobody_else(units, kept, transactions, monkeypatch):
    monkeypatch.setattr(keeper, "PAUSE_SECONDS", 0)
    looked_at: list[int] = []

    def renew(session, unit):
        if unit.id == units[1]:
            fail(session, unit)
        looked_at.append(unit.id)

    monkeypatch.setattr(service, "renew", renew)
    with pytest.raises(OSError, match="disk is full"):
        kept._step(set(units))
    assert sorted(set(looked_at)) == [one for one in units if one != units[1]]
    looked_at.clear()
    for _ in range(6):
        with suppress(OSError):
            kept._step(set())
    assert sorted(set(looked_at)) == [one for one in units if one != units[1]]


def test_whom_it_was_told_of_it_looks_at_again_after_a_failure(units, services, monkeypatch):
    tries = []

    async def told() -> None:
        done = asyncio.Event()
        loop = asyncio.get_running_loop()

        def renew(session, unit):
            tries.append(unit.id)
            if len(tries) == 1:
                fail(session, unit)
            loop.call_soon_threadsafe(done.set)

        monkeypatch.setattr(service, "renew", renew)
        monkeypatch.setattr(keeper, "RETRY_SECONDS", 0)
        told_of_one = keeper.Keeper(services)
        told_of_one._unseen, told_of_one._boundary = [], None
        told_of_one.wake(units[2])
        running = asyncio.create_task(told_of_one.run())
        async with asyncio.timeout(10):
            await done.wait()
        running.cancel()

    asyncio.run(told())
    assert tries == [units[2]] * 2


def test_later_only_those_are_looked_at_that_it_was_told_of(units, looked_around, transactions):
    looked_around._step(set())
    assert transactions == []
    looked_around._step({units[4], units[1]})
    assert transactions == [[units[1], units[4]]]


def test_only_those_are_looked_at_whose_manifest_is_old(units, looked_around, transactions, services, clock):
    with services.database.writing() as session:
        half = services.settings.manifest_fresh_hours / 2
        clock.pass_time(hours=half)
        for unit_id in units[:5]:
            unit = session.get_one(Unit, unit_id)
            manifests.compile_manifest(session, unit)
    transactions.clear()
    looked_around._step(set())
    assert transactions == [units[5:]]


def test_registered_units_have_a_manifest_and_get_no_second_one(units, services, looked_around):
    with services.database.reading() as session:
        assert [unit.manifest_version for unit in session.exec(select(Unit))] == [1] * UNITS

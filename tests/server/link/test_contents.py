"""Contents on their way to units: read together, kept for a little while."""

import asyncio

import pytest
from doorward_server.link import contents
from doorward_server.link.contents import Contents
from doorward_server.people.models import Person
from doorward_server.security import biometrics
from doorward_server.units import blobs
from sqlmodel import select


@pytest.fixture
def stored(staffed, services):
    """Three contents of nobody, and one of a person."""
    with services.database.writing() as session:
        person = session.exec(select(Person)).first()
        assert person is not None
        return [blobs.put(session, bytes([n]) * 100) for n in range(3)] + [
            blobs.put(session, b"a face", person.id)
        ]


@pytest.fixture
def reads(monkeypatch):
    """The names that each read looked up."""
    found = []
    read = blobs.get_all
    monkeypatch.setattr(
        blobs, "get_all", lambda session, names: found.append(list(names)) or read(session, names)
    )
    return found


def fetch(services, *names, again=(), wait=0.0):
    """What comes for names that are asked for at once, and for others afterwards."""

    async def ask():
        one = Contents(services)
        first = await asyncio.gather(*map(one.get, names), return_exceptions=True)
        await asyncio.sleep(wait)
        second = await asyncio.gather(*map(one.get, again))
        await one.close()
        return first + second

    return asyncio.run(ask())


def test_what_is_asked_for_at_once_is_read_together(services, stored, reads):
    assert fetch(services, *stored, stored[0]) == [
        b"\0" * 100,
        b"\1" * 100,
        b"\2" * 100,
        b"a face",
        b"\0" * 100,
    ]
    assert reads == [stored]


def test_a_read_has_a_bound(services, stored, reads, monkeypatch):
    monkeypatch.setattr(contents, "AT_ONCE", 3)
    assert None not in fetch(services, *stored)
    assert reads == [stored[:3], stored[3:]]


def test_pieces_of_one_content_cost_one_read(services, stored, reads):
    fetch(services, stored[0], again=[stored[0]])
    assert len(reads) == 1


def test_nothing_is_kept_for_long(services, stored, reads, monkeypatch):
    monkeypatch.setattr(contents, "KEPT_SECONDS", 0.01)
    fetch(services, stored[3], again=[stored[3]], wait=0.1)
    assert reads == [[stored[3]]] * 2


def test_nor_is_much(services, stored, reads, monkeypatch):
    monkeypatch.setattr(contents, "KEPT_BYTES", 250)
    fetch(services, *stored[:3], again=[stored[2], stored[0]])
    assert reads == [stored[:3], stored[:1]]


def test_what_is_unknown_or_deleted_is_none(services, stored):
    with services.database.writing() as session:
        person = session.exec(select(Person)).first()
        assert person is not None
        biometrics.destroy(session, person.id)
    assert fetch(services, bytes(32), *stored[2:]) == [None, b"\2" * 100, None]


def test_who_asks_is_told_when_a_read_fails_and_the_next_one_is_made(services, stored, monkeypatch):
    def fail(_session, _names):
        monkeypatch.undo()
        raise OSError("the disk is gone")

    monkeypatch.setattr(blobs, "get_all", fail)
    one, two, three = fetch(services, stored[0], stored[1], again=[stored[0]])
    assert isinstance(one, OSError)
    assert isinstance(two, OSError)
    assert three == b"\0" * 100

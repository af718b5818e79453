"""Rows inserted together: as if each had been inserted at once."""

import pytest
from doorward_server import bulk
from doorward_server.fleet.models import Site
from doorward_server.handovers.models import Handover, HandoverEvent, Picture
from sqlmodel import select


@pytest.fixture
def site(staffed) -> int:
    return staffed.sites["north"].id


def event(number: int, unit_id: int, site_id: int) -> dict:
    row = {"id": number, "handover_id": None, "unit_id": unit_id, "site_id": site_id, "epoch": 1}
    row |= {"index": number, "name": "door", "time": 1, "received": 2, "clock_unsure": False}
    return row | {"details": {"名": [number, None, "x"]}}


def picture(name: bytes, unit_id: int) -> dict:
    row = {"hash": name, "unit_id": unit_id, "task": None, "person_id": 3, "time": 1}
    return row | {"content": name, "received": None}


@pytest.fixture
def unit_id(staffed, services) -> int:
    from doorward_server.units import service

    with services.database.writing() as session:
        site = session.exec(select(Site)).first()
        assert site is not None
        return service.register_unit(session, b"somebody", site, b"a" * 64, b"b" * 64, b"c" * 64).id


def test_rows_are_there_after_the_commit_as_they_were_given(services, unit_id, site):
    with services.database.writing() as session:
        for number in (1, 2, 3):
            bulk.insert(session, HandoverEvent, event(number, unit_id, site))
        bulk.insert(session, Picture, picture(bytes(32), unit_id))
    with services.database.reading() as session:
        events = session.exec(select(HandoverEvent).order_by("id")).all()
        assert [one.model_dump() for one in events] == [event(number, unit_id, site) for number in (1, 2, 3)]
        assert [one.model_dump() for one in session.exec(select(Picture))] == [picture(bytes(32), unit_id)]


def test_whoever_reads_the_table_within_the_transaction_sees_them(services, unit_id, site):
    with services.database.writing() as session:
        bulk.insert(session, HandoverEvent, event(1, unit_id, site))
        bulk.insert(session, Picture, picture(bytes(32), unit_id))
        assert session.exec(select(HandoverEvent.index)).all() == [1]
        found = session.get(Picture, bytes(32))
        assert found is not None
        bulk.insert(session, HandoverEvent, event(2, unit_id, site))
        assert session.exec(select(HandoverEvent.index)).all() == [1, 2]


def test_what_rows_refer_to_is_written_before_them(services, unit_id, site):
    with services.database.writing() as session:
        begun = {"vehicle_id": 1, "epc": b"", "tid": b"", "order_version": 1, "manifest_version": 1}
        begun |= {"task": 1, "nonce": bytes(8), "state": "arrived", "started": 1, "received": 1}
        handover = Handover(id=7, unit_id=unit_id, site_id=site, epoch=1, last_contact=1, **begun)
        bulk.insert(session, HandoverEvent, event(7, unit_id, site) | {"handover_id": 7})
        session.add(handover)
    with services.database.reading() as session:
        assert session.exec(select(HandoverEvent.handover_id)).all() == [7]


def test_what_is_rolled_back_or_forgotten_is_not_there(services, unit_id, site):
    with services.database.writing() as session:
        bulk.insert(session, HandoverEvent, event(1, unit_id, site))
        bulk.write(session)
        session.rollback()
    with services.database.writing() as session:
        bulk.insert(session, HandoverEvent, event(2, unit_id, site))
        bulk.forget(session)
        bulk.insert(session, HandoverEvent, event(3, unit_id, site))
    with services.database.reading() as session:
        assert session.exec(select(HandoverEvent.id)).all() == [3]

"""What a batch's records name, looked up together: the same answers as one by one, and no query left."""

import pytest
from doorward_protocol import records
from doorward_server.handovers import foreknown, newest
from doorward_server.handovers.models import Handover, HandoverEvent, Picture
from doorward_server.planning import progress
from doorward_server.planning.models import Run, Stop
from doorward_server.units.models import Unit
from sqlalchemy import event
from sqlmodel import select

PICTURE = bytes(range(32))


@pytest.fixture
def stored(online, services, delivery, day):
    """A delivery that has come as far as the closing fingers."""
    van = day.bank.vehicles[0]
    delivery.arrive(van.id, van.epc, van.tid)
    delivery.finger(delivery.crew[0], picture=PICTURE)
    delivery.crew_complete()
    delivery.approve()
    delivery.read_boxes()
    delivery.close()
    online.store_all()
    return online


def prepared(session, unit):
    newest.prepare(session, [(unit.id, unit.epoch)])
    foreknown.prepare(session, unit.entries, [PICTURE, bytes(32)])


def questions(session) -> list[str]:
    asked: list[str] = []
    event.listen(session.connection(), "before_cursor_execute", lambda *said: asked.append(said[2]))
    return asked


def test_answers_are_the_same_with_and_without_looking_up_and_cost_no_query(stored, services, delivery, day):
    task = day.tasks[0]

    def ask(session) -> list[object]:
        def read(entry):
            return foreknown.record_in(session, entry)

        stop = session.get(Stop, task)
        assert stop is not None
        handover = newest.newest(session, stored.id, stored.epoch)
        assert handover is not None
        people = [*delivery.crew, day.bank.driver.id]
        known = foreknown.picture(session, PICTURE)
        return [
            handover.id,
            known and known.hash,
            [foreknown.sensor_of(session, handover.id, person) for person in people],
            foreknown.versions(session, stop.run_id),
            sorted(one.id for one in progress.stops_of_run(session, stop.run_id)),
            session.get_one(Run, stop.run_id).status,
            [record and record.name for record in map(read, stored.entries)],
        ]

    with services.database.reading() as session:
        alone = ask(session)
    with services.database.reading() as session:
        prepared(session, stored)
        asked = questions(session)
        assert foreknown.picture(session, bytes(32)) is None
        assert ask(session) == alone
        assert asked == []


def test_it_knows_whether_a_task_has_been_begun(stored, services, day):
    with services.database.reading() as session:
        assert foreknown.may_be_begun(session, day.tasks[0])  # nothing is known: somebody has to look
        prepared(session, stored)
        assert foreknown.may_be_begun(session, day.tasks[0])
    with services.database.writing() as session:
        for model in (HandoverEvent, Handover):
            for row in session.exec(select(model)).all():
                session.delete(row)
            session.flush()
        prepared(session, stored)
        assert not foreknown.may_be_begun(session, day.tasks[0])
        handover = Handover.model_construct(id=99, task=day.tasks[0])
        foreknown.begun(session, handover)
        assert foreknown.may_be_begun(session, day.tasks[0])
        assert foreknown.sensor_of(session, 99, 5) is None
        touch = {"panel": records.PANEL_INNER, "person": 5, "sensor": "inner"}
        for number, sensor in ((8, "inner"), (7, "older")):
            said = records.Record(7, "finger", 1, 0, 1, bytes(16), touch | {"sensor": sensor})
            foreknown.note_finger(session, number, 99, said)
        assert foreknown.sensor_of(session, 99, 5) == "inner"  # the last one, whichever came last


def test_a_picture_is_remembered_once(stored, services):
    with services.database.writing() as session:
        unit = session.exec(select(Unit)).first()
        assert unit is not None
        prepared(session, stored)
        new = {"unit_id": unit.id, "task": None, "person_id": None, "time": 1, "content": None}
        for name in (PICTURE, bytes(32), bytes(32), bytes(31) + b"x", bytes(31) + b"x"):
            foreknown.name_picture(session, new | {"hash": name, "received": None})
        assert foreknown.picture(session, bytes(32)) is not None
    with services.database.reading() as session:
        assert len(session.exec(select(Picture)).all()) == 3


def test_what_cannot_be_read_is_nothing(services):
    with services.database.reading() as session:
        foreknown.prepare(session, [b"", b"\xff"], [])
        assert foreknown.record_in(session, b"\xff") is None
        assert foreknown.record_in(session, b"\x80") is None

"""What a report says, read from what was projected."""

from doorward_server.handovers.models import Handover
from doorward_server.reports import content
from sqlalchemy import event as database_event
from sqlmodel import select


def test_a_last_contact_beyond_the_calendar_is_shown_as_now(branch):
    van = branch.bank.vehicles[0]
    branch.step("vehicle", vehicle=van.id, epc=van.epc, tid=van.tid, order_version=1, manifest=1,
                last_contact=1 << 62)  # fmt: skip
    handover = branch.session.exec(select(Handover)).one()
    assert content.collect(branch.session, handover).last_contact.year == branch.clock.now().year


def test_a_report_looks_up_its_own_boxes_alone(branch):
    branch.crew_complete()
    branch.read_boxes()
    handover = branch.session.exec(select(Handover)).one()
    asked = []
    engine = branch.session.get_bind()
    database_event.listen(engine, "before_cursor_execute", note := lambda *said: asked.append(said[2]))
    try:
        report = content.collect(branch.session, handover)
    finally:
        database_event.remove(engine, "before_cursor_execute", note)
    assert report.boxes == [("B000", True), ("B001", True)]
    (query,) = (statement for statement in asked if "FROM box" in statement)
    assert "WHERE" in query

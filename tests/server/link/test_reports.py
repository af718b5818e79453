"""The report of a handover: what it says, and that it is printed once without anybody asking (S5)."""

import pytest
from doorward_server.alarms.models import Alarm
from doorward_server.fleet.models import Site
from doorward_server.handovers.models import Handover
from doorward_server.handovers.rebuild import rebuild
from doorward_server.reports import printing, service
from doorward_server.reports.models import PrintJob
from doorward_server.security.roles import Role
from pdf_text import text_of
from sqlmodel import select
from unit_client import eventually


@pytest.fixture
def spool(services, day, tmp_path):
    """The folder of the north branch's printer."""
    folder = tmp_path / "spool"
    with services.database.writing() as session:
        session.get(Site, day.bank.sites["north"].id).printer = f"spool:{folder}"
    return folder


@pytest.fixture
def deliver(online, delivery, day, clock):
    """deliver() -> the whole delivery is played and signed; returns the receipt's fields."""

    def play():
        van = day.bank.vehicles[0]
        delivery.arrive(van.id, van.epc, van.tid)
        for person in delivery.crew:
            delivery.finger(person, picture=bytes(32))
        delivery.crew_complete()
        delivery.approve()
        delivery.read_boxes()
        clock.pass_time(minutes=5)
        delivery.close()
        return online.store_all()

    return play


def number_of(services) -> int:
    with services.database.reading() as session:
        return session.exec(select(Handover.id)).one()


def test_a_sensor_with_an_endless_name_does_not_take_the_report_away(online, deliver, services, day, log_in):
    say = online.say
    online.say = lambda name, **fields: say(
        name, **fields | ({"sensor": "x" * 900} if name == "finger" else {})
    )
    deliver()
    answer = log_in(day.bank.users[Role.OFFICER]).get(f"/api/handovers/{number_of(services)}/report")
    assert answer.status_code == 200
    assert "x" * 41 not in "".join(text_of(answer.content).split())


@pytest.mark.shows("S5")
def test_the_report_names_who_closed_it_at_which_sensor(deliver, services, day, log_in, caplog):
    receipt = deliver()
    officer = log_in(day.bank.users[Role.OFFICER])
    answer = officer.get(f"/api/handovers/{number_of(services)}/report")
    assert answer.headers["content-type"] == "application/pdf"
    assert "missing" not in caplog.text, "its fonts have every character"
    text = text_of(answer.content)
    lines = text.split("\n")
    for person in (day.bank.officers["north"], day.bank.crew[0]):
        assert f"{person.name_zh} {person.name_en}" in lines
        assert person.staff_number in lines
    assert "".join(text.split()).count("内侧指纹传感器innerfingerprintsensor") == 2
    assert f"No. {number_of(services)}" in lines[0]
    assert day.bank.vehicles[0].plate in lines
    for box in day.bank.boxes[:2]:
        assert lines[lines.index(box.number) + 1] == "是 yes"
    assert lines[lines.index("任务单版本 Order version") + 1] == "1"
    assert lines[lines.index("完成 Closed") + 1] == "2026-03-02 06:05:00 +0800"
    assert lines[lines.index("到达 Arrived") + 1] == "2026-03-02 06:00:00 +0800"
    assert receipt["root"].hex() in text.replace("\n", "")
    assert (
        log_in(day.bank.users[Role.KEEPER]).get(f"/api/handovers/{number_of(services)}/report").status_code
        == 404
    )


@pytest.mark.shows("S5")
def test_it_is_printed_once_when_the_close_is_signed(spool, deliver, online, delivery, services):
    deliver()
    assert eventually(lambda: list(spool.glob("*.pdf")))
    (printed,) = spool.iterdir()
    assert "签认 Closed by a finger each" in text_of(printed.read_bytes())
    printed.unlink()
    delivery.leave()
    online.store_all()
    for index in range(len(online.entries)):
        online.send_record(index)
    online.store_all()
    with services.database.writing() as session:
        rebuild(session)
    assert not service.print_pending(services)
    assert list(spool.iterdir()) == []
    with services.database.reading() as session:
        assert session.exec(select(PrintJob.attempts)).one() == 1


def test_without_a_printer_nothing_is_printed(deliver, services):
    deliver()
    with services.database.reading() as session:
        assert session.exec(select(PrintJob)).all() == []


def test_a_failure_alarms_is_tried_again_and_ends(monkeypatch, spool, deliver, services):
    monkeypatch.setattr(service, "report", lambda *_: b"%PDF")  # drawing takes a second and has its own test
    spool.write_text("a file where the folder should be")
    deliver()

    def alarm():
        with services.database.reading() as session:
            return session.exec(select(Alarm).where(Alarm.rule == "printing_failed")).first()

    assert eventually(alarm)
    assert service.print_pending(services)  # still to be tried again
    spool.unlink()
    assert not service.print_pending(services)
    assert alarm().ended is not None
    assert len(list(spool.glob("*.pdf"))) == 1


def test_a_report_that_cannot_be_drawn_alarms_and_printing_goes_on(monkeypatch, spool, deliver, services):
    def breaks(*_):
        raise ValueError("no such glyph")

    monkeypatch.setattr(service, "report", breaks)
    deliver()
    assert eventually(lambda: _problem(services))
    assert "no such glyph" in _problem(services)
    monkeypatch.setattr(service, "report", lambda *_: b"%PDF")
    assert not service.print_pending(services)
    assert len(list(spool.glob("*.pdf"))) == 1


def test_printing_outlives_a_database_that_fails_for_a_moment(monkeypatch, services, day, spool, deliver):
    failures = [OSError("the disk is full")]

    def pending(of):
        if failures:
            raise failures.pop()
        return original(of)

    original = service.print_pending
    monkeypatch.setattr(service, "print_pending", pending)
    monkeypatch.setattr(service, "report", lambda *_: b"%PDF")
    monkeypatch.setattr(service, "RETRY_SECONDS", 0.01)
    deliver()
    assert eventually(lambda: list(spool.glob("*.pdf")))
    assert failures == []


def _problem(services):
    with services.database.reading() as session:
        return session.exec(select(PrintJob.problem)).first()


@pytest.mark.parametrize("printer", ["", "spool:", "lp:", "lp:-oraw", "ftp:somewhere", "spool"])
def test_a_printer_that_is_none_is_named(printer):
    with pytest.raises(printing.PrintError, match="neither"):
        printing.send(printer, "handover-1", b"%PDF")


def test_a_print_queue_gets_the_report_as_a_job(monkeypatch, tmp_path):
    (tmp_path / "lp").write_text('#!/bin/sh\necho "$@" > "$0.arguments"\ncat > "$0.document"\n')
    (tmp_path / "lp").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    printing.send("lp:branch", "handover-7", b"%PDF-1.3")
    assert (tmp_path / "lp.arguments").read_text() == "-d branch -t handover-7 -\n"
    assert (tmp_path / "lp.document").read_bytes() == b"%PDF-1.3"
    (tmp_path / "lp").write_text("#!/bin/sh\necho 'no such queue' >&2\nexit 1\n")
    with pytest.raises(printing.PrintError, match="no such queue"):
        printing.send("lp:branch", "handover-7", b"%PDF-1.3")

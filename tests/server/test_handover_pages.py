"""The handovers' page: a day's attempts with their ends, reports, and evidence for auditors alone."""

import pytest
from doorward_protocol import errors
from doorward_server.console.texts import text
from doorward_server.handovers.models import Handover
from doorward_server.security.roles import Role
from sqlmodel import select


@pytest.fixture
def closed(branch, session) -> int:
    """The number of a handover that is over."""
    branch.crew_complete()
    branch.approve()
    branch.read_boxes()
    branch.close()
    branch.step("left")
    session.commit()
    return session.exec(select(Handover.id)).one()


@pytest.fixture
def frozen(branch, session) -> int:
    branch.crew_complete()
    branch.step("frozen", reason=errors.PICTURE_MISMATCH)
    session.commit()
    return session.exec(select(Handover.id)).one()


@pytest.mark.shows("S22", "S23")
def test_a_day_s_handovers_are_listed_with_their_reports(closed, session, log_in, staffed):
    session.commit()
    page = log_in(staffed.users[Role.DUTY]).get("/handovers").text
    for said in ("06:00:00", "north站", "京A10001", "姓E000、姓E001", text("stage_left", "zh"), "2 / 2"):
        assert said in page
    assert f"/api/handovers/{closed}/report" in page
    assert text("make_evidence", "zh") not in page


def test_what_froze_says_why_and_has_no_report(frozen, session, log_in, staffed):
    session.commit()
    page = log_in(staffed.users[Role.DUTY]).get("/handovers?date=2026-03-02").text
    assert text("stage_frozen", "zh") in page
    assert "照片" in page
    assert f"/api/handovers/{frozen}/report" not in page


def test_another_day_has_others(closed, session, log_in, staffed):
    session.commit()
    browser = log_in(staffed.users[Role.AUDITOR])
    assert text("no_handovers", "zh") in browser.get("/handovers?date=2026-03-01").text
    page = browser.get("/handovers").text
    assert 'href="/handovers?date=2026-03-01"' in page
    assert f'action="/handovers/{closed}/evidence"' in page


def test_marks_of_trouble_are_shown(closed, session, log_in, staffed):
    handover = session.get(Handover, closed)
    handover.twin = handover.revoked_version = True
    session.add(handover)
    session.commit()
    page = log_in(staffed.users[Role.AUDITOR]).get("/handovers").text
    assert text("mark_twin", "zh") in page
    assert text("mark_revoked", "zh") in page


def test_evidence_without_a_signature_is_refused_on_a_page(closed, session, log_in, staffed):
    session.commit()
    browser = log_in(staffed.users[Role.AUDITOR])
    answer = browser.post(f"/handovers/{closed}/evidence", headers={"accept": "text/html"})
    assert (answer.status_code, "尚未对这次交接的记录签名" in answer.text) == (409, True)
    duty = log_in(staffed.users[Role.DUTY])
    assert duty.post(f"/handovers/{closed}/evidence").status_code == 403
    assert log_in(staffed.users[Role.OFFICER]).get("/handovers").status_code == 403

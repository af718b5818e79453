"""The auditors' page: who changed what, field by field, and whether the journal is whole (F8)."""

import re
from pathlib import Path

import doorward_server
import pytest
from doorward_protocol import cbor
from doorward_server.audit import service as audit
from doorward_server.audit.models import Decision
from doorward_server.audit.verifier import FINDINGS
from doorward_server.console import audit_view
from doorward_server.console.decision_texts import DECISIONS
from doorward_server.console.texts import text
from doorward_server.planning import service as planning
from doorward_server.planning.models import RequestStatus, RunStatus
from doorward_server.security import four_eyes
from doorward_server.security.models import User
from doorward_server.security.roles import Role
from page_parts import part_of
from server_bank import plan
from sqlmodel import col, select

SOURCES = sorted(Path(doorward_server.__path__[0]).rglob("*.py"))
# Kinds that are put together from a prefix or an end and a value.
MADE = {
    *(f"run_{status}" for status in RunStatus if status != RunStatus.CLOSED),
    *(f"approval_{state}" for state in ("approved", "refused", four_eyes.WITHDRAWN, four_eyes.EXPIRED)),
    *(f"task_request_{status}" for status in RequestStatus if status != RequestStatus.OPEN),
}


@pytest.fixture
def auditor(session, log_in, staffed):
    session.commit()
    return log_in(staffed.users[Role.AUDITOR])


@pytest.fixture
def changed(session, staffed, clock):
    """A draft whose note has been changed."""
    user = session.get(User, staffed.dispatcher.id)
    run = planning.create_run(session, user, plan(staffed, clock.now()))
    planning.edit_run(session, user, run, plan(staffed, clock.now(), note="雨天"))
    session.commit()
    return run


def entries(page: str) -> list[str]:
    return re.findall(r'(?s)<li class="card" id="entry-\d+">(.*?)</li>', page)


def test_every_kind_of_decision_has_words():
    written = set(MADE)
    for source in SOURCES:
        content = source.read_text()
        written |= set(re.findall(r'audit\.record\(\s*[\w.]+, [\w. ]+, "(\w+)"', content))
        written |= {f"{what}_imported" for what in re.findall(r'self\._put\(\s*"(\w+)"', content)}
    assert len(written) > 30
    assert written - DECISIONS.keys() == set()
    for both in DECISIONS.values():
        assert all(both)


@pytest.mark.shows("F8", "S23", "S19")
def test_an_auditor_reads_who_changed_what_field_by_field(changed, auditor, staffed):
    newest, first = entries(auditor.get(f"/audit?subject=run:{changed.id}").text)
    assert DECISIONS["run_edited"][0] in newest
    assert staffed.dispatcher.name in newest
    assert re.search(r"<dt>note</dt><dd><del>–</del>.*<ins>雨天</ins>", newest)
    assert newest.count("<dt>") == 1  # what did not change is not there
    assert DECISIONS["run_created"][0] in first
    assert "<del>" not in first
    assert "京A10001" in first


def test_the_journal_is_gone_through_by_kind_and_page(changed, auditor, monkeypatch):
    assert len(entries(auditor.get("/audit?kind=run_edited").text)) == 1
    assert text("nothing_decided", "zh") in auditor.get("/audit?kind=no_such").text
    monkeypatch.setattr(audit_view, "PAGE_LENGTH", 1)
    page = auditor.get(f"/audit?subject=run:{changed.id}").text
    assert DECISIONS["run_edited"][0] in entries(page)[0]
    address = part_of(page, r'href="(/audit\?subject=run%3A\d+&amp;before=\d+)"')
    older = auditor.get(address.replace("&amp;", "&")).text
    assert DECISIONS["run_created"][0] in entries(older)[0]
    assert f'href="/audit?subject=run%3A{changed.id}"' in older  # back to the newest


def test_what_was_deleted_or_overwritten_is_said(session, changed, auditor):
    query = select(Decision).where(Decision.subject == f"run:{changed.id}").order_by(col(Decision.index))
    deleted, spoiled = session.exec(query).all()
    audit.delete_content(session, None, deleted, "retention")
    spoiled.entry = b"\xff"
    session.add(spoiled)
    session.commit()
    newest, first = entries(auditor.get(f"/audit?subject=run:{changed.id}").text)
    assert text("content_deleted", "zh") in first
    assert "unreadable" in newest
    page = auditor.get("/audit/check").text
    assert text("journal_broken", "zh", size=spoiled.index + 2, count=1) in page
    assert f"#{spoiled.index}: {FINDINGS['content_changed'][0]}" in page


@pytest.mark.parametrize("time", [2**62, -(2**62), 10**16])
def test_a_row_that_somebody_has_spoiled_does_not_hide_the_others(session, changed, auditor, time):
    spoiled = session.exec(select(Decision).where(Decision.subject == f"run:{changed.id}")).first()
    spoiled.time, spoiled.entry = time, cbor.encode(["run_created", 1, 1, "x", b"", [1], 2])
    session.add(spoiled)
    session.commit()
    shown = entries(auditor.get("/audit").text)
    (bad,) = (one for one in shown if "unreadable" in one)
    assert str(time) in bad
    assert len(shown) > 1
    assert f"#{spoiled.index}: {FINDINGS['content_changed'][0]}" in auditor.get("/audit/check").text


def test_a_whole_journal_is_said_to_be_whole(session, changed, auditor):
    last = audit.head(session)
    assert last is not None
    size = last.index + 1
    session.commit()
    assert text("journal_whole", "zh", size=size) in auditor.get("/audit/check").text


def test_long_values_are_cut_and_nothing_is_taken_for_html(session, auditor):
    audit.record(session, None, "note<b>", "x", None, {"long": "长" * 500, "bad": "<script>"})
    session.commit()
    (shown,) = entries(auditor.get("/audit?subject=x").text)
    assert "长" * audit_view.LONGEST_VALUE + "…" in shown
    assert "长" * (audit_view.LONGEST_VALUE + 1) not in shown
    assert "&lt;script&gt;" in shown
    assert "note&lt;b&gt;" in shown


def test_only_auditors_come_to_the_journal(log_in, staffed):
    for role in set(Role) - {Role.AUDITOR}:
        browser = log_in(staffed.users[role])
        assert browser.get("/audit").status_code == browser.get("/audit/check").status_code == 403
        assert 'href="/audit"' not in browser.get("/account").text

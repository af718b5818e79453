"""The journal of decisions: what it holds, that it proves it, and that no touch goes unnoticed."""

from datetime import UTC, date, datetime

import pytest
from doorward_protocol import merkle_proofs
from doorward_server.audit import entries, service
from doorward_server.audit.models import Decision
from doorward_server.audit.verifier import Leaf, check
from doorward_server.security.models import User
from doorward_server.security.roles import Role
from sqlalchemy import text
from sqlmodel import col, select

pytestmark = pytest.mark.shows("S23", "F8")

EVENTS = 7


@pytest.fixture
def journal(services, staffed):
    """A journal of a few decisions; returns the services."""
    with services.database.writing() as session:
        user = session.get(User, staffed.dispatcher.id)
        for number in range(EVENTS):
            before = {"name": "old", "kept": 1, "since": date(2026, 1, 2)}
            after = {"name": f"new {number}", "kept": 1, "since": date(2026, 1, 3)}
            service.record(session, user, "thing_changed", f"thing:{number}", before, after)
    return services


def newest(session):
    last = service.head(session)
    assert last is not None
    return last


def findings(services):
    with services.database.reading() as session:
        return [(found.position, found.what) for found in service.verify(session)]


def test_an_untouched_journal_has_no_findings(journal):
    assert findings(journal) == []


def test_an_entry_holds_both_sides_of_what_changed_and_nothing_else(journal, staffed):
    with journal.database.reading() as session:
        entry = entries.decode(session.get(Decision, 3).entry)
    assert entry.before == {"name": "old", "since": "2026-01-02"}
    assert entry.after == {"name": "new 3", "since": "2026-01-03"}
    assert (entry.kind, entry.subject, entry.actor) == ("thing_changed", "thing:3", staffed.dispatcher.id)
    assert entry.time == journal.clock.milliseconds()
    assert len(entry.salt) == entries.SALT_BYTES


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("UPDATE decision SET entry = X'80' WHERE \"index\" = 2", {(2, "content_changed")}),
        (
            'UPDATE decision SET entry = (SELECT entry FROM decision WHERE "index" = 1) WHERE "index" = 2',
            {(2, "content_changed"), (2, "columns_differ")},
        ),
        ('DELETE FROM decision WHERE "index" = 2', {(2, "position_missing")}),
        ("UPDATE decision SET head = X'00' WHERE \"index\" = 2", {(2, "head_signature")}),
        (
            'UPDATE decision SET head = (SELECT head FROM decision WHERE "index" = 1) WHERE "index" = 2',
            {(2, "head_differs")},
        ),
        (
            'UPDATE decision SET leaf_hash = zeroblob(32), entry = NULL WHERE "index" = 5',
            {(5, "content_missing"), (5, "head_differs"), (6, "head_differs")},
        ),
        ('UPDATE decision SET entry = NULL WHERE "index" = 2', {(2, "content_missing")}),
        ('UPDATE decision SET actor_id = 1 + actor_id WHERE "index" = 2', {(2, "columns_differ")}),
        ("UPDATE decision SET kind = 'other' WHERE \"index\" = 2", {(2, "columns_differ")}),
        ("UPDATE decision SET subject = 'thing:1' WHERE \"index\" = 2", {(2, "columns_differ")}),
        ('UPDATE decision SET time = 1 WHERE "index" = 2', {(2, "columns_differ")}),
    ],
)
def test_every_touch_shows(journal, change, expected):
    with journal.database.writing() as session:
        session.connection().execute(text(change))
    assert set(findings(journal)) == expected


def test_a_history_rewritten_whole_shows_against_a_head_that_somebody_kept(journal):
    """Whoever has the server's key can sign another history, but not one that fits an older head."""
    with journal.database.reading() as session:
        kept = newest(session).head
    with journal.database.writing() as session:
        session.connection().execute(text("DELETE FROM decision"))
        for number in range(EVENTS + 2):
            service.record(session, None, "another_story", f"thing:{number}", None, {})
    assert findings(journal) == []
    assert (EVENTS - 1, "known_head_differs") in against(journal, kept)


def test_a_cut_off_end_shows_against_a_head_that_somebody_kept(journal):
    with journal.database.reading() as session:
        kept = newest(session).head
    with journal.database.writing() as session:
        session.connection().execute(text(f'DELETE FROM decision WHERE "index" >= {EVENTS - 2}'))
    assert findings(journal) == []
    assert against(journal, kept) == [(EVENTS - 2, "end_missing")]


def test_a_made_up_kept_head_is_recognised(journal):
    assert against(journal, b"\x80") == [(EVENTS, "known_head_signature")]


def against(services, known_head):
    with services.database.reading() as session:
        key = service.journal_key(session)
        rows = session.connection().execute(
            text('SELECT "index", leaf_hash, entry, head FROM decision ORDER BY "index"')
        )
        found = check((Leaf(*row) for row in rows), services.suite, key.kid, key.public, known_head)
    return [tuple(finding) for finding in found]


@pytest.mark.shows("D17")
def test_content_can_be_deleted_and_the_journal_still_holds(journal, staffed):
    with journal.database.writing() as session:
        user = session.get(User, staffed.dispatcher.id)
        service.delete_content(session, user, session.get(Decision, 2), "retention")
    assert findings(journal) == []
    with journal.database.reading() as session:
        assert session.get(Decision, 2).entry is None
        assert entries.decode(session.get(Decision, EVENTS).entry).kind == "entry_deleted"


@pytest.mark.parametrize("index", range(EVENTS))
def test_every_entry_is_provably_in_the_journal(journal, index):
    with journal.database.reading() as session:
        proof = service.proof(session, index)
    assert merkle_proofs.verify_inclusion(proof.leaf_hash, index, proof.size, proof.path, proof.root)


def test_a_decision_that_is_rolled_back_leaves_no_entry(journal):
    def decide_and_fail(session):
        service.record(session, None, "never", "thing:0", None, {})
        raise RuntimeError

    with pytest.raises(RuntimeError), journal.database.writing() as session:
        decide_and_fail(session)
    with journal.database.reading() as session:
        assert newest(session).index == EVENTS - 1


def test_auditors_read_prove_check_and_export(journal, log_in, staffed):
    auditor = log_in(staffed.users[Role.AUDITOR])
    (entry,) = auditor.get("/api/audit/decisions", params={"subject": "thing:3"}).json()
    assert entry["after"]["name"] == "new 3"
    page = auditor.get("/api/audit/decisions", params={"first": 2, "count": 2}).json()
    assert [row["index"] for row in page] == [2, 3]
    proof = auditor.get("/api/audit/decisions/3/proof").json()
    path = [bytes.fromhex(node) for node in proof["path"]]
    leaf, root = bytes.fromhex(proof["leaf_hash"]), bytes.fromhex(proof["root"])
    assert merkle_proofs.verify_inclusion(leaf, 3, proof["size"], path, root)
    assert auditor.get("/api/audit/decisions/999/proof").status_code == 404
    assert auditor.get("/api/audit/verification").json() == {"size": EVENTS, "findings": []}


def test_an_export_is_checked_with_nothing_but_the_public_key(journal, log_in, staffed, services):
    export = log_in(staffed.users[Role.AUDITOR]).get("/api/audit/export").json()
    rows = [
        Leaf(row["index"], *(bytes.fromhex(row[name]) for name in ("leaf_hash", "entry", "head")))
        for row in export["entries"]
    ]
    kid, public = bytes.fromhex(export["kid"]), bytes.fromhex(export["public_key"])
    assert check(rows, services.suite, kid, public) == []
    assert len(rows) == export["size"] == EVENTS
    rows[4] = rows[4]._replace(entry=rows[3].entry)
    assert check(rows, services.suite, kid, public)


def test_an_entry_that_cannot_be_read_is_shown_as_it_is(journal, log_in, staffed):
    with journal.database.writing() as session:
        session.connection().execute(text("UPDATE decision SET entry = X'FF' WHERE \"index\" = 2"))
    rows = log_in(staffed.users[Role.AUDITOR]).get("/api/audit/decisions").json()
    assert rows[2]["after"] == {"unreadable": "ff"}


def test_values_become_plain():
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    values = {
        "role": Role.DUTY,
        "at": moment,
        "people": {3, 1},
        "crew": [(1, date(2026, 1, 2))],
        "none": None,
    }
    assert entries.plain(values) == {
        "role": "duty",
        "at": 1767225600000,
        "people": [1, 3],
        "crew": [[1, "2026-01-02"]],
        "none": None,
    }


def test_something_else_is_no_entry():
    with pytest.raises(ValueError, match="no entry"):
        entries.decode(b"\x80")


def leaves_of(session):
    rows = session.exec(select(Decision).order_by(col(Decision.index)))
    return [Leaf(row.index, row.leaf_hash, row.entry, row.head) for row in rows]


def test_an_epoch_begins_with_a_restore_and_names_where_it_left_the_old_one(journal):
    """A head from before the backup proves as much as ever; one from after it tells of a loss."""
    with journal.database.writing() as session:
        key = service.journal_key(session)
        size = newest(session).index + 1
        old = newest(session).head
        lost = service.record(session, None, "thing_changed", "thing:lost", None, {}).head
        session.rollback()
        service.record(session, None, "restored", "server", None, {"made": 1}, new_epoch=77)
        service.record(session, None, "thing_changed", "thing:later", None, {})
        late = newest(session).head
        assert service.epoch(session) == 77
        checked = (leaves_of(session), journal.suite, key.kid, key.public)
    assert check(*checked) == []
    assert check(*checked, known_head=old) == []
    assert check(*checked, known_head=late) == []
    assert check(*checked, known_head=lost) == [(size, "known_head_restored")]


@pytest.mark.parametrize(
    ("kind", "epoch"), [("thing_changed", 77), ("restored", 0)], ids=["without a word", "backwards"]
)
def test_an_epoch_that_nothing_explains_is_found(journal, kind, epoch):
    with journal.database.writing() as session:
        size = newest(session).index + 1
        service.record(session, None, kind, "server", None, {}, new_epoch=epoch)
    assert findings(journal) == [(size, "epoch_unexplained")]

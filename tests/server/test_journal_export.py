"""The journal of decisions, taken away by an auditor and checked by `doorward verify` (F8)."""

import json
from pathlib import Path

import pytest
from doorward_server.audit import export
from doorward_server.audit import service as audit
from doorward_server.audit.verifier import FINDINGS
from doorward_server.evidence.verifier import fingerprint
from doorward_server.security.roles import Role
from doorward_tools.main import app
from typer.testing import CliRunner


@pytest.fixture
def taken(log_in, staffed, tmp_path):
    """taken(name) -> the file that an auditor takes away now."""

    def take(name: str) -> Path:
        answer = log_in(staffed.users[Role.AUDITOR]).post("/audit/export")
        assert 'filename="decisions.journal"' in answer.headers["content-disposition"]
        (tmp_path / name).write_bytes(answer.content)
        return tmp_path / name

    return take


def verify(*arguments: object):
    return CliRunner().invoke(app, ["verify", *map(str, arguments)])


def spoil(path: Path, line: int, **changes) -> Path:
    """Change fields in a line of the file (0: the key's)."""
    rows = path.read_text().splitlines()
    rows[line] = json.dumps(json.loads(rows[line]) | changes)
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.mark.shows("F8")
def test_a_journal_that_was_taken_away_is_whole_and_goes_on_from_an_earlier_one(taken, services):
    earlier, later = taken("earlier"), taken("later")
    with services.database.reading() as session:
        key = fingerprint(audit.journal_key(session).public)
    said = verify(later, "--earlier", earlier, "--journal", key)
    assert (said.exit_code, "Everything holds." in said.output, key in said.output) == (0, True, True)
    told = json.loads(verify(later, "--json").output)
    assert told["findings"] == []
    assert told["decisions"] == len(later.read_text().splitlines()) - 1
    assert json.loads(later.read_text().splitlines()[-1])["entry"]  # that it was taken away
    assert verify(later, "--journal", "00").exit_code == 1


def test_an_earlier_journal_betrays_one_that_was_cut_or_written_anew(taken):
    earlier, later = taken("earlier"), taken("later")
    said = verify(earlier, "--earlier", later)
    assert (said.exit_code, FINDINGS["end_missing"][1] in said.output) == (1, True)


@pytest.mark.parametrize(
    ("line", "changes", "finding"),
    [
        (1, {"entry": "00"}, "content_changed"),
        (1, {"entry": None}, "content_missing"),
        (1, {"leaf_hash": "00" * 32, "entry": None}, "head_differs"),
        (1, {"head": "00"}, "head_signature"),
        (1, {"index": 7}, "position_missing"),
    ],
)
def test_what_was_changed_is_told(taken, line, changes, finding):
    said = verify(spoil(taken("file"), line, **changes), "--language", "zh")
    assert said.exit_code == 1
    assert FINDINGS[finding][0] in said.output


@pytest.mark.parametrize(
    ("line", "changes"),
    [
        (0, {"format": "doorward-journal-9"}),
        (0, {"kid": 7}),
        (0, {"public_key": "x"}),
        (1, {"index": None}),
        (1, {"head": "x"}),
        (1, {"leaf_hash": None}),
    ],
)
def test_a_line_that_makes_no_sense_is_refused(taken, line, changes):
    said = verify(spoil(taken("file"), line, **changes))
    assert (said.exit_code, "neither an evidence pack nor a journal" in said.stderr) == (2, True)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff\xfe", b"{}\n", b"{" * 100_000])
def test_what_is_no_journal_is_refused(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    assert verify(tmp_path / "file").exit_code == 2


def test_a_line_without_an_end_is_not_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "LONGEST_LINE", 1000)
    (tmp_path / "file").write_bytes(b'{"format": "' + b"x" * 5000)
    assert verify(tmp_path / "file").exit_code == 2


def test_only_auditors_take_the_journal_away(log_in, staffed):
    for role in set(Role) - {Role.AUDITOR}:
        assert log_in(staffed.users[role]).post("/audit/export").status_code == 403

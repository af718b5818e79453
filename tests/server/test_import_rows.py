"""Every kind of bad row: named by sheet, row, column and reason, and nothing written."""

import datetime

import import_folder
import pytest
from doorward_server import database
from doorward_server.importing import findings as texts
from doorward_server.importing import service
from import_folder import cell
from sqlmodel import SQLModel, func, select

pytestmark = pytest.mark.shows("S20")

ROW = 2  # of the first data row, as the spreadsheet counts


@pytest.fixture
def imported(services, tmp_path):
    """imported(change) -> the findings of importing the bank so: (sheet, row, column, reason) each."""

    def run(change=None):
        folder = import_folder.write(tmp_path / "bank", change)
        with services.database.writing() as session:
            report = service.import_folder(session, folder)
        assert report.applied == (not report.findings)
        return [(found.sheet, found.row, found.column, found.reason) for found in report.findings]

    return run


def rows_in(services):
    with services.database.reading() as session:
        tables = SQLModel.metadata.sorted_tables
        counts = [session.connection().execute(select(func.count()).select_from(table)) for table in tables]
        return sum(count.scalar_one() for count in counts)


BAD_CELLS = [
    ("sites", "code", None, "value_missing"),
    ("sites", "code", "no spaces", "code_bad"),
    ("sites", "code", "../../etc", "code_bad"),
    ("sites", "code", "a'; DROP TABLE site; --", "code_bad"),
    ("sites", "code", "x" * 41, "code_bad"),
    ("sites", "name_zh", "x" * 81, "text_bad"),
    ("sites", "name_zh", "two\nlines", "text_bad"),
    ("sites", "name_zh", "left‮right", "text_bad"),
    ("sites", "name_zh", "@SUM(A1)", "text_bad"),
    ("sites", "name_zh", True, "text_expected"),
    ("sites", "name_zh", 1.5, "text_expected"),
    ("sites", "name_zh", datetime.datetime(2026, 1, 1), "text_expected"),  # noqa: DTZ001
    ("sites", "name_zh", "=1+1", "formula"),
    ("sites", "name_zh", '=HYPERLINK("http://evil.example","x")', "formula"),
    ("sites", "name_zh", "#REF!", "cell_error"),
    ("sites", "kind", "castle", "choice_bad"),
    ("people", "role", "boss", "choice_bad"),
    ("people", "permit_until", "31.12.2026", "date_bad"),
    ("people", "permit_until", "2026-02-30", "date_bad"),
    ("people", "permit_until", 46022, "date_bad"),
    ("people", "card_uid", "xyz", "hex_bad"),
    ("people", "card_uid", "AB", "hex_bad"),
    ("people", "card_uid", "00" * 11, "hex_bad"),
    ("fingers", "finger", 0, "number_bad"),
    ("fingers", "finger", 11, "number_bad"),
    ("fingers", "finger", 1.5, "number_bad"),
    ("fingers", "finger", "one", "number_bad"),
    ("fingers", "finger", "9" * 40, "number_bad"),
    ("fingers", "duress", "maybe", "choice_bad"),
    ("vehicles", "epc", 30361234, "text_expected"),
    ("vehicles", "epc", "E28", "hex_bad"),
    ("vehicles", "epc", "E280116001", "hex_bad"),
    ("vehicles", "epc", "E2" * 32, "hex_bad"),
    ("vehicles", "tid", None, "value_missing"),
    ("vehicles", "tid", "E2801105", "hex_bad"),
    ("boxes", "tid", "E2" * 24, "hex_bad"),
    ("users", "login", "Root", "code_bad"),
    ("users", "role", "superuser", "choice_bad"),
    ("users", "language", "fr", "choice_bad"),
]


@pytest.mark.parametrize(("sheet", "column", "value", "reason"), BAD_CELLS)
def test_a_bad_cell_is_named_and_nothing_is_written(imported, services, sheet, column, value, reason):
    before = rows_in(services)
    found = imported(cell(sheet, 0, column, value))
    assert (sheet, ROW, column, reason) in found
    others = {other for *_, other in found} - {reason}
    assert others <= {"unknown_reference"}, "rows that refer to a bad code"
    assert rows_in(services) == before


def copy_row(sheet, **changes):
    def change(rows, headings):
        copied = list(rows[sheet][0])
        for column, value in changes.items():
            copied[headings[sheet].index(column)] = value
        rows[sheet].append(copied)

    return change


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (copy_row("companies"), [("companies", 3, "code", "twice")]),
        (copy_row("boxes", number="B003"), [("boxes", 4, "epc", "taken"), ("boxes", 4, "tid", "taken")]),
        (
            copy_row("boxes", number="B003", epc="E2801160AA01", tid="E2FF"),
            [("boxes", 4, "tid", "hex_bad")],
        ),
        (
            copy_row("boxes", number="B003", epc="E2801160AA01", tid="E2FFFFFFFFFFFFFF"),
            [("boxes", 4, "epc", "taken")],
        ),
        (copy_row("people", staff_number="E003"), [("people", 7, "card_uid", "taken")]),
        (copy_row("fingers"), [("fingers", 5, "staff_number", "twice")]),
        (copy_row("users"), [("users", 5, "login", "twice")]),
    ],
)
def test_what_is_unique_is_not_there_twice(imported, change, expected):
    assert imported(change) == expected


@pytest.mark.parametrize(
    ("sheet", "column"),
    [
        ("people", "company"),
        ("fingers", "staff_number"),
        ("vehicles", "company"),
        ("boxes", "home_site"),
        ("users", "site"),
        ("users", "staff_number"),
    ],
)
def test_a_reference_leads_somewhere(imported, sheet, column):
    assert imported(cell(sheet, 0, column, "nowhere")) == [(sheet, ROW, column, "unknown_reference")]


def test_a_reference_to_a_bad_row_is_not_called_bad_as_well(imported):
    assert imported(cell("companies", 0, "name_zh", None)) == [("companies", ROW, "name_zh", "value_missing")]


@pytest.mark.parametrize(
    ("row", "column", "value", "reason"),
    [
        (0, "company", None, "needs"),
        (0, "permit_until", None, "needs"),
        (0, "site", "north", "must_not"),
        (3, "site", None, "needs"),
        (3, "company", "safe", "must_not"),
    ],
)
def test_a_role_has_what_it_needs(imported, row, column, value, reason):
    assert imported(cell("people", row, column, value)) == [("people", ROW + row, column, reason)]


def test_users_of_a_site_have_one(imported):
    assert imported(cell("users", 0, "site", None)) == [("users", ROW, "site", "needs")]


def test_all_findings_come_at_once(imported):
    def change(rows, headings):
        for sheet, column, value in (("sites", "kind", "castle"), ("people", "role", "boss")):
            cell(sheet, 0, column, value)(rows, headings)
        cell("people", 1, "permit_until", "soon")(rows, headings)

    places = [(sheet, row) for sheet, row, _, _ in imported(change)]
    assert places == [("people", 2), ("people", 3), ("sites", 2)]


def rename(sheet, old, new):
    def change(_, headings):
        headings[sheet] = [new if title == old else title for title in headings[sheet]]

    return change


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            rename("sites", "kind", "sort"),
            [("sites", 1, "sort", "column_unknown"), ("sites", 1, "kind", "column_missing")],
        ),
        (
            rename("sites", "host_printer", "kind"),
            [("sites", 1, "kind", "column_twice")],
        ),
    ],
)
def test_headings_are_as_agreed(imported, change, expected):
    assert [found for found in imported(change) if found[0] == "sites"] == expected


def test_a_mistyped_sheet_is_not_overlooked(imported):
    def change(rows, headings):
        rows["vehicels"] = rows.pop("vehicles")

    assert imported(change) == [("vehicels", 0, "", "unknown_sheet")]


def test_a_workbook_without_rows_is_said_to_be_empty(imported):
    def change(rows, _):
        for sheet in rows:
            rows[sheet] = []

    assert imported(change) == [("", 0, "", "empty_workbook")]


def test_empty_rows_and_spaces_do_not_matter(imported, services):
    def change(rows, _):
        rows["sites"].insert(1, [None, "  ", "", None])
        rows["sites"][0][1] = "  金库  "

    assert imported(change) == []


def test_whole_numbers_pass_for_text_where_nothing_is_lost(imported):
    def change(rows, headings):
        cell("people", 4, "staff_number", 4711)(rows, headings)
        cell("boxes", 0, "number", 17.0)(rows, headings)

    assert imported(change) == []


def test_every_finding_speaks_chinese_and_english_and_says_what_to_do():
    database.import_models()
    names = ("value", "allowed", "limit", "least", "most", "lengths", "folder", "other", "what", "role")
    for reason in texts.REASONS:
        found = texts.finding(reason, "people", 3, "role", **dict.fromkeys(names, "X"))
        for chinese in (found.message_zh, found.what_to_do_zh):
            assert any("一" <= letter <= "鿿" for letter in chinese)
        for english in (found.message_en, found.what_to_do_en):
            assert english.isascii()
        assert "{" not in "".join(found[4:])

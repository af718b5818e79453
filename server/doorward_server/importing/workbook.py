"""Reads the workbook into rows of values, within bounds, and refuses what has no place in it.

Read as a stream; sizes are bounded before and while unpacking; formulas and error values are refused; links
to other files are not followed; entity tricks are stopped by defusedxml, which openpyxl uses.
"""

import importlib.util
import io
import zipfile
from collections.abc import Iterator
from typing import Any, NamedTuple

from doorward_server.importing.columns import SHEETS, Column
from doorward_server.importing.findings import Finding, finding

MOST_ROWS = 20_000
MOST_COLUMNS = 40
# 5,000 people with 10,000 fingers and 5,000 boxes have 6 MB. A parser takes 25 times as much memory at worst.
UNPACKED_LIMIT = 32 * 1024 * 1024
PARTS_LIMIT = 1000

if importlib.util.find_spec("defusedxml") is None:
    raise ImportError("workbooks are not read without defusedxml; install it")


class Row(NamedTuple):
    """One row: its number as the spreadsheet shows it, and its parsed values by column."""

    number: int
    values: dict[str, Any]


class Workbook(NamedTuple):
    """What a workbook says, and what is wrong with it.

    Rows with a bad value are kept apart, so that others that refer to them are not called wrong as well.
    """

    sheets: dict[str, list[Row]]
    broken: dict[str, list[Row]]
    findings: list[Finding]


def read(content: bytes) -> Workbook:
    """Read a whole workbook. Never raises for a bad one: that is what findings are for."""
    from openpyxl import load_workbook  # the server starts without it

    sheets: dict[str, list[Row]] = {name: [] for name in SHEETS}
    broken: dict[str, list[Row]] = {name: [] for name in SHEETS}
    refusal = _refuse_package(content)
    if refusal is not None:
        return Workbook(sheets, broken, [refusal])
    findings: list[Finding] = []
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        for sheet in book.worksheets:
            if sheet.title not in SHEETS:
                allowed = ", ".join(SHEETS)
                findings.append(finding("unknown_sheet", sheet.title, value=sheet.title, allowed=allowed))
                continue
            sheet.reset_dimensions()  # the file's own word on its size counts for nothing
            rows, bad, wrong = _read_sheet(
                sheet.title, sheet.iter_rows(max_row=MOST_ROWS + 2, max_col=MOST_COLUMNS)
            )
            sheets[sheet.title].extend(rows)
            broken[sheet.title].extend(bad)
            findings.extend(wrong)
    except Exception:  # a hostile file can make a parser fail in any way
        findings.append(finding("workbook_unreadable"))
    if not findings and not any(sheets.values()):
        findings.append(finding("empty_workbook"))
    return Workbook(sheets, broken, findings)


def _refuse_package(content: bytes) -> Finding | None:
    """Judge the package by its table of contents before unpacking it (zipfile unpacks no more than that)."""
    try:
        parts = zipfile.ZipFile(io.BytesIO(content)).infolist()
    except Exception:  # a hostile one can make zipfile fail in any way, too
        return finding("workbook_unreadable")
    if len(parts) > PARTS_LIMIT or sum(part.file_size for part in parts) > UNPACKED_LIMIT:
        return finding("too_large", limit=f"{UNPACKED_LIMIT // 1024 // 1024} MB")
    return None


def _read_sheet(name: str, cells: Iterator[Any]) -> tuple[list[Row], list[Row], list[Finding]]:
    columns = SHEETS[name]
    header = next(cells, ())
    positions, findings = _read_header(name, columns, header)
    if findings:
        return [], [], findings
    rows: list[Row] = []
    broken: list[Row] = []
    for number, row in enumerate(cells, 2):
        if all(_is_empty(cell.value) for cell in row):
            continue
        if number > MOST_ROWS + 1:
            findings.append(finding("too_large", name, number, limit=f"{MOST_ROWS} rows"))
            break
        values, wrong = _read_row(name, number, columns, positions, row)
        findings.extend(wrong)
        (broken if wrong else rows).append(Row(number, values))
    return rows, broken, findings


def _read_header(name: str, columns: tuple[Column, ...], header: Any) -> tuple[dict[str, int], list[Finding]]:
    known = {column.name for column in columns}
    positions: dict[str, int] = {}
    findings = []
    for position, cell in enumerate(header):
        if _is_empty(cell.value):
            continue
        title = str(cell.value).strip()
        if title not in known:
            allowed = ", ".join(column.name for column in columns)
            findings.append(finding("column_unknown", name, 1, title[:40], value=title, allowed=allowed))
        elif title in positions:
            findings.append(finding("column_twice", name, 1, title))
        positions[title] = position
    missing = [column for column in columns if column.required and column.name not in positions]
    findings.extend(finding("column_missing", name, 1, column.name) for column in missing)
    return positions, findings


def _read_row(
    name: str, number: int, columns: tuple[Column, ...], positions: dict[str, int], row: Any
) -> tuple[dict[str, Any], list[Finding]]:
    values: dict[str, Any] = {}
    findings = []
    for column in columns:
        position = positions.get(column.name)
        cell = row[position] if position is not None and position < len(row) else None
        value, wrong = _read_cell(column, cell)
        values[column.name] = value
        if wrong is not None:
            reason, texts = wrong
            findings.append(finding(reason, name, number, column.name, **texts))
    return values, findings


def _read_cell(column: Column, cell: Any) -> tuple[Any, tuple[str, dict] | None]:
    value = None if cell is None else cell.value
    if cell is None or _is_empty(value):
        return None, ("value_missing", {}) if column.required else None
    if cell.data_type == "f":
        return None, ("formula", {})
    if cell.data_type == "e":
        return None, ("cell_error", {"value": value})
    return column.parse(value.strip() if isinstance(value, str) else value)


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())

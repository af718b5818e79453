"""What the import's page says of an archive: every bad place, or what it would bring."""

from collections.abc import Sequence
from typing import Any

from doorward_server.console.import_gains import counts, login, person
from doorward_server.importing.findings import Finding
from doorward_server.importing.service import Report
from doorward_server.problems import Problem

MOST_SHOWN = 500  # more bad rows than that are one mistake, made in each of them

NOTHING: dict[str, Any] = {"findings": [], "more": 0, "counts": "", "people": [], "logins": []}


def judged(report: Report, language: str) -> dict[str, Any]:
    """The findings, or what the archive would bring."""
    if report.findings:
        return _found(report.findings, language)
    return {
        "counts": counts(report.counts, language),
        "people": [person(one, language) for one in report.people[:MOST_SHOWN]],
        "logins": [login(one, language) for one in report.logins[:MOST_SHOWN]],
    }


def refused(problem: Problem, language: str) -> dict[str, Any]:
    """The findings that a refusal carries."""
    return _found([Finding(**detail) for detail in problem.answer.details], language)


def _found(findings: Sequence[Finding], language: str) -> dict[str, Any]:
    zh = language == "zh"
    return {
        "findings": [
            {
                "sheet": one.sheet,
                "row": one.row or "",
                "column": one.column,
                "what": one.message_zh if zh else one.message_en,
                "remedy": one.what_to_do_zh if zh else one.what_to_do_en,
            }
            for one in findings[:MOST_SHOWN]
        ],
        "more": max(0, len(findings) - MOST_SHOWN),
    }

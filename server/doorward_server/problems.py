"""Refusals as people and programs read them: a stable reason, a sentence in zh and en, what to do."""

import re
from typing import Any

from pydantic import BaseModel

_ENGLISH_THEN_CHINESE = re.compile(r"(.*?)\s*([\u3400-\u9fff].*)?", re.DOTALL)


class ProblemAnswer(BaseModel):
    """The body of every refusal of the JSON API."""

    reason: str
    message_zh: str
    message_en: str
    what_to_do: str
    details: list[Any] = []

    def said(self, language: str) -> tuple[str, str]:
        """What is wrong, and what to do about it, for people: in "zh" or "en" alone."""
        found = _ENGLISH_THEN_CHINESE.fullmatch(self.what_to_do)
        english, chinese = found.groups("") if found else (self.what_to_do, "")
        if language == "zh":
            return self.message_zh, chinese or english
        return self.message_en, english or chinese


class Problem(Exception):  # noqa: N818 (it is what the answer is called)
    """A refusal. Raised anywhere below a route; answered as `ProblemAnswer` with its HTTP status."""

    def __init__(
        self,
        status: int,
        reason: str,
        message_zh: str,
        message_en: str,
        what_to_do: str,
        details: list[Any] | None = None,
    ) -> None:
        super().__init__(f"{reason}: {message_en} {what_to_do}")
        self.status = status
        self.answer = ProblemAnswer(
            reason=reason,
            message_zh=message_zh,
            message_en=message_en,
            what_to_do=what_to_do,
            details=details or [],
        )

    @property
    def reason(self) -> str:
        return self.answer.reason


_MEANINGS = {
    400: "The request cannot be understood.",
    401: "Nobody is logged in.",
    403: "The user may not do this.",
    404: "There is no such thing.",
    409: "It contradicts what is there.",
    413: "The request is too large.",
    422: "A value is missing or wrong.",
    429: "Too many failed attempts.",
}


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route or router: each status with the problem body, for the OpenAPI document."""
    return {status: {"model": ProblemAnswer, "description": _MEANINGS[status]} for status in statuses}


def described_problems(*statuses: int) -> dict[str, dict[str, Any]]:
    """The same as it stands in a finished OpenAPI document."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{ProblemAnswer.__name__}"}}}
    return {str(status): {"description": _MEANINGS[status], "content": content} for status in statuses}


def not_found(what_zh: str, what_en: str) -> Problem:
    """404 for a thing that is not there, or that this user has no business with."""
    return Problem(
        404,
        "not_found",
        f"没有这个{what_zh}。",
        f"There is no such {what_en}.",
        "Check the number; it may have been removed. 请核对编号，它可能已被删除。",
    )

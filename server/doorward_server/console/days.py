"""Going through the days of a list: which day a page shows, and where the days beside it are."""

from datetime import date, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query
from pydantic import Field

from doorward_server.console.pages import url

FIRST, LAST = date(1971, 1, 1), date(2098, 12, 31)
Day = Annotated[Annotated[date, Field(ge=FIRST, le=LAST)] | None, Query(alias="date")]


def address(page: str, day: date) -> str:
    """The address of a page, by its name in `PATHS`, for this day."""
    return f"{url(page)}?{urlencode({'date': day.isoformat()})}"


def around(page: str, day: date) -> dict[str, Any]:
    """What parts/days.html needs: the day that is shown, and the addresses of those beside it."""
    return {
        "page": url(page),
        "day": day.isoformat(),
        "first": FIRST.isoformat(),
        "last": LAST.isoformat(),
        "before": address(page, max(day - timedelta(days=1), FIRST)),
        "after": address(page, min(day + timedelta(days=1), LAST)),
    }

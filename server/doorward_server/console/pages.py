"""How a page is rendered: templates with the user's language, the navigation, and the login's form token."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from doorward_server.console.texts import LANGUAGES, text
from doorward_server.problems import Problem
from doorward_server.security import sessions
from doorward_server.security.models import User
from doorward_server.security.roles import SITE_ROLES, Permission, allows
from doorward_server.services import Services

FOLDER = Path(__file__).parent

# Name → path of everything that templates link to; a test follows them all.
PATHS = {
    "home": "/",
    "login": "/login",
    "logout": "/logout",
    "language": "/language",
    "wall": "/wall",
    "wall_part": "/wall/part",
    "host": "/host/{site}",
    "host_part": "/host/{site}/part",
    "decide": "/host/{site}/decide",
    "acknowledge": "/wall/acknowledge",
    "events": "/live",
    "speech_test": "/api/speech/test?language={language}",
}


@lru_cache
def environment() -> Environment:
    """Jinja2 with escaping on everywhere and unknown names refused."""
    return Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def url(name: str, **parts: object) -> str:
    """The path of a page or action by its name in `PATHS`."""
    return PATHS[name].format(**parts)


def static(name: str) -> str:
    """The path of a file in static/."""
    return f"/static/{name}"


def language_of(request: Request, user: User | None, services: Services) -> str:
    """The user's language; before login the one in the address, else the server's."""
    wanted = user.language if user else request.query_params.get("language", services.settings.language)
    return wanted if wanted in LANGUAGES else services.settings.language


def render(
    request: Request,
    services: Services,
    template: str,
    user: User | None = None,
    status: int = 200,
    **values: Any,
) -> HTMLResponse:
    """Render a template to an answer. `values` are the page's own; the frame's are added here."""
    language = language_of(request, user, services)
    token = request.cookies.get(sessions.COOKIE, "")
    frame = {
        "t": lambda key, **fields: text(key, language, **fields),
        "url": url,
        "static": static,
        "language": language,
        "user": user,
        "csrf": sessions.csrf_token(token) if user else "",
        "path": request.url.path,
        "navigation": _navigation(user, language, request.url.path) if user else [],
        "now": services.clock.milliseconds(),
        "zone": services.settings.timezone,
        "events": "",
        "speaks": False,
    }
    return HTMLResponse(environment().get_template(template).render({**frame, **values}), status)


def problem_page(request: Request, problem: Problem) -> HTMLResponse:
    """A refusal as a page, for somebody who followed a link or sent a form."""
    services: Services = request.app.state.doorward
    chinese = language_of(request, None, services) == "zh"
    said = problem.answer.message_zh if chinese else problem.answer.message_en
    return render(
        request, services, "problem.html", status=problem.status, said=said, remedy=problem.answer.what_to_do
    )


def first_page(user: User) -> str:
    """Where somebody lands after login: officers at their own host screen, the centre at the wall.

    Who has neither stays at the first page, which says so.
    """
    if user.role in SITE_ROLES and user.site_id is not None:
        return url("host", site=user.site_id)
    return url("wall") if allows(user.role, Permission.SEE_CENTRE) else url("home")


def _navigation(user: User, language: str, path: str) -> list[dict[str, Any]]:
    entries = []
    if allows(user.role, Permission.SEE_CENTRE):
        entries.append((url("wall"), "wall"))
    if user.role in SITE_ROLES and user.site_id is not None:
        entries.append((url("host", site=user.site_id), "host_screen"))
    return [{"href": href, "text": text(key, language), "current": path == href} for href, key in entries]

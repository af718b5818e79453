"""How a page is rendered: templates with the user's language, the navigation, and the login's form token."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from doorward_server.console.texts import LANGUAGES, text
from doorward_server.problems import ProblemAnswer
from doorward_server.security import sessions
from doorward_server.security.models import User
from doorward_server.security.roles import SITE_ROLES, Permission, allows
from doorward_server.services import Services

FOLDER = Path(__file__).parent

# A path that somebody asks to come back to is our own: it begins with one slash.
OWN_PATH = r"^/(?:[^/\\].*)?$"
Back = Annotated[str, Form(pattern=OWN_PATH, max_length=200)]

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
    "restart": "/host/{site}/restart",
    "seen": "/host/{site}/seen",
    "release_panel": "/host/{site}/release",
    "task_requests": "/host/{site}/requests",
    "task_requests_part": "/host/{site}/requests/part",
    "withdraw_task_request": "/host/{site}/requests/{request}/withdrawal",
    "decline_task_request": "/requests/{request}/refusal",
    "handovers": "/handovers",
    "make_evidence": "/handovers/{handover}/evidence",
    "account": "/account",
    "audit": "/audit",
    "check_journal": "/audit/check",
    "export_journal": "/audit/export",
    "people": "/people",
    "remove_person": "/people/{person}/removal",
    "users": "/users",
    "ask_for_password": "/users/{user}/password",
    "remove_user": "/users/{user}/removal",
    "import": "/import",
    "empty_workbook": "/import/workbook",
    "alarms": "/alarms",
    "alarms_part": "/alarms/part",
    "acknowledge": "/alarms/acknowledge",
    "close": "/alarms/close",
    "units": "/units",
    "units_part": "/units/part",
    "unit": "/units/{unit}",
    "unit_part": "/units/{unit}/part",
    "approvals": "/approvals",
    "approvals_part": "/approvals/part",
    "decide_request": "/approvals/{approval}/decision",
    "ask_to_go_on": "/approvals/restore",
    "withdraw_request": "/approvals/{approval}/withdrawal",
    "planning": "/planning",
    "planning_part": "/planning/part",
    "new_run": "/planning/new",
    "run": "/planning/{run}",
    "run_part": "/planning/{run}/part",
    "change_run": "/planning/{run}/change",
    "cancel_run": "/planning/{run}/cancellation",
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
    path: str = "",
    language: str = "",
    **values: Any,
) -> HTMLResponse:
    """Render a template to an answer, in the user's language unless another one is given.

    `values` are the page's own; the frame's are added here. `path`: the page's own address, where it is the
    answer to a form that was sent elsewhere.
    """
    path = path or request.url.path
    language = language or language_of(request, user, services)
    token = request.cookies.get(sessions.COOKIE, "")
    frame = {
        "t": lambda key, **fields: text(key, language, **fields),
        "url": url,
        "static": static,
        "language": language,
        "user": user,
        "csrf": sessions.csrf_token(token) if user else "",
        "path": path,
        "navigation": _navigation(user, language, path) if user else [],
        "now": services.clock.milliseconds(),
        "zone": services.settings.timezone,
        "events": url("events") if user and allows(user.role, Permission.SEE_SITE) else "",
        "problem": "",
    }
    return HTMLResponse(environment().get_template(template).render({**frame, **values}), status)


def problem_page(request: Request, status: int, answer: ProblemAnswer) -> HTMLResponse:
    """A refusal as a page, for somebody who followed a link or sent a form."""
    services: Services = request.app.state.doorward
    with services.database.reading() as session:
        user = sessions.user_of(session, request.cookies.get(sessions.COOKIE, ""))
        language = language_of(request, user, services)
    said, remedy = answer.said(language)
    return render(
        request, services, "problem.html", status=status, language=language, said=said, remedy=remedy
    )


def said_in_one(answer: ProblemAnswer, language: str) -> str:
    """A refusal and its remedy as one text, for the place on a page that tells what went wrong."""
    return ("" if language == "zh" else " ").join(answer.said(language))


def go(path: str) -> RedirectResponse:
    """Send the browser to a page after it has posted something."""
    return RedirectResponse(path, status_code=303)


def first_page(user: User) -> str:
    """Where somebody lands after login: officers at their own host screen, the centre at the wall.

    Administrators have what waits for a decision; who has nothing stays at the first page, which says so.
    """
    if user.role in SITE_ROLES and user.site_id is not None:
        return url("host", site=user.site_id)
    if allows(user.role, Permission.SEE_CENTRE):
        return url("wall")
    return url("approvals") if allows(user.role, Permission.SEE_APPROVALS) else url("home")


def _navigation(user: User, language: str, path: str) -> list[dict[str, Any]]:
    entries = []
    if allows(user.role, Permission.SEE_CENTRE):
        entries += [(url("wall"), "wall"), (url("alarms"), "alarms")]
    if allows(user.role, Permission.SEE_CENTRE):
        entries.append((url("handovers"), "handovers"))
    if allows(user.role, Permission.SEE_PLAN):
        entries.append((url("planning"), "planning"))
    if allows(user.role, Permission.SEE_UNITS):
        entries.append((url("units"), "units"))
    if allows(user.role, Permission.SEE_APPROVALS):
        entries.append((url("approvals"), "approvals"))
    if allows(user.role, Permission.SEE_PEOPLE):
        entries.append((url("people"), "people"))
    if allows(user.role, Permission.IMPORT):
        entries.append((url("import"), "import"))
    if allows(user.role, Permission.AUDIT):
        entries.append((url("audit"), "audit"))
    if allows(user.role, Permission.MANAGE_USERS):
        entries.append((url("users"), "users"))
    if user.role in SITE_ROLES and user.site_id is not None:
        entries.append((url("host", site=user.site_id), "host_screen"))
        entries.append((url("task_requests", site=user.site_id), "task_requests"))
    return [{"href": href, "text": text(key, language), "current": path == href} for href, key in entries]

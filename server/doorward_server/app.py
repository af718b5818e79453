"""The server as a FastAPI application: opens the shared services, joins the domains, answers refusals.

A domain folder takes part by what its `routes.py` holds, all optional:
`router` (an APIRouter with its full paths), `prepare(services)` (called once, before anything is served) and
`lifespan(services)` (an asynchronous context manager around serving).
"""

import importlib
import os
import pkgutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

from doorward_protocol import messages, objects, records
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute

import doorward_server
from doorward_server.backup.swap import finish
from doorward_server.clock import SystemClock
from doorward_server.console.pages import problem_page
from doorward_server.database import Database, import_models, upgrade
from doorward_server.live import Live
from doorward_server.problems import Problem, ProblemAnswer, described_problems, not_found, problem_responses
from doorward_server.security.headers import TOO_LARGE, SecurityHeaders
from doorward_server.security.keys import KeyStore
from doorward_server.services import Clock, Services
from doorward_server.settings import Settings

LOGIN_PAGE = "/login"

# Devices take a row apart whenever they use it, for want of room; a server has room to keep it so.
for _table in (messages.TABLE, objects.OBJECT_TABLE, objects.BLOB_TABLE, records.TABLE):
    _table.fields = cache(_table.fields)


def open_services(
    settings: Settings,
    clock: Clock | None = None,
    suite: Any = None,
    random: Callable[[int], bytes] = os.urandom,
) -> Services:
    """Make data folder, keys and database ready. For commands that need no pages, and for `create_app`."""
    from doorward_protocol.suite_openssl import OpenSSLSuite

    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    finish(settings.data)  # a restore that was interrupted
    suite = suite or OpenSSLSuite(random)
    keys = KeyStore(settings.keys, suite)
    for name in ("server", "dispatch", "journal"):  # now and in this order: seeded servers repeat themselves
        keys.pair(name)
    import_models()
    upgrade(settings.database)
    database = Database(settings.database)
    services = Services(settings, clock or SystemClock(), random, suite, database, keys, Live())
    database.services = services
    for module in domain_routes():
        if hasattr(module, "prepare"):
            module.prepare(services)
    return services


def create_app(
    settings: Settings,
    clock: Clock | None = None,
    suite: Any = None,
    random: Callable[[int], bytes] = os.urandom,
) -> FastAPI:
    """The whole server. Its shared parts are `app.state.doorward` (see services.Services)."""
    services = open_services(settings, clock, suite, random)
    app = FastAPI(
        title="Doorward",
        version="0.1.0",
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,  # served by security/routes.py to people who are logged in
        routes=list(joined_routes()),
    )
    app.state.doorward = services
    app.openapi = partial(_describe, app)
    app.add_exception_handler(Problem, _answer_problem)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(OverflowError, _answer_overflow)
    app.add_middleware(
        SecurityHeaders,
        https=settings.https,
        largest_body=settings.upload_megabytes * 1024 * 1024,
        refuse=_answer_problem,
    )
    return app


def domain_routes() -> list[ModuleType]:
    """The `routes` module of every domain folder that has one, in alphabetical order."""
    folder = Path(doorward_server.__path__[0])
    names = sorted(package.name for package in pkgutil.iter_modules([str(folder)]) if package.ispkg)
    return [
        importlib.import_module(f"doorward_server.{name}.routes")
        for name in names
        if (folder / name / "routes.py").exists()
    ]


@cache
def joined_routes() -> tuple[BaseRoute, ...]:
    """The routes of all domains. Applications of one process share them, and so what FastAPI works out for
    each route before it first looks for a path: together a quarter of a second."""
    joined = APIRouter(responses=problem_responses(422))
    for module in domain_routes():
        if hasattr(module, "router"):
            joined.include_router(module.router)
    return tuple(joined.routes)


def _describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document. What any body may be refused for stands here, once, for all that take one."""
    if app.openapi_schema is None:
        schema = FastAPI.openapi(app)
        for operations in schema["paths"].values():
            for operation in operations.values():
                if "requestBody" in operation:
                    operation["responses"] |= described_problems(400, 403, 413)
    return FastAPI.openapi(app)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    services: Services = app.state.doorward
    async with AsyncExitStack() as stack:
        stack.callback(services.database.close)
        for module in domain_routes():
            if hasattr(module, "lifespan"):
                await stack.enter_async_context(module.lifespan(services))
        yield


def _answer_problem(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)
    if not _is_page(request):
        return _json(problem.status, problem.answer)
    if problem.status == 401:
        return RedirectResponse(_login_and_back(request), status_code=303)
    return problem_page(request, problem.status, problem.answer)


def _answer_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if _is_page(request):  # our own pages send no such values: the address was typed
        return problem_page(request, 422, _NOT_POSSIBLE)
    details = [
        {"where": ".".join(str(part) for part in one["loc"]), "what": one["msg"]} for one in error.errors()
    ]
    answer = ProblemAnswer(
        reason="invalid_request",
        message_zh="请求中的值缺失或不正确。",
        message_en="A value in the request is missing or wrong.",
        what_to_do="Correct the values named in the details. 请更正 details 中列出的值。",
        details=details,
    )
    return _json(422, answer)


_UNREADABLE = ProblemAnswer(
    reason="unreadable",
    message_zh="请求内容无法读取。",
    message_en="The body of the request cannot be read.",
    what_to_do="Send it again as the API's description says. 请按接口说明重新提交。",
)
_NOT_POSSIBLE = ProblemAnswer(
    reason="not_possible",
    message_zh="没有这个地址，或该地址不支持此操作。",
    message_en="There is no such address, or nothing of the kind can be done there.",
    what_to_do="Check the address and the method. 请核对地址和方法。",
)
_HTTP_ANSWERS = {400: _UNREADABLE, 413: TOO_LARGE.answer}


def _answer_http(request: Request, error: Exception) -> Response:
    """What the framework refuses by itself, in our words."""
    assert isinstance(error, HTTPException)
    answer = _HTTP_ANSWERS.get(error.status_code, _NOT_POSSIBLE)
    if _is_page(request):
        return problem_page(request, error.status_code, answer)
    return _json(error.status_code, answer, error.headers)


def _answer_overflow(request: Request, _error: Exception) -> Response:
    """A number too large for the database was asked for: there can be no such thing."""
    if _is_page(request):
        return problem_page(request, 404, _NOT_POSSIBLE)
    return _json(404, not_found("编号", "number").answer)


def _json(status: int, answer: ProblemAnswer, headers: Any = None) -> JSONResponse:
    return JSONResponse(answer.model_dump(), status, headers=headers)


def _login_and_back(request: Request) -> str:
    """The login page, which leads back to the page that was asked for."""
    wanted = request.url.path
    return LOGIN_PAGE if request.method != "GET" or wanted == "/" else f"{LOGIN_PAGE}?back={quote(wanted)}"


def _is_page(request: Request) -> bool:
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")

"""Every route of the application against every role and against nobody: allowed, 401 or 403."""

import re
import warnings

import pytest
from doorward_server.security import sessions
from doorward_server.security.dependencies import Needs, Public
from doorward_server.security.roles import ROLES, Permission, Role, allows
from fastapi.routing import iter_route_contexts
from sqlalchemy import inspect, text

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Starlette would rather have another client library
    from fastapi.testclient import TestClient

# Open to everybody, and why: this list is the whole of it.
PUBLIC = {
    "/api/health": "for whoever watches the server",
    "/api/login": "nobody is logged in before",
    "/login": "nobody is logged in before",
    "/static/{name}": "pictures and style of the login page",
    "/link": "units prove their keys in the handshake",
}
ENDLESS = {"/live"}  # a stream: whoever may have it would wait for ever here
HOSTILE = ("' OR '1'='1", "1; DROP TABLE user", "..%2F..%2Fkeys%2Fmaster", "%00", "-1", "9" * 40, "<script>")


def accesses(dependant):
    """The declared accesses anywhere among a route's dependencies."""
    found = [dependant.call] if isinstance(dependant.call, Needs | Public) else []
    return found + [access for one in dependant.dependencies for access in accesses(one)]


def routes(app):
    """(method, path, access) of every route; websockets have the method None."""
    for route in iter_route_contexts(app.routes):
        (access,) = accesses(route.dependant)
        for method in route.methods or (None,):
            yield method, str(route.path), access


def ask(browser, method, path, filling="999"):
    return browser.request(method, re.sub(r"\{[^}]*\}", filling, path), follow_redirects=False)


@pytest.fixture
def asking(app, services):
    """asking(user) -> a browser with a fresh login of that user."""

    def begin(user):
        with services.database.writing() as session:
            token = sessions.begin(session, user)
        browser = TestClient(app, headers={"x-csrf-token": sessions.csrf_token(token)})
        browser.cookies.set(sessions.COOKIE, token)
        return browser

    return begin


def test_every_route_declares_exactly_one_access(app):
    undeclared = [
        route.path for route in iter_route_contexts(app.routes) if len(accesses(route.dependant)) != 1
    ]
    assert undeclared == []


def test_nothing_is_public_but_what_is_meant_to_be(app):
    assert {path for _, path, access in routes(app) if isinstance(access, Public)} == set(PUBLIC)


def test_nobody_gets_in_without_a_login(app, staffed):
    browser = TestClient(app)
    for method, path, access in routes(app):
        if isinstance(access, Needs):
            answer = ask(browser, method, path)
            assert (answer.status_code, answer.json()["reason"]) == (401, "not_logged_in"), (method, path)


@pytest.mark.parametrize("role", Role)
def test_every_role_gets_where_it_may_and_nowhere_else(app, staffed, asking, role):
    for method, path, access in routes(app):
        if not isinstance(access, Needs):
            continue
        may = allows(role, access.permission)
        if may and path in ENDLESS:
            continue
        answer = ask(asking(staffed.users[role]), method, path)
        if may:
            assert answer.status_code not in (401, 403), (method, path, answer.text)
            assert answer.status_code < 500, (method, path)
        else:
            assert (answer.status_code, answer.json()["reason"]) == (403, "not_allowed"), (method, path)


@pytest.mark.parametrize("filling", HOSTILE)
def test_hostile_names_and_numbers_are_nothing_but_unknown(app, staffed, services, log_in, filling):
    browsers = {role: log_in(user) for role, user in staffed.users.items()}
    for method, path, access in routes(app):
        if "{" not in path or path in ENDLESS or method is None:
            continue
        permission = access.permission if isinstance(access, Needs) else Permission.SELF
        role = next(role for role in Role if allows(role, permission))
        answer = ask(browsers[role], method, path, filling)
        assert 400 <= answer.status_code < 500, (method, path, answer.status_code)
        assert b"root:" not in answer.content
    assert "user" in inspect(services.engine).get_table_names()


@pytest.mark.parametrize("value", ["' OR 1=1 --", "x'; DELETE FROM decision; --", "%"])
def test_a_search_for_hostile_text_finds_nothing(log_in, staffed, services, value):
    auditor = log_in(staffed.users[Role.AUDITOR])
    for name in ("kind", "subject"):
        assert auditor.get("/api/audit/decisions", params={name: value}).json() == []
    with services.database.reading() as session:
        assert session.connection().execute(text("SELECT count(*) FROM user")).scalar() == len(Role) + 1


def test_every_permission_belongs_to_somebody_and_is_used(app):
    used = {access.permission for *_, access in routes(app) if isinstance(access, Needs)}
    decided = {Permission.RELEASE, Permission.APPROVE_LOCKOUT_RELEASE}
    decided |= {Permission.APPROVE_IMPORT, Permission.APPROVE_USERS}
    assert set(ROLES) == set(Permission)
    assert all(ROLES.values())
    assert used | decided >= set(Permission) - {Permission.MANAGE_UNITS}


@pytest.mark.parametrize("role", ["", "root", "DISPATCHER", "dispatcher "])
def test_an_unknown_role_may_do_nothing(role):
    assert not any(allows(role, permission) for permission in Permission)


def test_an_administrator_plans_and_releases_nothing():
    forbidden = (Permission.PLAN, Permission.RELEASE, Permission.DECIDE_HANDOVER, Permission.AUDIT)
    assert not any(allows(Role.ADMINISTRATOR, permission) for permission in forbidden)

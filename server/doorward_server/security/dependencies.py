"""What routes ask for: the services, the user, a permission. Every route names exactly one access.

    def list_runs(session: SessionDependency, user: Annotated[User, needs(Permission.SEE_PLAN)]): ...
    @router.get("/api/health", dependencies=[public()])

A test walks all routes and fails on one without a declared access. Requests that change something must carry
the login's CSRF token, as the header `X-CSRF-Token` or the form field `csrf_token`.
"""

from functools import lru_cache
from typing import Annotated, Any

from fastapi import Depends, Request

from doorward_server.database import SessionDependency
from doorward_server.problems import Problem, not_found
from doorward_server.security import sessions
from doorward_server.security.models import User
from doorward_server.security.roles import SITE_ROLES, Permission, allows
from doorward_server.services import Services

CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf_token"
_SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def get_services(request: Request) -> Services:
    """The running server's shared parts."""
    return request.app.state.doorward


ServicesDependency = Annotated[Services, Depends(get_services)]


def current_user(request: Request, session: SessionDependency) -> User:
    """The user who is logged in. Raises 401."""
    token = request.cookies.get(sessions.COOKIE, "")
    user = sessions.user_of(session, token) if token else None
    if user is None:
        raise Problem(
            401,
            "not_logged_in",
            "尚未登录，或登录已失效。",
            "Nobody is logged in here, or the login has ended.",
            "Log in and repeat the step. 请登录后重试。",
        )
    return user


async def refuse_forged(request: Request, _user: Annotated[User, Depends(current_user)]) -> None:
    """Raise 403 for a change without the login's CSRF token."""
    if request.method in _SAFE_METHODS:
        return
    presented = request.headers.get(CSRF_HEADER, "")
    if not presented and request.headers.get("content-type", "").startswith(_FORMS):
        field = (await request.form()).get(CSRF_FIELD)
        presented = field if isinstance(field, str) else ""
    if not sessions.is_csrf_token(request.cookies.get(sessions.COOKIE, ""), presented):
        raise Problem(
            403,
            "forged_request",
            "请求缺少页面令牌，已拒绝。",
            "The request lacks its page's token and was refused.",
            "Reload the page and repeat the step. 请刷新页面后重试。",
        )


class Needs:
    """The dependency behind `needs`: logged in, not forged, and allowed. Tests read `permission`."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    def __call__(
        self,
        user: Annotated[User, Depends(current_user)],
        _not_forged: Annotated[None, Depends(refuse_forged)],
    ) -> User:
        if not allows(user.role, self.permission):
            raise Problem(
                403,
                "not_allowed",
                "您的角色无权进行此操作。",
                "Your role may not do this.",
                "Ask somebody whose task it is, or an administrator. 请联系有此权限的同事或管理员。",
            )
        return user


class Public:
    """The dependency behind `public`: anybody may ask."""

    def __call__(self) -> None:
        return None


@lru_cache
def needs(permission: Permission) -> Any:
    """Dependency marker: the route needs this permission, and is given the user."""
    return Depends(Needs(permission))


@lru_cache
def public() -> Any:
    """Dependency marker: the route is open to everybody, logged in or not."""
    return Depends(Public())


def site_bound(user: User) -> int | None:
    """The one site that an officer or keeper may see; None for people of the centre, who see all.

    An officer without a site sees none: -1 is no site's id.
    """
    if user.role not in SITE_ROLES:
        return None
    return user.site_id if user.site_id is not None else -1


def check_site(user: User, site_id: int) -> None:
    """Raise 404 where somebody bound to a site asks for another one's things."""
    bound = site_bound(user)
    if bound is not None and bound != site_id:
        raise not_found("网点", "site")

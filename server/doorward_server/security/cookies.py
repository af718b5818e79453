"""The login's cookie: unreadable for scripts, never sent along by other sites."""

from fastapi import Request, Response

from doorward_server.security.sessions import COOKIE
from doorward_server.security.throttle import UNKNOWN_ADDRESS
from doorward_server.services import Services


def set_login(response: Response, request: Request, token: str) -> None:
    """Give the browser its login's token for the life of the login."""
    services: Services = request.app.state.doorward
    response.set_cookie(
        COOKIE,
        token,
        max_age=services.settings.session_hours * 3600,
        path="/",
        httponly=True,
        samesite="strict",
        secure=services.settings.https or request.url.scheme == "https",
    )


def clear_login(response: Response) -> None:
    """Let the browser forget its login."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


def address_of(request: Request) -> str:
    """Where a request comes from, as far as the server can tell; behind a Unix socket it cannot."""
    return request.client.host if request.client and request.client.host else UNKNOWN_ADDRESS

"""What every answer carries, and two refusals that need no route: foreign origins and oversized bodies.

Plain ASGI, so that streams (server-sent events) pass untouched.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from doorward_server.problems import Problem

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
_FOREIGN = Problem(
    403,
    "foreign_origin",
    "请求来自其他网站，已拒绝。",
    "The request comes from another site and was refused.",
    "Open Doorward in its own window and repeat the step there. 请在本系统页面中重新操作。",
)
TOO_LARGE = Problem(
    413,
    "too_large",
    "上传内容过大。",
    "The upload is too large.",
    "Split the file, or ask the administrator to raise DOORWARD_UPLOAD_MEGABYTES. 请拆分文件。",
)


class SecurityHeaders:
    """ASGI middleware: strict headers on every answer; private answers are not cached."""

    def __init__(
        self, app: Any, https: bool, largest_body: int, refuse: Callable[[Request, Problem], Response]
    ) -> None:
        """`refuse` makes the answer that tells a problem: a page for people, JSON for programs."""
        self._app = app
        self._https = https
        self._largest_body = largest_body
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        answer = self._app
        if refusal is not None:
            answer = await run_in_threadpool(self._refuse, Request(scope), refusal)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
                if self._https:
                    headers.setdefault("strict-transport-security", "max-age=31536000")
            await send(message)

        await answer(scope, self._bounded(receive), send_with_headers)

    def _refusal(self, scope: Scope) -> Problem | None:
        headers = Headers(scope=scope)
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._largest_body:
            return TOO_LARGE
        if scope["method"] not in _SAFE_METHODS and _is_foreign(headers):
            return _FOREIGN
        return None

    def _bounded(self, receive: Receive) -> Receive:
        """Count the body as it comes, for chunked ones announce no length; past the limit, break off."""
        received = 0

        async def receive_bounded() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > self._largest_body:
                    raise HTTPException(413)
            return message

        return receive_bounded


def _is_foreign(headers: Headers) -> bool:
    """Whether a browser says that another site's page sent this. Programs send neither header."""
    if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return True
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")

"""One HTTP request to a target: bounded in time and length, no redirects, nothing of the address let out."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import cache
from typing import NamedTuple

import httpx

from doorward_server.notify.targets import Target

SECONDS = 10.0  # for names, connection, TLS, the request and the answer's head; as long again for its body
LONGEST_ANSWER = 4096
LONGEST_PAUSE = 600  # seconds; a receiver may ask for more

# They log addresses, and a WeCom address is a key.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class Answer(NamedTuple):
    """The receiver's answer, its body cut at LONGEST_ANSWER; `retry_after` in seconds, 0 if it is silent."""

    status: int
    text: str
    retry_after: int = 0


class UnansweredError(Exception):
    """No answer came, or none of HTTP. `trouble` is a key of verdicts.TROUBLES; the address is not in it."""

    def __init__(self, trouble: str) -> None:
        super().__init__(trouble)
        self.trouble = trouble


@asynccontextmanager
async def connection(target: Target) -> AsyncIterator[httpx.AsyncClient]:
    """A client for some requests one after the other.

    HTTPS_PROXY and SSL_CERT_FILE count as they do elsewhere, but not on the way to this machine itself.
    """
    async with httpx.AsyncClient(
        verify=_trusted(),
        trust_env=target.is_secure,
        follow_redirects=False,
        timeout=None,  # noqa: S113 - bounded as a whole, below
        headers={"user-agent": "Doorward", "accept-encoding": "identity"},
    ) as client:
        yield client


async def post(
    client: httpx.AsyncClient, target: Target, headers: dict[str, str], body: bytes, seconds: float = SECONDS
) -> Answer:
    """Send a request and return its answer. Raises UnansweredError."""
    try:
        async with asyncio.timeout(seconds):
            request = client.build_request(
                "POST", target.address.get_secret_value(), headers=headers, content=body
            )
            response = await client.send(request, stream=True)
        return await _read(response, seconds)
    except TimeoutError:
        trouble = "timed_out"
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        trouble = _trouble(error)
    raise UnansweredError(trouble)  # with no cause: what the client says may hold the address


async def _read(response: httpx.Response, seconds: float) -> Answer:
    """The answer, as far as its body comes: what the status says holds, whatever becomes of the rest."""
    taken = bytearray()
    try:
        with suppress(TimeoutError, httpx.HTTPError):
            async with asyncio.timeout(seconds):
                async for part in response.aiter_raw():
                    taken += part
                    if len(taken) >= LONGEST_ANSWER:
                        break
    finally:
        await response.aclose()
    text = bytes(taken[:LONGEST_ANSWER]).decode(errors="replace")
    return Answer(response.status_code, text, _seconds(response.headers.get("retry-after", "")))


def _seconds(retry_after: str) -> int:
    """RFC 9110 §10.2.3; a date there is not worth reading."""
    digits = retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 9
    return min(int(retry_after), LONGEST_PAUSE) if digits else 0


def _trouble(error: BaseException) -> str:
    if isinstance(error, httpx.RemoteProtocolError):
        return "garbage"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "certificate"
        cause = cause.__cause__ or cause.__context__
    return "unreachable"


@cache
def _trusted() -> ssl.SSLContext:
    """The authorities that are trusted, read once."""
    return httpx.create_ssl_context()

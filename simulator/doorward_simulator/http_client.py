"""A browser without a page: HTTP/1.1 requests over the world's network, with cookies, for people at desks.

Requests take world time as any bytes do. `request` steps the world until the answer is whole; `stream`
follows server-sent events (WHATWG HTML §9.2) in the background.
"""

import json as json_codec
from collections.abc import Callable
from dataclasses import dataclass

from .network import Cable, Connection, Network

PATIENCE = 30_000  # ms of world time for one answer


class HttpError(Exception):
    """No answer, or one that is not HTTP."""


@dataclass(frozen=True)
class Response:
    """Status, header fields (names in lower case; the last one of a name) and body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self):
        return json_codec.loads(self.body)

    def __str__(self) -> str:
        return f"HTTP {self.status}: {self.body[:200].decode(errors='replace')}"


class HttpClient:
    """One person's browser: keeps cookies, opens one connection per request."""

    def __init__(self, network: Network, cable: Cable, host: str, port: int):
        self.cookies: dict[str, str] = {}
        self.headers: dict[str, str] = {}
        self._network, self._cable, self._host, self._port = network, cable, host, port

    def request(self, method: str, path: str, json=None, form: str | None = None) -> Response:
        """Send one request and let the world run until it is answered; HttpError if it is not."""
        exchange = _Exchange(self._message(method, path, json, form))
        self._network.connect(self._cable, self._host, self._port, exchange)
        done = self._network.world.run_until(lambda: exchange.ended, PATIENCE)
        if not done or exchange.error:
            raise HttpError(f"{method} {path}: {exchange.error or 'no answer'}")
        response = _parse(bytes(exchange.data))
        self._keep_cookies(exchange.data)
        return response

    def stream(self, path: str, on_event: Callable[[str, str], None]) -> None:
        """Follow server-sent events: `on_event(name, data)` for each."""
        exchange = _EventStream(self._message("GET", path, None, None, "text/event-stream"), on_event)
        self._network.connect(self._cable, self._host, self._port, exchange)

    def _message(
        self, method: str, path: str, json, form: str | None, accept: str = "application/json"
    ) -> bytes:
        body, kind = b"", None
        if json is not None:
            body, kind = json_codec.dumps(json).encode(), "application/json"
        elif form is not None:
            body, kind = form.encode(), "application/x-www-form-urlencoded"
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}", f"Accept: {accept}", "Connection: close"]
        if self.cookies:
            lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if kind:
            lines.append(f"Content-Type: {kind}")
        if body or method != "GET":
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode() + body

    def _keep_cookies(self, data: bytes | bytearray) -> None:
        head = bytes(data).partition(b"\r\n\r\n")[0].decode("latin-1")
        for line in head.split("\r\n"):
            name, _, value = line.partition(":")
            if name.lower() == "set-cookie":
                key, _, content = value.strip().partition(";")[0].partition("=")
                self.cookies[key] = content


class _Exchange:
    """Sends when opened, gathers until the whole answer is here or the far end closes."""

    def __init__(self, message: bytes):
        self.data = bytearray()
        self.ended, self.error = False, ""
        self._message = message

    def opened(self, connection: Connection) -> None:
        connection.send(self._message)

    def refused(self, _connection: Connection, number: int) -> None:
        self.ended, self.error = True, f"cannot connect (errno {number})"

    def received(self, connection: Connection, data: bytes) -> None:
        self.data += data
        if not self.ended and _is_whole(self.data):
            self.ended = True
            connection.close()

    def closed(self, _connection: Connection) -> None:
        self.ended = True


class _EventStream(_Exchange):
    """Hands out events as they come; the body is chunked or plain until the end."""

    def __init__(self, message: bytes, on_event: Callable[[str, str], None]):
        super().__init__(message)
        self._on_event = on_event
        self._chunked: bool | None = None
        self._text = bytearray()

    def received(self, connection: Connection, data: bytes) -> None:
        self.data += data
        if self._chunked is None:
            head, found, rest = bytes(self.data).partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 200"):
                self.error = head.partition(b"\r\n")[0].decode("latin-1")
                connection.close()
                return
            self._chunked = b"transfer-encoding: chunked" in head.lower()
            self.data = bytearray(rest)
        self._take_body()
        while b"\n\n" in self._text:
            block, _, rest = bytes(self._text).partition(b"\n\n")
            self._text = bytearray(rest)
            self._emit(block.decode())

    def _take_body(self) -> None:
        if not self._chunked:
            self._text += self.data.replace(b"\r\n", b"\n")
            self.data.clear()
            return
        while (found := _take_chunk(self.data)) is not None:
            self._text += found.replace(b"\r\n", b"\n")

    def _emit(self, block: str) -> None:
        name, data = "message", []
        for line in block.split("\n"):
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "event":
                name = value
            elif field == "data":
                data.append(value)
        if data:
            self._on_event(name, "\n".join(data))


def _take_chunk(data: bytearray) -> bytes | None:
    """Remove and return one whole chunk (RFC 9112 §7.1)."""
    line, found, _ = bytes(data).partition(b"\r\n")
    if not found:
        return None
    size = int(line.split(b";")[0], 16)
    if len(data) < len(line) + 2 + size + 2:
        return None
    chunk = bytes(data[len(line) + 2 : len(line) + 2 + size])
    del data[: len(line) + 2 + size + 2]
    return chunk


def _head(data: bytes | bytearray) -> tuple[int, dict[str, str], bytes] | None:
    head, found, body = bytes(data).partition(b"\r\n\r\n")
    if not found:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    try:
        return int(first.split(" ")[1]), headers, body
    except (IndexError, ValueError) as error:
        raise HttpError(f"not HTTP: {first[:60]!r}") from error


def _is_whole(data: bytes | bytearray) -> bool:
    parts = _head(data)
    if parts is None:
        return False
    _, headers, body = parts
    if "chunked" in headers.get("transfer-encoding", ""):
        return body.endswith(b"0\r\n\r\n")
    return "content-length" in headers and len(body) >= int(headers["content-length"])


def _parse(data: bytes) -> Response:
    parts = _head(data)
    if parts is None:
        raise HttpError("the answer ended before its header did")
    status, headers, body = parts
    if "chunked" in headers.get("transfer-encoding", ""):
        rest, body = bytearray(body), b""
        while chunk := _take_chunk(rest):
            body += chunk
    return Response(status, headers, body)

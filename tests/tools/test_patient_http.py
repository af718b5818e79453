"""A request has to come in time; an answer may take its time."""

import asyncio
import socket
import threading
import time

import pytest
import uvicorn
from doorward_tools import patient_http


async def answer(scope, receive, send):
    """Reads the whole request, waits longer than a request may take, and answers."""
    while (await receive()).get("more_body"):
        pass
    await asyncio.sleep(0.6)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"done"})


@pytest.fixture
def port(monkeypatch):
    monkeypatch.setattr(patient_http, "REQUEST_SECONDS", 0.3)
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(answer, http=patient_http.PatientHTTP, lifespan="off", log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: server.run([listening]), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join(10)


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nhost: x\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nbody",
    ],
)
def test_who_does_not_end_a_request_is_dropped(port, begun):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as peer:
        peer.sendall(begun)
        assert peer.recv(1) == b""


def test_who_has_asked_may_wait(port):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as peer:
        for _ in range(2):
            peer.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            said = b""
            while not said.endswith(b"done"):
                said += peer.recv(1000)

"""A receiver of notifications: a real HTTP server on this machine that answers as a test says."""

import json
import socket
import ssl
import tempfile
import threading
from collections import deque
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SECRET = "whsec_" + "c2VjcmV0LWtleS1vZi0zMi1ieXRlcy1mb3ItdGVzdHM="  # of "secret-key-of-32-bytes-for-tests"
ROBOT_KEY = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"


class Receiver:
    """`requests` holds (headers, body) of each; `answers` what the next ones get, then 204 or errcode 0.

    An answer is (status, body) or (status, body, headers); or a function that is given the request's handler.
    """

    def __init__(self, port):
        self.port = port
        self.requests = []
        self.answers = deque()
        self.usual: Any = (204, "")
        self.released = threading.Event()

    def json_target(self, **changes):
        address = f"http://127.0.0.1:{self.port}/hook/path-token"
        return {
            "name": "soc",
            "kind": "json",
            "address": address,
            "secret": SECRET,
            "language": "en",
        } | changes

    def wecom_target(self, **changes):
        self.usual = robot(0)
        address = f"http://127.0.0.1:{self.port}/cgi-bin/webhook/send?key={ROBOT_KEY}"
        return {"name": "duty", "kind": "wecom", "address": address, "language": "zh"} | changes

    def messages(self):
        """The bodies of all requests, read as JSON."""
        return [json.loads(body) for _, body in self.requests]

    def hang(self, _handler):
        """Says nothing until the test is over."""
        self.released.wait()

    def drip(self, handler):
        """Never silent for long, and never done."""
        with suppress(OSError):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nx: ")
            while not self.released.wait(0.02):
                handler.wfile.write(b"y")


def robot(code, said="ok"):
    """The answer of a WeCom robot."""
    return 200, json.dumps({"errcode": code, "errmsg": said})


def raw(data):
    """An answer of these bytes and nothing else."""
    return lambda handler: handler.wfile.write(data)


@contextmanager
def receiving(tls=False):
    """A running receiver; `tls`: under a certificate that it signed itself."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["content-length"])
            receiver.requests.append((dict(self.headers.items()), self.rfile.read(length)))
            answer = receiver.answers.popleft() if receiver.answers else receiver.usual
            self.close_connection = True
            if callable(answer):
                answer(self)
                return
            status, body, *headers = answer
            self.send_response(status)
            for name, value in (headers[0] if headers else {}).items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("content-length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_POST  # noqa: N815

        def log_request(self, code="-", size="-"):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = _own_authority().wrap_socket(server.socket, server_side=True)
    receiver = Receiver(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _own_authority():
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        pem = serialization.Encoding.PEM
        private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file.write(private + certificate.public_bytes(pem))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def closed_port():
    """A port at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]

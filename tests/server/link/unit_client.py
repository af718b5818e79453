"""A unit as the link sees it, on the protocol's own code: keys, handshake, channel, a journal that lies."""

import random
import time
from collections.abc import Callable
from typing import Any

from doorward_protocol import channel, edhoc, merkle, messages, objects, records
from doorward_protocol.suite import run
from doorward_protocol.suite_openssl import OpenSSLSuite
from doorward_server.units import authority, service


def eventually(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """What `condition` gives once it is true: for what the server does behind its last answer."""
    end = time.monotonic() + seconds
    while not (result := condition()) and time.monotonic() < end:
        time.sleep(0.01)
    return result


class UnitClient:
    """One unit. `register`, `connect` over a TestClient, then `send` and `receive` messages."""

    def __init__(self, services, seed: int = 1) -> None:
        self.services = services
        self.suite = OpenSSLSuite(random.Random(f"unit {seed}").randbytes)
        self.kid = self.suite.random(8)
        self.dh, self.signing, self.bundle = (run(self.suite.new_key()) for _ in range(3))
        self.entries: list[bytes] = []
        self.epoch = 1
        self.boot = 1
        self.channel: Any = None
        self.socket: Any = None
        self.id = 0

    def register(self, session, site):
        unit = service.register_unit(session, self.kid, site, self.dh[1], self.signing[1], self.bundle[1])
        self.id = unit.id
        return self

    # The connection.

    def shake_hands(self, socket, dh=None, kid=None):
        """EDHOC on an open socket; returns the first message of the server."""
        self.socket = socket
        server = authority.server_key(self.services)
        private, public = dh or self.dh
        initiator = edhoc.Initiator(
            self.suite, private, kid or self.kid, public, {server.kid: server.public}.get
        )
        socket.send_bytes(run(initiator.message_1()))
        socket.send_bytes(run(initiator.message_3(socket.receive_bytes())))
        self.channel = channel.Channel.after(initiator)
        return self.receive()

    def send(self, name: str, **fields) -> None:
        self.send_plain(messages.encode(name, **fields))

    def send_plain(self, plaintext: bytes) -> None:
        self.socket.send_bytes(self.channel.seal(plaintext))

    def receive(self) -> tuple[str, dict]:
        return messages.decode(self.channel.open(self.socket.receive_bytes()), messages.TO_UNIT)

    def receive_until(self, name: str) -> dict:
        """The next message of this name; others before it are passed over."""
        while True:
            got, fields = self.receive()
            if got == name:
                return fields

    def status(self, **changes) -> None:
        now = self.services.clock.milliseconds()
        fields = {
            "nonce": b"nonce-01",
            "manifest": 0,
            "epoch": self.epoch,
            "size": len(self.entries),
            "acknowledged": 0,
            "clock": 0,
            "time": now,
            "firmware": "test",
            "health": [],
        }
        self.send("status", **{**fields, **changes})

    def fetch(self, name: bytes) -> bytes:
        """A whole blob, asked for in pieces of 16 chunks as a unit does."""
        data = b""
        while True:
            self.send("want", hash=name, offset=len(data))
            for _ in range(messages.CHUNKS_PER_WANT):
                chunk = self.receive_until("blob")
                assert (chunk["hash"], chunk["offset"]) == (name, len(data))
                data += chunk["data"]
                if len(data) == chunk["total"]:
                    return data

    # The journal.

    def entry(self, kind: str, time: int | None = None, clock: int = 0, **fields) -> bytes:
        """Encode a record without appending it."""
        time = self.services.clock.milliseconds() if time is None else time
        return records.encode(kind, time, clock, self.boot, self.suite.random(16), **fields)

    def append(self, kind: str, **fields) -> int:
        """Append a record; returns its index."""
        self.entries.append(self.entry(kind, **fields))
        return len(self.entries) - 1

    def send_record(self, index: int, entry: bytes | None = None) -> None:
        self.send("record", epoch=self.epoch, index=index, entry=entry or self.entries[index])

    def say(self, kind: str, **fields) -> int:
        """Append a record and send it."""
        index = self.append(kind, **fields)
        self.send_record(index)
        return index

    def head(self, size: int | None = None, entries: list[bytes] | None = None, **changes) -> bytes:
        """A signed head over the first `size` entries."""
        leaves = [merkle.leaf_hash(entry) for entry in (entries or self.entries)]
        size = len(leaves) if size is None else size
        fields = {
            "unit": self.kid,
            "epoch": self.epoch,
            "size": size,
            "root": merkle.root_of(leaves[:size]),
            "time": self.services.clock.milliseconds(),
            "previous": None,
        }
        key = changes.pop("key", self.signing[0])
        return run(objects.sign(self.suite, key, self.kid, "head", **{**fields, **changes}))

    def send_head(self, **changes) -> None:
        self.send("head", object=self.head(**changes))

    def store_all(self) -> dict:
        """Send a head over everything and return the fields of its receipt."""
        self.send_head()
        return self.verify_receipt(self.receive_until("stored")["object"])

    def verify_receipt(self, data: bytes) -> dict:
        key = authority.dispatch_key(self.services)
        return run(objects.verify(self.suite, "receipt", data, {key.kid: key.public}))


class Delivery:
    """The records of one delivery, as the firmware writes them, step by step."""

    def __init__(
        self, unit: UnitClient, task: int, crew: list[int], officer: int, boxes: list[bytes]
    ) -> None:
        self.unit, self.task, self.crew, self.officer, self.boxes = unit, task, crew, officer, boxes
        self.nonce = unit.suite.random(8)

    def arrive(self, vehicle: int, epc: bytes, tid: bytes, order_version: int = 1, **more) -> int:
        now = self.unit.services.clock.milliseconds()
        return self.unit.say(
            "vehicle", task=self.task, nonce=self.nonce, vehicle=vehicle, epc=epc, tid=tid,
            order_version=order_version, manifest=1, last_contact=now, **more,
        )  # fmt: skip

    def finger(self, person: int, panel: int = 1, picture: bytes | None = None, duress: bool = False) -> int:
        sensor = "outer_fingerprint" if panel == 1 else "inner_fingerprint"
        return self.unit.say(
            "finger", panel=panel, task=self.task, nonce=self.nonce, person=person, finger=1, duress=duress,
            score=90, sensor=sensor, picture=picture,
        )  # fmt: skip

    def crew_complete(self, picture: bytes | None = None) -> int:
        return self.unit.say("crew", task=self.task, nonce=self.nonce, people=self.crew, picture=picture)

    def approve(self, **changes) -> int:
        fields = {
            "approved": True, "by": [self.officer], "where": 1, "head_count": len(self.crew), "picture": None,
            "command": None, "reason": None,
        }  # fmt: skip
        return self.unit.say("approval", task=self.task, nonce=self.nonce, **{**fields, **changes})

    def read_boxes(self, missing: int = 0, attempt: int = 1) -> int:
        read = self.boxes[: len(self.boxes) - missing]
        return self.unit.say(
            "boxes", task=self.task, nonce=self.nonce, expected=self.boxes, read=read,
            missing=self.boxes[len(read) :], foreign=[], attempt=attempt,
        )  # fmt: skip

    def close(self, order_version: int = 1) -> int:
        self.finger(self.officer, panel=2)
        self.finger(self.crew[0], panel=2)
        return self.unit.say(
            "closed", task=self.task, nonce=self.nonce, officer=self.officer, crew=self.crew[0],
            boxes=len(self.boxes), order_version=order_version,
        )  # fmt: skip

    def leave(self) -> int:
        return self.unit.say("left", task=self.task, nonce=self.nonce)

    def freeze(self, reason: int) -> int:
        return self.unit.say("frozen", task=self.task, nonce=self.nonce, reason=reason)

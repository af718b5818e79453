"""The real server in a simulated day, taken over: beside each command it sends what no unit may obey.

`python taken_over.py --data D --bus FD --socket S`, as `doorward_tools.simulated_server`. Whoever did it has
the server's connections and can sign with its dispatch key: every check behind the channel is on its own.
"""

from collections.abc import Iterator

from doorward_protocol import cbor, cose, messages, objects
from doorward_protocol.suite import run
from doorward_server.link.links import Links
from doorward_server.units import authority
from doorward_tools import simulated_server


def wrong_objects(services, true: bytes) -> Iterator[tuple[str, bytes]]:
    """(kind of message, object) of everything that must be refused, each for a reason of its own."""
    dispatch, stranger = authority.dispatch_key(services), run(services.suite.new_key())
    fields = objects.payload_fields("command", cose.peek_payload(true))

    def command(key=dispatch.private, kid=dispatch.kid, **changes) -> tuple[str, bytes]:
        changed = {**fields, "id": services.random(16), **changes}
        return "command", run(objects.sign(services.suite, key, kid, "command", **changed))

    now = fields["issued"]
    yield command(key=stranger[0])  # bad_signature
    yield "command", true[:-1] + bytes([true[-1] ^ 1])  # bad_signature as well: the true one, changed
    yield command(kid=b"stranger")  # unknown_key
    yield command(unit=b"neighbor")  # wrong_unit
    yield command(issued=now - 120_000, expires=now - 60_000)  # expired
    yield command(issued=now + 3_600_000, expires=now + 3_700_000)  # not_yet_valid
    yield command(task=fields["task"] + 1)  # wrong_task
    yield command(decided_by=[fields["decided_by"][0] + 1000])  # wrong_role
    yield command(picture=bytes(32))  # picture_mismatch
    yield command(verb=99)  # malformed: a verb that there is not
    yield "command", true[:-20]  # cut off
    yield "command", b"\x9b" + b"\xff" * 8  # an array longer than the world
    yield "command", b"\x81" * 40 + b"\x00"  # too_deep
    yield "command", authority.sign_receipt(services, fields["unit"], 1, 0, bytes(32), now)  # wrong_kind
    yield (
        "manifest",
        authority.sign_manifest(services, fields["unit"], 1, now, now + 3_600_000, []),
    )  # old_version
    yield "firmware", b"rm -rf /"  # wrong_kind


WRONG_MESSAGES = (
    b"",
    messages.encode("time", time=1)[:-1],  # cut off
    cbor.encode([99]),  # unknown_message
    messages.encode("record", epoch=1, index=0, entry=b"x"),  # wrong_direction
    cbor.encode([5, bytes(32), 0, 4000, bytes(3501)]),  # too_large
    b"\xa2\x01\x01\x01\x01",  # duplicate_key
)


def attack(self: Links, unit_id: int, data: bytes) -> None:
    """In place of `Links.send_command`: everything wrong, then the true command, then the true one again."""

    def send(session) -> None:
        for kind, wrong in wrong_objects(self.services, data):
            session.outbox.put("object", kind=kind, object=wrong)
        for message in WRONG_MESSAGES:
            session.outbox._messages.append(message)
        session.outbox.put("object", kind="command", object=data)
        session.outbox.put("object", kind="command", object=data)  # replayed

    self._loop.call_soon_threadsafe(self._with, unit_id, send)


if __name__ == "__main__":
    Links.send_command = attack
    simulated_server.main()

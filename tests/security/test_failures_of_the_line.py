"""What is known of OSDP's secure channel, of COSE readers and of EDHOC, tried at the link's two ends."""

import asyncio
import random
import re
import subprocess
from pathlib import Path

import pytest
from doorward_firmware.crypto.suite import DeviceSuite
from doorward_protocol import cbor, cose, edhoc, errors, messages, objects, records
from doorward_protocol.channel import Channel
from doorward_protocol.errors import ProtocolError
from doorward_protocol.suite import run
from doorward_protocol.suite_openssl import OpenSSLSuite
from doorward_server.app import open_services
from doorward_server.fleet.models import Site
from doorward_server.link.models import Head, Leaf
from doorward_server.security.keys import KeyStore
from doorward_server.settings import Settings
from doorward_tools import provisioning
from sqlmodel import select
from test_link_session import closed_with  # pyright: ignore[reportMissingImports]

ROOT = Path(__file__).parents[2]
HAVE = messages.encode("have", manifest=0, complete=False, missing=[])


def rows(services, table):
    with services.database.reading() as session:
        return session.exec(select(table)).all()


def test_osdp_encryption_optional(server, services, unit, connect):
    """No message is taken without encryption, neither instead of the handshake nor after it; nor sent so."""
    plain = messages.encode("record", epoch=1, index=0, entry=unit.entry("left", task=1, nonce=bytes(8)))
    with server.websocket_connect("/link") as socket:
        socket.send_bytes(plain)
        assert closed_with(socket) != ""
    connect(unit)
    unit.socket.send_bytes(plain)
    assert closed_with(unit.socket) == "malformed"
    assert rows(services, Leaf) == []
    with server.websocket_connect("/link") as socket:
        unit.shake_hands(socket)
        unit.status(firmware="seen on the wire?")
        answers = [socket.receive_bytes() for _ in range(2)]
        for answer in answers:
            with pytest.raises(ProtocolError):
                messages.decode(answer)


@pytest.mark.parametrize(
    "change", [{"method": 0}, {"method": 1}, {"method": 2}, {"suites": 0}, {"suites": 3},
     {"suites": [2, 0]}, {"suites": [0, 2, 3]}],
)  # fmt: skip
def test_osdp_downgrade(server, unit, change):
    """Another method or suite is not talked about: the connection ends, nothing weaker is agreed on."""
    _, point = run(unit.suite.new_key())
    fields = {"method": edhoc.METHOD, "suites": 2, **change}
    offer = cbor.encode_sequence([fields["method"], fields["suites"], point[:32], 0])
    with server.websocket_connect("/link") as socket:
        socket.send_bytes(offer)
        first = socket.receive()
        assert first["type"] == "websocket.close", f"the server went on: {first}"


def test_osdp_key_captured_in_install_mode(services, staffed, tmp_path, monkeypatch):
    """What a unit gives away when it is installed opens nothing: the server has no more either."""
    said = []
    real = provisioning.units_service.register_unit
    monkeypatch.setattr(
        provisioning.units_service, "register_unit", lambda *given: said.append(given) or real(*given)
    )
    with services.database.writing() as session:
        site = session.get_one(Site, staffed.sites["north"].id)
        place = provisioning.provision(session, tmp_path, site.code, _trust(services), "127.0.0.1", 8000)
    flash = (place.flash / "state.bin").read_bytes()
    heard = b"".join(part for part in said[0] if isinstance(part, bytes))
    assert len(heard) == 8 + 3 * 64
    suite = OpenSSLSuite()
    privates = [flash[at : at + 32] for at in range(len(flash) - 32) if flash[at - 2 : at] == b"\x58\x20"]
    pairs = [one for one in privates if _public(suite, one) in (heard[8:72], heard[72:136], heard[136:200])]
    assert len(set(pairs)) == 3, "the unit has its three private halves"
    at_the_server = b"".join(
        file.read_bytes() for file in services.settings.data.rglob("*") if file.is_file()
    )
    assert [one for one in pairs if one in heard or one in at_the_server] == []


def _public(suite, private):
    try:
        return run(suite.public_key(private))
    except ProtocolError:
        return b""


def _trust(services):
    from doorward_server.security.keys import KeyPair
    from doorward_server.units import authority

    roots = [KeyPair(bytes([n]) * 8, *run(services.suite.new_key())) for n in range(3)]
    return authority.make_trust(services, roots)


def test_osdp_constant_default_key(tmp_path):
    """Two servers, and two units, have no key in common; and no key is in the source."""
    keys: list[bytes] = []
    for name in "ab":
        services = open_services(Settings(data=tmp_path / name, argon2_time_cost=1, argon2_memory_kib=8))
        store: KeyStore = services.keys
        keys += [store.master, *(store.pair(one).private for one in ("server", "dispatch", "journal"))]
        services.database.close()
        identity = run(provisioning.identities.create(OpenSSLSuite()))
        keys += [identity.dh[0], identity.signing[0], identity.bundle[0]]
    assert len(set(keys)) == len(keys) == 14
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    suspicious = re.compile(rb"BEGIN [A-Z ]*PRIVATE KEY|[\"'](?:[0-9a-fA-F]{64}|[A-Za-z0-9+/]{43}=)[\"']")
    for name in listed.decode().split("\0"):
        part, file = name.partition("/")[0], ROOT / name
        if part in ("protocol", "firmware", "server", "simulator", "tools") and file.is_file():
            assert not suspicious.search(file.read_bytes()), name


def test_osdp_4_byte_mac(online, services):
    """Eight bytes of tag in the handshake and on every frame; half of them is not enough."""
    frame = online.channel.seal(HAVE)
    protected, header, ciphertext = cbor.decode(frame)
    assert len(ciphertext) - len(HAVE) == 8
    online.socket.send_bytes(cbor.encode([protected, header, ciphertext[:-4]]))
    assert closed_with(online.socket) == "bad_ciphertext"
    assert [unit.actual_complete for unit in rows(services, _units())] == [False] * len(
        rows(services, _units())
    )


def _units():
    from doorward_server.units.models import Unit

    return Unit


def test_osdp_6_bytes_of_randomness(server, unit):
    """Nobody guesses: a new 32-byte key at each connection from both sides, 8-byte names, 16-byte salts."""
    drawn: list[int] = []
    points, random_of = [], unit.suite.random
    unit.suite.random = lambda count: drawn.append(count) or random_of(count)
    for _ in range(2):
        with server.websocket_connect("/link") as socket:
            send = socket.send_bytes
            socket.send_bytes = lambda data, send=send: points.append(data) or send(data)
            receive = socket.receive_bytes
            socket.receive_bytes = lambda receive=receive: points.append(receive()) or points[-1]
            unit.shake_hands(socket)
    ours = [cbor.decode_sequence(points[at])[2] for at in (0, 4)]
    theirs = [cbor.decode_sequence(points[at])[0][:32] for at in (1, 5)]
    assert {len(point) for point in (*ours, *theirs)} == {32}
    assert len({*ours, *theirs}) == 4
    assert not drawn or min(drawn) >= 16
    assert len(unit.kid) == 8
    with pytest.raises(ProtocolError):
        records.encode("left", 1, 0, 1, bytes(6), task=1, nonce=bytes(8))
    with pytest.raises(ProtocolError):
        records.encode("left", 1, 0, 1, bytes(16), task=1, nonce=bytes(6))


def test_cose_cbor_true_equals_integer_1_as_a_key(online, services):
    """A header that says `true` where 1 is meant is two things to two readers: no signature is looked at."""
    unit = online
    unit.say("left", task=1, nonce=bytes(8))
    payload = cose.peek_payload(unit.head())
    name = cbor.encode("doorward/head")
    protected = b"\xa3\xf5\x26\x04" + cbor.encode(unit.kid) + b"\x10" + name  # {true: -7, 4: kid, 16: …}
    signature = run(unit.suite.sign(unit.signing[0], cose.to_be_signed(protected, b"doorward/head", payload)))
    unit.send("head", object=cbor.encode([protected, {}, payload, signature]))
    assert unit.receive_until("refused")["reason"] in (errors.MALFORMED, errors.NOT_DETERMINISTIC)
    assert rows(services, Head) == []
    honest = b"\xa3\x01\x26\x04" + protected[4:]
    signature = run(unit.suite.sign(unit.signing[0], cose.to_be_signed(honest, b"doorward/head", payload)))
    fields = {unit.kid: unit.signing[1]}
    assert run(objects.verify(unit.suite, "head", cbor.encode([honest, {}, payload, signature]), fields))
    with pytest.raises(ProtocolError):
        cbor.decode(b"\xa2\x01\x01\xf5\x02")
    with pytest.raises(ProtocolError):
        cbor.encode({True: 1})


def test_edhoc_repeated_message_3_reuses_key_and_nonce(services, unit):
    """The same input signs the same way, on the device as well; and nobody makes message_3 twice."""
    server = services.keys.pair("server")
    initiator = edhoc.Initiator(unit.suite, unit.dh[0], unit.kid, unit.dh[1], {server.kid: server.public}.get)
    responder = edhoc.Responder(
        services.suite, server.private, server.kid, server.public, {unit.kid: unit.dh[1]}.get
    )
    second = run(responder.message_2(run(initiator.message_1())))
    run(initiator.message_3(second))
    sealed = Channel.after(initiator).seal(HAVE)
    with pytest.raises(ProtocolError) as refused:
        run(initiator.message_3(second))
    assert refused.value.reason == errors.BAD_SEQUENCE
    assert len(sealed) > len(HAVE)
    draws = random.Random(3)
    for suite in (OpenSSLSuite(draws.randbytes), DeviceSuite(draws.randbytes)):
        signatures = {bytes(finish(suite.sign(unit.signing[0], b"message_3"))) for _ in range(3)}
        assert len(signatures) == 1
        assert finish(suite.verify(unit.signing[1], b"message_3", signatures.pop()))


def finish(coroutine):
    """Run what yields to a loop between pieces of arithmetic."""
    return asyncio.run(coroutine)

"""What was found in ZKTeco's terminals in 2023, tried against server and unit."""

import ast
import asyncio
import builtins
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from bench import Authorities, Bench, play  # pyright: ignore[reportMissingImports]
from day import Day  # pyright: ignore[reportMissingImports]
from doorward_protocol import cbor, cose, errors, messages, objects
from doorward_protocol.suite import run
from doorward_server.alarms.models import Alarm
from doorward_server.security.keys import KeyFileError, KeyStore
from doorward_server.security.roles import Permission, Role, allows
from doorward_simulator.devices.tags import Tag
from provisioned import Day as Shift  # pyright: ignore[reportMissingImports]
from sqlalchemy import event
from sqlmodel import select
from starlette.websockets import WebSocketDisconnect
from test_link_session import closed_with  # pyright: ignore[reportMissingImports]
from unit_client import eventually  # pyright: ignore[reportMissingImports]

ROOT = Path(__file__).parents[2]
INJECTION = "x' OR zk7='zk7"
COLON = "-- zk7"


async def seconds(count):
    await asyncio.sleep(count)


def test_zkteco_input_concatenated_into_sql(app, client, staffed, services, log_in):
    """Text from desks reaches the database as a parameter, never within a statement."""
    statements: list[str] = []
    engine = services.database.engine
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    browser = log_in(staffed.users[Role.ADMINISTRATOR])
    dispatcher = log_in(staffed.users[Role.DISPATCHER])
    assert client.post("/api/login", json={"login": INJECTION, "password": INJECTION}).status_code == 401
    assert client.post("/login", data={"login": INJECTION, "password": COLON}).status_code != 303
    draft = {"date": "2026-03-02", "vehicle_id": 1, "crew": [], "stops": [], "note": INJECTION}
    assert dispatcher.post("/api/runs", json=draft).status_code == 201
    for path, operations in app.openapi()["paths"].items():
        for one in operations.get("get", {}).get("parameters", []):
            value = {one["name"]: INJECTION}
            if one["in"] == "query":
                browser.get(path.replace("{", "").replace("}", ""), params=value)
            else:
                browser.get(path.format_map(dict.fromkeys(_names(path), INJECTION)))
    assert len(statements) > 20
    assert [one for one in statements if "zk7" in one] == []


def _names(path):
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def test_zkteco_default_key_0(server, unit):
    """Keys of 0 and 1 open no connection, though the unit's number is right."""
    for private in (bytes(31) + b"\x01", bytes(31) + b"\x02"):
        pair = (private, run(unit.suite.public_key(private)))
        with server.websocket_connect("/link") as socket, pytest.raises(WebSocketDisconnect):
            unit.shake_hands(socket, dh=pair)
    with pytest.raises(errors.ProtocolError):
        run(unit.suite.public_key(bytes(32)))
    with pytest.raises(errors.ProtocolError):
        run(unit.suite.shared_secret(unit.dh[0], bytes(64)))


def test_zkteco_session_mac_reversible_from_one_capture(server, unit):
    """Whoever captured a session can neither replay it nor speak in the next one."""
    captured = []
    with server.websocket_connect("/link") as socket:
        send = socket.send_bytes
        socket.send_bytes = lambda data: captured.append(data) or send(data)
        unit.shake_hands(socket)
        unit.status()
        unit.receive()
    with server.websocket_connect("/link") as socket:
        socket.send_bytes(captured[0])
        socket.receive_bytes()
        socket.send_bytes(captured[1])
        assert closed_with(socket) == "bad_ciphertext"
    with server.websocket_connect("/link") as socket:
        unit.shake_hands(socket)
        socket.send_bytes(captured[2])
        assert closed_with(socket) == "bad_ciphertext"


def test_zkteco_key_stored_in_clear(services, staffed):
    """Private keys are in no file but their own, which nobody else may read, or the server does not start."""
    folder = services.settings.keys
    secrets = [services.keys.master, *(services.keys.pair(name).private for name in ("server", "dispatch"))]
    for file in services.settings.data.rglob("*"):
        if file.is_file() and file.parent != folder:
            content = file.read_bytes()
            assert not any(secret in content or secret.hex().encode() in content for secret in secrets), file
    assert folder.stat().st_mode & 0o077 == 0
    (folder / "dispatch").chmod(0o640)
    with pytest.raises(KeyFileError):
        KeyStore(folder, services.suite).pair("dispatch")


def test_zkteco_names_chosen_by_the_server_used_as_paths(monkeypatch):
    """Kinds and names like paths are refused; a unit opens no file for anything that a server says."""
    opened = []

    async def story(bench, unit):
        await seconds(3)
        real = builtins.open
        monkeypatch.setattr(
            builtins, "open", lambda *given, **named: opened.append(given) or real(*given, **named)
        )
        for kind in ("../../boot.py", "/slot_a/main.py", "firmware"):
            bench.server.send("object", kind=kind, object=b"print(1)")
        bench.server.send("blob", hash=bytes(32), offset=0, total=8, data=b"print(1)")
        with pytest.raises(errors.ProtocolError):
            messages.encode("blob", hash="../../boot.py", offset=0, total=8, data=b"print(1)")
        await seconds(5)
        assert {reason for _, reason in unit.refusals()} >= {errors.WRONG_KIND}

    play(story)
    assert [given for given in opened if "boot" in str(given[0]) or "slot_a" in str(given[0])] == []


def test_zkteco_everything_as_root(staffed, log_in):
    """No login may do everything: who keeps the users neither lets anybody in nor releases runs."""
    for role in Role:
        assert [one for one in Permission if not allows(role, one)], role
    administrator = log_in(staffed.users[Role.ADMINISTRATOR])
    assert (
        administrator.post("/api/handovers/1/decide", json={"approve": True, "head_count": 2}).status_code
        == 403
    )
    assert administrator.post("/api/runs/1/release-request").status_code == 403
    assert log_in(staffed.users[Role.OFFICER]).get("/api/users").status_code == 403


def test_zkteco_a_cloud_command_called_shell():
    """Signed by the true dispatch key, and still nothing runs: an unknown verb, kind or text is no use."""

    async def story(bench, unit):
        await seconds(3)
        now = bench.server.now()
        fields = {
            "unit": bench.unit_id, "id": bytes(16), "verb": 99, "task": 7, "nonce": b"attempt1",
            "decided_by": [3, 4], "picture": None, "head_count": 2, "issued": now, "expires": now + 30_000,
        }  # fmt: skip
        bench.server.offer("command", bench.authorities.sign("command", **fields))
        payload = cbor.encode([2, bench.unit_id, bytes(16), "SHELL rm -rf /"])
        key = bench.authorities.dispatch[0]
        bench.server.offer("command", run(cose.sign1(unit.suite, key, b"dispatch", "command", payload)))
        bench.server.offer("shell", b"import os; os.remove('boot.py')")
        await seconds(5)
        assert unit.commands == []
        assert {("command", errors.MALFORMED), ("object", errors.WRONG_KIND)} <= set(unit.refusals())

    play(story)
    for part in ("firmware", "protocol", "server"):
        for file in (ROOT / part).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                function = getattr(node, "func", None)
                called = getattr(function, "id", None) or f".{getattr(function, 'attr', '')}"
                assert called not in ("eval", "exec", "execfile", ".system", ".popen"), (file, called)


def test_zkteco_any_server_trusted():
    """A stranger's server learns nothing and is not believed, though its address is the right one."""
    bench = Bench()
    bench.server.static = Authorities(99).server

    async def story(bench, unit):
        unit.append()
        await seconds(60)
        assert bench.server.said == []
        assert bench.server.sessions == 0
        assert ("handshake", errors.BAD_SIGNATURE) in unit.refusals()

    play(story, bench)


def test_zkteco_update_encrypted_by_xor_with_a_key_in_the_file():
    """Hiding proves nothing. There is no update over the link yet: a release is not taken as an object, and
    one that a manifest lists is not fetched. What exists is held to signatures: one root, or bytes changed by
    XOR, put no trust object in force."""

    async def story(bench, unit):
        day = Day(bench)
        await seconds(3)
        hidden = bytes(byte ^ 0x5A for byte in b"print('new firmware')")
        bench.server.offer("release", b"\x5a" + hidden)
        name = bench.server.put(hidden)
        bench.server.offer("manifest", day.manifest(entries=[[objects.RELEASE, 1, 1, name, len(hidden)]]))
        bench.server.offer("trust", bench.authorities.trust(version=2, signers=(0,)))
        bench.server.offer("trust", bytes(byte ^ 0x5A for byte in bench.authorities.trust(version=2)))
        await seconds(5)
        assert name not in [one["hash"] for one in bench.server.saw("want")]
        assert unit.link.identity.trust["version"] == 1
        assert ("object", errors.WRONG_KIND) in unit.refusals()
        assert ("trust", errors.BAD_SIGNATURE) in unit.refusals()

    play(story)


@pytest.fixture
def shift(tmp_path):
    """A unit in its own process."""
    shift = Shift(tmp_path / "unit")
    yield shift
    shift.unit.power_off()


def test_zkteco_an_oversized_code_reboots_the_device(shift):
    """The longest tag that a reader can tell of, and more of them than anybody has, end nothing."""
    shift.boot()
    for number in range(20):
        shift.arrive(Tag(bytes([number]) * 62, bytes([number]) * 12, -40))
    shift.world.run_for(20_000)
    assert shift.unit.boots == 1
    assert shift.unit.running
    assert len(shift.fields("boot")) == 1
    shift.press("EGRESS")
    shift.until("input")


def test_zkteco_unencrypted_flash(shift, services, online):
    """A unit whose chip protects nothing says so in its first record, and the centre is alarmed."""
    shift.unit.chip.fuses[0x60007034] = 0b11 << 18  # encryption switched on, and off again
    shift.boot()
    tests = dict(shift.fields("boot")[0]["tests"])
    assert not tests["flash_encryption"]
    assert tests["secure_boot"]
    online.status(health=["flash_encryption: unprotected"])
    online.say("boot", reason=1, firmware="1", tests=[list(one) for one in tests.items()], manifest=0)

    def alarms():
        with services.database.reading() as session:
            return list(session.exec(select(Alarm.rule).where(Alarm.rule == "unprotected")))

    assert eventually(alarms) == ["unprotected"]


def test_zkteco_uart_boot_log(shift, monkeypatch):
    """The ROM is silent by fuse, a working firmware prints nothing, and nobody interrupts it."""
    shift.unit.chip.fuses[0x6000703C] = 0
    shift.boot()
    assert not dict(shift.fields("boot")[0]["tests"])["silent_rom"]
    shift.arrive()
    shift.world.run_for(5000)
    assert shift.unit.console.read_text() == ""
    asked = []
    registers = {0x60007034: 1 << 18, 0x60007038: 1 << 20, 0x6000703C: 3 << 6}
    monkeypatch.setitem(sys.modules, "machine", SimpleNamespace(mem32=registers, reset=list))
    monkeypatch.setitem(sys.modules, "micropython", SimpleNamespace(kbd_intr=asked.append, const=int))
    monkeypatch.setattr("doorward_firmware.main.run", lambda: asked.append("runs"))
    program = ROOT / "firmware/doorward_firmware/flash_root/main.py"
    runpy.run_path(str(program))
    assert asked == [-1, "runs"]

"""`doorward bench crypto`: what the device's arithmetic costs, counted, and timed under both interpreters.

Counts are what an ESP32 does too; times are this machine's, and say how the interpreters compare.
"""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

ROOT = Path(__file__).parents[2]
RUNS = 15

# 256-bit modular multiplications, squarings counted
BUDGETS = {"sign": 1000, "ecdh": 3000, "verify": 3300, "handshake": 10500}

TITLES = {
    "key_generation": "key generation",
    "ecdh": "ECDH, point validated",
    "ecdh_x_alone": "ECDH with x alone",
    "sign": "sign",
    "verify": "verify; self-verification",
    "sign_and_verify": "sign with self-verification",
    "handshake": "handshake, unit's side",
}


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Count the multiplications of the device's cryptography, and time it under CPython and MicroPython."""
    problem = missing()
    if problem:
        typer.echo(f"doorward bench crypto: {problem}", err=True)
        raise typer.Exit(2)
    material = prepare()
    counts = count(RUNS)
    cpython = time_cpython(material)
    micropython = time_micropython(material)
    rows = {
        name: {
            **counts[name].to_json(),
            "budget": BUDGETS.get(name),
            "cpython_ms": cpython[name],
            "micropython_ms": micropython[name],
        }
        for name in TITLES
    }
    if as_json:
        typer.echo(json.dumps({"operations": rows, "runs": RUNS}, indent=2))
    else:
        _show(rows)
    if any(row["budget"] and row["multiplications"] >= row["budget"] for row in rows.values()):
        raise typer.Exit(1)


def missing() -> str | None:
    """What this machine lacks for the measurement, and the command that brings it."""
    if shutil.which("node") is None:
        return "node is not installed: install Node.js 20 or newer with the system's package manager"
    if not (_interpreter() / "micropython.mjs").exists():
        return f"MicroPython for node is not in {ROOT}: run `npm ci` there"
    return None


def prepare() -> dict[str, bytes]:
    """Fresh keys, and what they lead to, by OpenSSL: the operations check their results against it."""
    from doorward_protocol.edhoc import Initiator, Responder
    from doorward_protocol.suite import run
    from doorward_protocol.suite_openssl import OpenSSLSuite

    from doorward_tools.crypto_operations import MESSAGE

    suite = OpenSSLSuite()
    private, public = run(suite.new_key())
    peer_private, peer = run(suite.new_key())
    ephemeral, _ = run(suite.new_key())
    initiator = Initiator(OpenSSLSuite(lambda _: ephemeral), private, b"unit", public, lambda _: peer)
    responder = Responder(suite, peer_private, b"server", peer, lambda _: public)
    message_1 = run(initiator.message_1())
    message_2 = run(responder.message_2(message_1))
    message_3 = run(initiator.message_3(message_2))
    run(responder.finish(message_3))
    return {
        "private": private,
        "public": public,
        "peer": peer,
        "secret": run(suite.shared_secret(private, peer)),
        "signature": run(suite.sign(private, MESSAGE)),
        "ephemeral": ephemeral,
        "message_1": message_1,
        "message_2": message_2,
        "message_3": message_3,
    }


def count(runs: int) -> dict[str, Any]:
    """Return the Counts of each operation: of several runs, each with fresh keys, the largest of each figure,
    for blinding and public scalars make some of them vary."""
    from doorward_protocol.suite import run

    from doorward_tools import counted_crypto, crypto_operations

    suite = counted_crypto.load().DeviceSuite(pause=counted_crypto.counter.pause)
    worst = {}
    for name in crypto_operations.OPERATIONS:
        worst[name] = counted_crypto.Counts()
        for _ in range(runs):
            material = prepare()
            counted_crypto.counter.begin()
            run(getattr(crypto_operations, name)(suite, material))
            found = vars(counted_crypto.counter.finish())
            for figure, value in found.items():
                setattr(worst[name], figure, max(value, getattr(worst[name], figure)))
    return worst


def time_cpython(material: dict[str, bytes]) -> dict[str, float]:
    """Milliseconds of each operation here, the median; the files as they are, but for AES-CCM."""
    process = subprocess.run(
        [sys.executable, "-m", "doorward_tools.time_crypto"],
        input=json.dumps(_hexadecimal(material)),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
        env={"PYTHONPATH": str(ROOT / "tests" / "micropython" / "cpython_stubs"), "PATH": ""},
    )
    return json.loads(process.stdout)


def time_micropython(material: dict[str, bytes]) -> dict[str, float]:
    """The same under MicroPython, by the process that runs the portable checks."""
    from doorward_simulator.runtimes.micropython import WEBASSEMBLY

    with tempfile.TemporaryDirectory(prefix="doorward-") as folder:
        checks = Path(folder) / "timed.py"
        checks.write_text(_timed(material))
        files = {
            "/checks/timed.py": str(checks),
            "/checks/crypto_operations.py": str(_here("crypto_operations.py")),
        }
        for source, target in (
            (ROOT / "protocol" / "doorward_protocol", "/lib/doorward_protocol"),
            (ROOT / "firmware" / "doorward_firmware" / "crypto", "/lib/doorward_firmware/crypto"),
            (WEBASSEMBLY / "lib", "/lib"),
        ):
            files.update({f"{target}/{path.name}": str(path) for path in source.glob("*.py")})
        files["/lib/doorward_firmware/__init__.py"] = str(ROOT / "firmware/doorward_firmware/__init__.py")
        files["/checks/runner.py"] = str(ROOT / "tests/micropython/portable/runner.py")
        plan = {
            "package": str(_interpreter()),
            "webassembly": str(WEBASSEMBLY),
            "files": files,
            "modules": ["timed"] * RUNS,
        }
        process = subprocess.run(  # noqa: S603 - our own files
            ["node", str(ROOT / "tests" / "micropython" / "run_checks.mjs")],  # noqa: S607 - as users have it
            input=json.dumps(plan),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
    errors = [json.loads(line)["error"] for line in process.stdout.splitlines()]
    times: dict[str, list[float]] = {}
    for line in process.stderr.splitlines():
        if line.startswith("timed "):
            _, name, microseconds = line.split()
            times.setdefault(name, []).append(int(microseconds) / 1000)
    if process.returncode or any(errors) or set(times) != set(TITLES):
        raise RuntimeError(
            f"MicroPython did not finish: {next(filter(None, errors), process.stderr[-2000:])}"
        )
    return {name: statistics.median(values) for name, values in times.items()}


def _timed(material: dict[str, bytes]) -> str:
    """The source of a module with each operation as a check, which prints its microseconds."""
    head = f"""
import time
from binascii import unhexlify
import crypto_operations
NEEDS_SUITE = True
_HEX = {_hexadecimal(material)!r}
_MATERIAL = {{name: unhexlify(_HEX[name]) for name in _HEX}}
async def _timed(name, suite):
    operation = getattr(crypto_operations, name)
    began = time.ticks_us()
    await operation(suite, _MATERIAL)
    print("timed", name, time.ticks_diff(time.ticks_us(), began))
"""
    return head + "".join(
        f"async def check_{name}(suite): await _timed('{name}', suite)\n" for name in TITLES
    )


def _interpreter() -> Path:
    return ROOT / "node_modules" / "@micropython" / "micropython-webassembly-pyscript"


def _here(name: str) -> Path:
    return Path(__file__).with_name(name)


def _hexadecimal(material: dict[str, bytes]) -> dict[str, str]:
    return {name: value.hex() for name, value in material.items()}


def _show(rows: dict[str, dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title="The device's cryptography: 256-bit multiplications, squarings counted", title_justify="left"
    )
    table.add_column("operation", no_wrap=True)
    for column in ("mod p", "mod n", "sum", "budget", "inversions", "Euclid steps", "between pauses"):
        table.add_column(column, justify="right")
    for column in ("CPython ms", "MicroPython ms"):
        table.add_column(column, justify="right", style="cyan")
    for name, row in rows.items():
        within = "red" if row["budget"] and row["multiplications"] >= row["budget"] else "green"
        table.add_row(
            TITLES[name],
            str(row["modulo_p"]),
            str(row["modulo_n"]),
            f"[{within}]{row['multiplications']}[/]",
            f"< {row['budget']}" if row["budget"] else "",
            str(row["inversions"]),
            str(row["euclid_steps"]),
            str(row["between_pauses"]),
            f"{row['cpython_ms']:.1f}",
            f"{row['micropython_ms']:.1f}",
        )
    console = Console(width=max(130, Console().width))
    console.print(table)
    console.print(
        f"Counts: the largest of {RUNS} runs; between pauses: the most, with Euclid steps. Times: medians."
    )

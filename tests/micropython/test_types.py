"""pyright checks protocol and firmware against the ESP32 stubs of MicroPython, not against CPython's."""

import json
import shutil
import subprocess

import pytest
from device_files import ROOT

CONFIGURATION = ROOT / "protocol" / "pyrightconfig.json"


@pytest.fixture(scope="module")
def errors():
    """What pyright finds, as lines of text."""
    if not (ROOT / "build" / "typings" / "machine.pyi").exists():
        pytest.fail(
            "the stubs are not installed: run `make setup`, or .venv/bin/pip install --no-deps "
            "--require-hashes --target build/typings -r protocol/typings.lock"
        )
    npx = shutil.which("npx")
    if npx is None or not (ROOT / "node_modules" / "pyright").exists():
        pytest.fail("pyright is not installed: run `npm ci`")
    process = subprocess.run(
        [npx, "--no-install", "pyright", "-p", str(CONFIGURATION), "--outputjson"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert process.stdout, process.stderr
    report = json.loads(process.stdout)
    assert report["summary"]["filesAnalyzed"] > 10
    found = []
    for diagnostic in report["generalDiagnostics"]:
        if diagnostic["severity"] == "error":
            name = diagnostic["file"].removeprefix(f"{ROOT}/")
            found.append(f"{name}:{diagnostic['range']['start']['line'] + 1}: {diagnostic['message']}")
    return found


@pytest.mark.parametrize("part", ["protocol", "firmware"])
def test_types(errors, part):
    found = [line for line in errors if line.startswith(part + "/")]
    assert not found, "\n".join(found)

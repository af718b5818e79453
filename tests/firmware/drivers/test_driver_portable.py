"""The portable driver checks, under CPython and under the real MicroPython (webassembly, in node)."""

import json
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
HARNESS = ROOT / "tests" / "micropython"
PACKAGE = ROOT / "node_modules" / "@micropython" / "micropython-webassembly-pyscript"
HOST_ONLY = ("advice.py", "suite_openssl.py")


def load():
    return runpy.run_path(str(HERE / "portable" / "driver_checks.py"))


CHECKS = sorted(name for name in load() if name.startswith("check_"))


@pytest.mark.parametrize("name", CHECKS)
def test_under_cpython(name):
    load()[name]()


@pytest.fixture(scope="module")
def results():
    """{check: error or None} of one node process."""
    node = shutil.which("node")
    if node is None or not (PACKAGE / "micropython.mjs").exists():
        pytest.fail("MicroPython for node is not installed: install Node.js 20 or newer and run `npm ci`")
    files = {}
    for folder, target in (
        (ROOT / "protocol" / "doorward_protocol", "/lib/doorward_protocol"),
        (ROOT / "firmware" / "doorward_firmware", "/lib/doorward_firmware"),
        (ROOT / "firmware" / "doorward_firmware" / "drivers", "/lib/doorward_firmware/drivers"),
        (ROOT / "firmware" / "doorward_firmware" / "crypto", "/lib/doorward_firmware/crypto"),
        (HARNESS / "micropython_stubs", "/lib"),
        (HARNESS / "portable", "/checks"),
        (HERE / "portable", "/checks"),
    ):
        for path in folder.glob("*.py"):
            if path.name not in HOST_ONLY:
                files[f"{target}/{path.name}"] = str(path)
    plan = {"package": str(PACKAGE), "files": files, "modules": ["driver_checks"]}
    process = subprocess.run(
        [node, str(HARNESS / "run_checks.mjs")],
        input=json.dumps(plan),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert process.returncode == 0, process.stderr[-4000:]
    lines = [json.loads(line) for line in process.stdout.splitlines()]
    return {line["check"]: line["error"] for line in lines}


@pytest.mark.parametrize("name", CHECKS)
def test_under_micropython(results, name):
    assert results[name] is None, results[name]

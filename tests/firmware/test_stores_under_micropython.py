"""Stores and link under the real MicroPython interpreter (webassembly), and the same checks under CPython."""

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from doorward_protocol.suite_openssl import OpenSSLSuite

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
MICROPYTHON = HERE.parent / "micropython"
PACKAGE = ROOT / "node_modules" / "@micropython" / "micropython-webassembly-pyscript"
MODULES = ["link_checks", "store_checks"]
FOLDERS = {
    "/lib/doorward_protocol": ROOT / "protocol" / "doorward_protocol",
    "/lib/doorward_firmware": ROOT / "firmware" / "doorward_firmware",
    "/lib/doorward_firmware/crypto": ROOT / "firmware" / "doorward_firmware" / "crypto",
    "/lib/doorward_firmware/store": ROOT / "firmware" / "doorward_firmware" / "store",
    "/lib/doorward_firmware/sync": ROOT / "firmware" / "doorward_firmware" / "sync",
    "/lib": MICROPYTHON / "micropython_stubs",
    "/checks": HERE / "portable",
}


@pytest.fixture(scope="module")
def results():
    """What one node process reports: {(module, check): error or None}."""
    node = shutil.which("node")
    if node is None or not (PACKAGE / "micropython.mjs").exists():
        pytest.fail("MicroPython for node is missing: install Node.js 20 or newer and run `npm ci`")
    files = {"/checks/runner.py": str(MICROPYTHON / "portable" / "runner.py")}
    for target, folder in FOLDERS.items():
        files.update({f"{target}/{path.name}": str(path) for path in folder.glob("*.py")})
    process = subprocess.run(
        [node, str(MICROPYTHON / "run_checks.mjs")],
        input=json.dumps({"package": str(PACKAGE), "files": files, "modules": MODULES}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 0, process.stderr[-4000:]
    reports = [json.loads(line) for line in process.stdout.splitlines()]
    return {(report["module"], report["check"]): report["error"] for report in reports}


def checks():
    sys.path.insert(0, str(HERE / "portable"))
    for name in MODULES:
        module = __import__(name)
        for check in sorted(dir(module)):
            if check.startswith("check_"):
                yield name, check


@pytest.mark.parametrize(("module", "check"), list(checks()))
def test_under_micropython(results, module, check):
    assert results[module, check] is None, results[module, check]


@pytest.mark.parametrize(("module", "check"), list(checks()))
def test_under_cpython(module, check):
    function = getattr(sys.modules[module], check)
    if getattr(sys.modules[module], "NEEDS_SUITE", False):
        asyncio.run(function(OpenSSLSuite()))
    else:
        function()

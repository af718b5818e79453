"""Stores and link under the real MicroPython interpreter (webassembly), and the same checks under CPython."""

import asyncio
import sys
from pathlib import Path

import pytest
from doorward_protocol.suite_openssl import OpenSSLSuite

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
MICROPYTHON = HERE.parent / "micropython"
sys.path.insert(0, str(MICROPYTHON))
from checks_process import LIB, run  # noqa: E402  # pyright: ignore[reportMissingImports]

MODULES = ["link_checks", "store_checks"]
FOLDERS = {
    "/lib/doorward_protocol": ROOT / "protocol" / "doorward_protocol",
    "/lib/doorward_firmware": ROOT / "firmware" / "doorward_firmware",
    "/lib/doorward_firmware/crypto": ROOT / "firmware" / "doorward_firmware" / "crypto",
    "/lib/doorward_firmware/store": ROOT / "firmware" / "doorward_firmware" / "store",
    "/lib/doorward_firmware/sync": ROOT / "firmware" / "doorward_firmware" / "sync",
    "/lib": LIB,
    "/checks": HERE / "portable",
}


@pytest.fixture(scope="module")
def results():
    """What one node process reports: {(module, check): error or None}."""
    files = {"/checks/runner.py": str(MICROPYTHON / "portable" / "runner.py")}
    for target, folder in FOLDERS.items():
        files.update({f"{target}/{path.name}": str(path) for path in folder.glob("*.py")})
    reports = run(files, MODULES)
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

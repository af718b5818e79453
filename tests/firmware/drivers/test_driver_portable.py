"""The portable driver checks, under CPython and under the real MicroPython (webassembly, in node)."""

import runpy
import sys
from pathlib import Path

import pytest
from doorward_simulator.device_files import HOST_ONLY

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
HARNESS = ROOT / "tests" / "micropython"
sys.path.insert(0, str(HARNESS))
from checks_process import LIB, run  # noqa: E402  # pyright: ignore[reportMissingImports]


def load():
    return runpy.run_path(str(HERE / "portable" / "driver_checks.py"))


CHECKS = sorted(name for name in load() if name.startswith("check_"))


@pytest.mark.parametrize("name", CHECKS)
def test_under_cpython(name):
    load()[name]()


@pytest.fixture(scope="module")
def results():
    """{check: error or None} of one node process."""
    files = {}
    for folder, target in (
        (ROOT / "protocol" / "doorward_protocol", "/lib/doorward_protocol"),
        (ROOT / "firmware" / "doorward_firmware", "/lib/doorward_firmware"),
        (ROOT / "firmware" / "doorward_firmware" / "drivers", "/lib/doorward_firmware/drivers"),
        (ROOT / "firmware" / "doorward_firmware" / "crypto", "/lib/doorward_firmware/crypto"),
        (LIB, "/lib"),
        (HARNESS / "portable", "/checks"),
        (HERE / "portable", "/checks"),
    ):
        for path in folder.glob("*.py"):
            if f"{folder.name}/{path.name}" not in HOST_ONLY:
                files[f"{target}/{path.name}"] = str(path)
    return {report["check"]: report["error"] for report in run(files, ["driver_checks"])}


@pytest.mark.parametrize("name", CHECKS)
def test_under_micropython(results, name):
    assert results[name] is None, results[name]

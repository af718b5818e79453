"""The logic under the real MicroPython (webassembly, in node): the same days, step by step."""

import sys
from pathlib import Path

import logic_checks
import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
HARNESS = ROOT / "tests" / "micropython"
sys.path.insert(0, str(HARNESS))
from checks_process import LIB, run  # noqa: E402  # pyright: ignore[reportMissingImports]

FOLDERS = (
    (ROOT / "protocol" / "doorward_protocol", "/lib/doorward_protocol"),
    (ROOT / "firmware" / "doorward_firmware", "/lib/doorward_firmware"),
    (ROOT / "firmware" / "doorward_firmware" / "logic", "/lib/doorward_firmware/logic"),
    (ROOT / "firmware" / "doorward_firmware" / "crypto", "/lib/doorward_firmware/crypto"),
    (ROOT / "firmware" / "doorward_firmware" / "drivers", "/lib/doorward_firmware/drivers"),
    (ROOT / "firmware" / "doorward_firmware" / "store", "/lib/doorward_firmware/store"),
    (ROOT / "firmware" / "doorward_firmware" / "sync", "/lib/doorward_firmware/sync"),
    (LIB, "/lib"),
    (HARNESS / "portable", "/checks"),
)


@pytest.fixture(scope="module")
def errors():
    """{check: error or None} of one node process."""
    files = {}
    for folder, target in FOLDERS:
        for path in folder.glob("*.py"):
            if path.name not in ("advice.py", "suite_openssl.py"):
                files[f"{target}/{path.name}"] = str(path)
    for name in ("edges.py", "logic_checks.py"):
        files[f"/checks/{name}"] = str(HERE / name)
    return {report["check"]: report["error"] for report in run(files, ["logic_checks"])}


@pytest.mark.parametrize(
    "name", ["check_delivery", "check_trace_is_long_enough", "check_the_whole_firmware_imports"]
)
def test_under_both(errors, name):
    getattr(logic_checks, name)()
    assert errors[name] is None, errors[name]


def test_traces_are_identical(errors):
    assert f"trace {logic_checks.trace().hex()}" in errors["check_prints_its_trace"]

"""The logic under the real MicroPython (webassembly, in node): the same days, step by step."""

import json
import shutil
import subprocess
from pathlib import Path

import logic_checks
import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
HARNESS = ROOT / "tests" / "micropython"
PACKAGE = ROOT / "node_modules" / "@micropython" / "micropython-webassembly-pyscript"
FOLDERS = (
    (ROOT / "protocol" / "doorward_protocol", "/lib/doorward_protocol"),
    (ROOT / "firmware" / "doorward_firmware", "/lib/doorward_firmware"),
    (ROOT / "firmware" / "doorward_firmware" / "logic", "/lib/doorward_firmware/logic"),
    (ROOT / "firmware" / "doorward_firmware" / "crypto", "/lib/doorward_firmware/crypto"),
    (ROOT / "firmware" / "doorward_firmware" / "drivers", "/lib/doorward_firmware/drivers"),
    (ROOT / "firmware" / "doorward_firmware" / "store", "/lib/doorward_firmware/store"),
    (ROOT / "firmware" / "doorward_firmware" / "sync", "/lib/doorward_firmware/sync"),
    (HARNESS / "micropython_stubs", "/lib"),
    (HARNESS / "portable", "/checks"),
)


@pytest.fixture(scope="module")
def errors():
    """{check: error or None} of one node process."""
    node = shutil.which("node")
    if node is None or not (PACKAGE / "micropython.mjs").exists():
        pytest.fail("MicroPython for node is not installed: install Node.js 20 or newer and run `npm ci`")
    files = {}
    for folder, target in FOLDERS:
        for path in folder.glob("*.py"):
            if path.name not in ("advice.py", "suite_openssl.py"):
                files[f"{target}/{path.name}"] = str(path)
    for name in ("edges.py", "logic_checks.py"):
        files[f"/checks/{name}"] = str(HERE / name)
    plan = {"package": str(PACKAGE), "files": files, "modules": ["logic_checks"]}
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


@pytest.mark.parametrize(
    "name", ["check_delivery", "check_trace_is_long_enough", "check_the_whole_firmware_imports"]
)
def test_under_both(errors, name):
    getattr(logic_checks, name)()
    assert errors[name] is None, errors[name]


def test_traces_are_identical(errors):
    assert f"trace {logic_checks.trace().hex()}" in errors["check_prints_its_trace"]

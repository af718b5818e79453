"""Portable checks in a node process of their own, under the real MicroPython: see run_checks.mjs."""

import json
import subprocess
from pathlib import Path

import pytest
from doorward_simulator.runtimes.micropython import WEBASSEMBLY, RuntimeMissingError, node, package

HERE = Path(__file__).parent
LIB = WEBASSEMBLY / "lib"  # what the port lacks and the device has


def run(files, modules, timeout=100):
    """Run the modules' checks: [{module, check, error, milliseconds}]. files: {path there: path here}."""
    try:
        command = [node(), str(HERE / "run_checks.mjs")]
        plan = {
            "package": str(package()),
            "webassembly": str(WEBASSEMBLY),
            "files": files,
            "modules": modules,
        }
    except RuntimeMissingError as error:
        pytest.fail(str(error))
    process = subprocess.run(
        command, input=json.dumps(plan), capture_output=True, text=True, timeout=timeout, check=False
    )
    assert process.returncode == 0, process.stderr[-4000:]
    return [json.loads(line) for line in process.stdout.splitlines()]

"""The portable checks under the real MicroPython interpreter (webassembly), with the device's own suite.

tests/protocol runs the same checks under CPython. Node comes from PATH and the interpreter from node_modules;
where one of them is missing the tests fail and say which command brings it.
"""

import json
import subprocess
from pathlib import Path

import nist_vectors
import pytest
from device_files import HOST_ONLY, ROOT
from doorward_simulator.runtimes.micropython import WEBASSEMBLY, node, package

HERE = Path(__file__).parent

MODULES = sorted(path.stem for path in (HERE / "portable").glob("*_checks.py"))


def plan(folder):
    """Which files the interpreter sees, and which modules of checks it runs; folder is for generated ones."""
    files = {}
    for source, target in (
        (ROOT / "protocol" / "doorward_protocol", "/lib/doorward_protocol"),
        (ROOT / "firmware" / "doorward_firmware" / "crypto", "/lib/doorward_firmware/crypto"),
        (WEBASSEMBLY / "lib", "/lib"),
        (HERE / "portable", "/checks"),
    ):
        for path in source.glob("*.py"):
            if str(path.relative_to(ROOT)) not in HOST_ONLY:
                files[f"{target}/{path.name}"] = str(path)
    files["/lib/doorward_firmware/__init__.py"] = str(ROOT / "firmware" / "doorward_firmware" / "__init__.py")
    for path in (HERE / "vectors").glob("*.json"):
        files[f"/vectors/{path.name}"] = str(path)
    nist = folder / "nist.json"
    nist.write_text(json.dumps(nist_vectors.collect()))
    files["/vectors/nist.json"] = str(nist)
    return {
        "package": str(package()),
        "webassembly": str(WEBASSEMBLY),
        "files": files,
        "modules": MODULES,
    }


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What one node process reports: {module: [{check, error, milliseconds}]}."""
    process = subprocess.run(
        [node(), str(HERE / "run_checks.mjs")],
        input=json.dumps(plan(tmp_path_factory.mktemp("vectors"))),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert process.returncode == 0, process.stderr[-4000:]
    found = {module: [] for module in MODULES}
    for line in process.stdout.splitlines():
        result = json.loads(line)
        found[result["module"]].append(result)
    return found


@pytest.mark.parametrize("module", MODULES)
def test_module(results, module):
    written = (HERE / "portable" / f"{module}.py").read_text().count("def check_")
    assert len(results[module]) == written > 0
    failures = [
        f"{result['check']}\n{result['error']}" for result in results[module] if result["error"] is not None
    ]
    assert not failures, "\n".join(failures)

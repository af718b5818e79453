"""The portable checks under the real MicroPython interpreter (webassembly), with the device's own suite.

tests/protocol runs the same checks under CPython. Node comes from PATH and the interpreter from node_modules;
where one of them is missing the tests fail and say which command brings it.
"""

import json
from pathlib import Path

import nist_vectors
import pytest
from checks_process import LIB, run
from device_files import DEVICE_FILES, ROOT

HERE = Path(__file__).parent

MODULES = sorted(path.stem for path in (HERE / "portable").glob("*_checks.py"))


def files(folder):
    """Which files the interpreter sees; folder is for generated ones."""
    seen = {}
    for source, target in (
        (ROOT / "protocol" / "doorward_protocol", "/lib/doorward_protocol"),
        (ROOT / "firmware" / "doorward_firmware" / "crypto", "/lib/doorward_firmware/crypto"),
        (LIB, "/lib"),
        (HERE / "portable", "/checks"),
    ):
        for path in source.glob("*.py"):
            if path in DEVICE_FILES or source in (LIB, HERE / "portable"):
                seen[f"{target}/{path.name}"] = str(path)
    seen["/lib/doorward_firmware/__init__.py"] = str(ROOT / "firmware" / "doorward_firmware" / "__init__.py")
    for path in (HERE / "vectors").glob("*.json"):
        seen[f"/vectors/{path.name}"] = str(path)
    nist = folder / "nist.json"
    nist.write_text(json.dumps(nist_vectors.collect()))
    seen["/vectors/nist.json"] = str(nist)
    return seen


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What one node process reports: {module: [{check, error, milliseconds}]}."""
    found = {module: [] for module in MODULES}
    for report in run(files(tmp_path_factory.mktemp("vectors")), MODULES, timeout=200):
        found[report["module"]].append(report)
    return found


@pytest.mark.parametrize("module", MODULES)
def test_module(results, module):
    written = (HERE / "portable" / f"{module}.py").read_text().count("def check_")
    assert len(results[module]) == written > 0
    failures = [
        f"{result['check']}\n{result['error']}" for result in results[module] if result["error"] is not None
    ]
    assert not failures, "\n".join(failures)

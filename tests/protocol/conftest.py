"""The portable checks, which also run under the real MicroPython, are importable here."""

import sys
from pathlib import Path

import pytest

SHARED = Path(__file__).parent.parent / "micropython"
CHECKS = sorted(path.stem for path in (SHARED / "portable").glob("*_checks.py"))

sys.path[:0] = [str(SHARED), str(SHARED / "portable"), str(SHARED / "cpython_stubs")]
pytest.register_assert_rewrite("portable_support", *CHECKS)

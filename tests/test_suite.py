"""The suite runs every folder of tests: the list in pyproject.toml, and the browser's beside it."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_folder_with_tests_is_run():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = set(settings["tool"]["pytest"]["ini_options"]["testpaths"])
    folders = {file.relative_to(ROOT).parts[1] for file in (ROOT / "tests").glob("*/**/test_*.py")}
    assert {f"tests/{folder}" for folder in folders - {"browser"}} | {"tests/test_*.py"} == listed
    assert "pytest tests/browser" in (ROOT / "Makefile").read_text(encoding="utf-8")

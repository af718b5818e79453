"""A bank's server, a registered unit and a unit's firmware for the attacks: those of the other tests."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from doorward_simulator.runtimes import compat

TESTS = Path(__file__).parents[1]
compat.install()
sys.path += [
    str(TESTS / folder)
    for folder in ("server", "server/link", "firmware/sync", "firmware/app", "micropython/cpython_stubs")
]


def _fixtures_of(folder: str) -> dict:
    """Everything that a folder's conftest defines, under no name that another conftest could have."""
    spec = spec_from_file_location(f"fixtures_of_{folder.replace('/', '_')}", TESTS / folder / "conftest.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return {name: value for name, value in vars(module).items() if not name.startswith("_")}


globals().update({**_fixtures_of("server"), **_fixtures_of("server/link")})

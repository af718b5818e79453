"""Every portable check on CPython, with each suite. tests/micropython runs the same under MicroPython."""

import importlib
import inspect
import random
from pathlib import Path

import nist_vectors  # pyright: ignore[reportMissingImports] - of tests/micropython, see conftest.py
import portable_support  # pyright: ignore[reportMissingImports]
import pytest
from doorward_firmware.crypto.suite import DeviceSuite
from doorward_protocol.suite import run
from doorward_protocol.suite_openssl import OpenSSLSuite


async def never_waits():
    """A pause for a suite that has nobody to make room for."""


portable_support.GENERATED["nist"] = nist_vectors.collect()

SUITES = {
    "openssl": lambda source: OpenSSLSuite(random=source),
    "device": lambda source: DeviceSuite(random=source, pause=never_waits),
}


def cases():
    """One case for each check, or for each check and suite."""
    folder = Path(__file__).parent.parent / "micropython" / "portable"
    for path in sorted(folder.glob("*_checks.py")):
        module = importlib.import_module(path.stem)
        for name, check in inspect.getmembers(module, inspect.isfunction):
            if name.startswith("check_"):
                for suite in SUITES if getattr(module, "NEEDS_SUITE", False) else [None]:
                    title = "-".join(
                        [path.stem.removesuffix("_checks"), name.removeprefix("check_"), suite or ""]
                    )
                    yield pytest.param(check, suite, id=title.rstrip("-"))


@pytest.mark.shows("S12", "D20")
@pytest.mark.parametrize(("check", "suite"), list(cases()))
def test_check(check, suite):
    if suite is None:
        check()
    else:
        run(check(SUITES[suite](random.Random(20250101).randbytes)))

"""What all tests of one run share, also with several workers: folders, and work done once among them."""

import fcntl
import os
import signal
from contextlib import contextmanager

import pytest


def pytest_configure():
    """A shell lets what it runs in the background ignore Ctrl-C, which processes under test would inherit."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A folder of this run, the same in every worker."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def cache(shared):
    """The folder of what all days have in common: banks, prompts."""
    folder = shared / "common"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def alone(shared):
    """`with alone(name):` - one worker at a time, so that the next one finds what the first has made."""

    @contextmanager
    def hold(name):
        with (shared / f"{name}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    return hold

"""Finds and runs the portable checks inside MicroPython; run_checks.mjs calls it."""

import io
import json
import sys
from binascii import unhexlify

import host  # pyright: ignore[reportMissingImports] - made by run_checks.mjs
from doorward_firmware.crypto.suite import DeviceSuite
from doorward_protocol.suite import run as finish


async def never_waits():
    """A pause for a suite that has nobody to make room for."""


def random(count):
    """This interpreter has no os.urandom."""
    return unhexlify(host.random(count))


def names(module_name):
    """Return the names of the module's checks, as JSON."""
    module = __import__(module_name)
    return json.dumps(sorted(name for name in dir(module) if name.startswith("check_")))


def run(module_name, check_name):
    """Run one check; return None, or the traceback as text."""
    module = __import__(module_name)
    check = getattr(module, check_name)
    try:
        if getattr(module, "NEEDS_SUITE", False):
            finish(check(DeviceSuite(random, random, never_waits)))
        else:
            check()
    except Exception as error:
        text = io.StringIO()
        sys.print_exception(error, text)  # pyright: ignore[reportAttributeAccessIssue]
        return text.getvalue()
    return None

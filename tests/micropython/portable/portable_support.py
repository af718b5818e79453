"""What the portable checks share. They run unchanged under CPython and under the real MicroPython.

A check is a function whose name begins with `check_`. In a module with NEEDS_SUITE each is a coroutine
function that takes a Suite, elsewhere it takes nothing. A failed check raises.
"""

import json
from binascii import unhexlify

from doorward_protocol.errors import NAMES, ProtocolError

GENERATED = {}  # vectors made at test time, by name
HERE = __file__.rsplit("/", 2)[0]


def vectors(name):
    """Return the content of vectors/NAME.json, or what was made at test time."""
    if name in GENERATED:
        return GENERATED[name]
    with open(HERE + "/vectors/" + name + ".json") as file:
        return json.load(file)


def hexed(values):
    """Return a dict of hexadecimal texts as one of bytes."""
    return {name: unhexlify(values[name]) for name in values}


def names(reason):
    """Return the name of a reason code."""
    return NAMES[reason]


def _check_reason(error, wanted_reason):
    if error.reason != wanted_reason:
        raise AssertionError("%s instead of %s" % (error, names(wanted_reason)))


def refuses(wanted_reason, function, *arguments, **fields):
    """Fail unless function(*arguments, **fields) raises ProtocolError with this reason."""
    try:
        result = function(*arguments, **fields)
    except ProtocolError as error:
        _check_reason(error, wanted_reason)
        return
    raise AssertionError("accepted, not %s: %r" % (names(wanted_reason), result))


async def refuses_later(wanted_reason, coroutine):
    """The same for a coroutine."""
    try:
        result = await coroutine
    except ProtocolError as error:
        _check_reason(error, wanted_reason)
        return
    raise AssertionError("accepted, not %s: %r" % (names(wanted_reason), result))

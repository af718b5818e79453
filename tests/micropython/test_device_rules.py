"""Every device file keeps the rules of device_rules, and each rule finds what it is for."""

import pytest
from device_files import DEVICE_FILES, ROOT
from device_rules import violations


@pytest.mark.parametrize("path", DEVICE_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_device_file(path):
    found = violations(path.read_text(), str(path))
    assert not found, "\n".join(f"{path.relative_to(ROOT)}:{line}" for line in found)


GOOD = """
import asyncio
import os
import time
from micropython import const
from doorward_protocol import cbor
from doorward_protocol.errors import MALFORMED

A = const(1)

class Thing:
    __slots__ = ("a",)
    size: int = 3

    @property
    def b(self) -> "list[int] | None":
        return [x for x in range(3)]

    @b.setter
    def b(self, value):
        self.a = value

async def wait(self, deadline: float):
    while True:
        await asyncio.sleep_ms(0)
        if (n := time.ticks_diff(1, 2)) < 0:
            return n // 2, (5).to_bytes(2, "big"), int.from_bytes(os.urandom(2), "big")

def pieces():
    yield 1
"""

BAD = {
    "import dataclasses": "import of dataclasses",
    "import typing": "import of typing",
    "import enum": "import of enum",
    "import logging": "import of logging",
    "import datetime": "import of datetime",
    "import os.path": "import of os.path",
    "from functools import cached_property": "import of functools",
    "from __future__ import annotations": "import of __future__",
    "from doorward_server import app": "import of doorward_server",
    "from time import *": "import *",
    "import time\ntime.sleep(1)": "time.sleep",
    "import time as t\nt.sleep_ms(1)": "time.sleep_ms",
    "from time import sleep_us": "time.sleep_us",
    "import asyncio\nasyncio.Queue()": "asyncio.Queue",
    "import asyncio\nasyncio.TaskGroup()": "asyncio.TaskGroup",
    "import asyncio\nasyncio.timeout(1)": "asyncio.timeout",
    "import asyncio\nasyncio.sleep(1)": "asyncio.sleep",
    "from asyncio import wait_for": "asyncio.wait_for",
    "import hashlib\nhashlib.sha512()": "hashlib.sha512",
    "import os\nos.path": "os.path",
    "import os\nos.system('x')": "os.system",
    "match 1:\n case 2: pass": "match statement",
    "try:\n pass\nexcept* ValueError:\n pass": "except*",
    "async def f():\n async for x in y: pass": "async for",
    "async def f():\n yield 1": "async generator",
    "async def f():\n return [await x for x in y]": "await inside a comprehension",
    "async def f():\n return [x async for x in y]": "async comprehension",
    "def f(a, /): pass": "positional-only parameters",
    "@thing\ndef f(): pass": "decorator thing",
    "@thing(1)\ndef f(): pass": "decorator thing(1)",
    "@dataclass\nclass A: pass": "class decorator",
    "class A(metaclass=B): pass": "class keywords",
    "class A:\n def __del__(self): pass": "__del__",
    "'a'.removeprefix('b')": "method removeprefix",
    "'a'.zfill(3)": "method zfill",
    "(5).bit_length()": "method bit_length",
    "memoryview(b'').tobytes()": "method tobytes",
    "(5).to_bytes(2, byteorder='big')": "keyword arguments of to_bytes",
    "int.from_bytes(b'', byteorder='big')": "keyword arguments of from_bytes",
    "zip(a, b, strict=True)": "keyword arguments of zip",
    "b''.decode(errors='ignore')": "keyword arguments of decode",
    "raise ConnectionError": "builtin ConnectionError",
    "try:\n pass\nexcept TimeoutError:\n pass": "builtin TimeoutError",
    "eval('1')": "builtin eval",
    "round(1)": "builtin round",
    "x = 1.5": "float",
    "x = y / 2": "division to float",
    "x /= 2": "division to float",
    "while True: pass": "busy waiting",
    "while x():\n continue": "busy waiting",
}


def test_plain_code_passes():
    assert violations(GOOD) == []


@pytest.mark.parametrize(("source", "what"), BAD.items())
def test_rule(source, what):
    assert what in [line.split(": ", 1)[1] for line in violations(source)]

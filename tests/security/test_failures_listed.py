"""Failures of neighbouring systems, and the test that attacks Doorward in the same way: one each."""

import ast
from pathlib import Path

FAILURES = {
    "zkteco": (
        "input concatenated into SQL",
        "default key 0",
        "session MAC reversible from one capture",
        "key stored in clear",
        "names chosen by the server used as paths",
        "everything as root",
        "a cloud command called SHELL",
        "any server trusted",
        "update encrypted by XOR with a key in the file",
        "an oversized code reboots the device",
        "unencrypted flash",
        "UART boot log",
    ),
    "suprema": ("open database", "raw prints", "plain passwords"),
    "osdp": (
        "encryption optional",
        "downgrade",
        "key captured in install mode",
        "constant default key",
        "4 byte MAC",
        "6 bytes of randomness",
    ),
    "cose": ("CBOR true equals integer 1 as a key",),
    "edhoc": ("repeated message 3 reuses key and nonce",),
}


def test_every_failure_has_its_test_and_every_test_its_failure():
    wanted = [
        f"test_{system}_{failure.lower().replace(' ', '_')}"
        for system, failures in FAILURES.items()
        for failure in failures
    ]
    found = []
    for file in Path(__file__).parent.glob("test_failures_of_*.py"):
        found += [node.name for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef)]
    assert sorted(name for name in found if name.startswith("test_")) == sorted(wanted)

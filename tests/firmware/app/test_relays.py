"""The relays have one way in: door_control asks the guard, and nobody else touches a door."""

import ast
from pathlib import Path

import pytest

pytestmark = pytest.mark.shows("D12")

FIRMWARE = Path(__file__).parents[3] / "firmware" / "doorward_firmware"


def calls(method):
    """Files of the firmware, drivers apart, that call a method of that name on something called doors."""
    found = set()
    for path in FIRMWARE.rglob("*.py"):
        if "drivers" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = ast.unparse(node.func.value)
                if node.func.attr == method and "doors" in owner:
                    found.add((path.name, owner))
    return found


def test_only_door_control_releases():
    assert calls("release") == {("door_control.py", "self._doors")}


def test_it_asks_the_guard_right_before():
    tree = ast.parse((FIRMWARE / "door_control.py").read_text())
    guarded = []
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "guard.may_release" in ast.unparse(node.test):
            guarded += [ast.unparse(statement) for statement in node.body]
    assert guarded[0] == "self._doors.release(door)"
    assert ast.unparse(tree).count("_doors.release(") == 1

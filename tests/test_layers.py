"""Nobody imports upwards: packages import only what is below them, pure logic nothing that acts."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

MAY_IMPORT = {
    "protocol": {"protocol"},
    "firmware": {"firmware", "protocol"},
    "server": {"server", "protocol"},
    "simulator": {"simulator", "firmware", "protocol"},
    "tools": {"tools", "simulator", "server", "firmware", "protocol"},
}

# The pure part of the firmware: step functions and tables. They get the time and give back effects.
LOGIC = "firmware/doorward_firmware/logic"
LOGIC_MAY_IMPORT = ("doorward_firmware.logic", "doorward_protocol", "binascii", "micropython", "struct")


def imported(source, package):
    """The full names of the modules that a file imports, by statement or by name at run time."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                yield node.args[0].value


def files(part):
    return sorted((ROOT / part / f"doorward_{part}").rglob("*.py"))


def package_of(path, part):
    return ".".join(path.relative_to(ROOT / part).parent.parts)


def upward(names, part):
    """Those of names that part may not import."""
    for name in names:
        top = name.split(".")[0]
        if top.startswith("doorward_") and top.removeprefix("doorward_") not in MAY_IMPORT[part]:
            yield name


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_imports_point_downwards(part):
    assert files(part)
    found = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files(part)
        for name in upward(imported(path.read_text(), package_of(path, part)), part)
    ]
    assert not found, "\n".join(found)


def test_logic_is_pure():
    found = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / LOGIC).rglob("*.py"))
        for name in imported(path.read_text(), "doorward_firmware.logic")
        if not any(name == allowed or name.startswith(allowed + ".") for allowed in LOGIC_MAY_IMPORT)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("source", "part", "wrong"),
    [
        ("import doorward_server.app", "simulator", True),
        ("from doorward_server import app", "firmware", True),
        ("from doorward_tools.main import app", "server", True),
        ("def f():\n    import doorward_firmware", "server", True),
        ("import importlib\nimportlib.import_module('doorward_server')", "simulator", True),
        ("from doorward_firmware.board import REFERENCE", "simulator", False),
        ("from . import doorward_server", "protocol", False),
        ("import os", "protocol", False),
    ],
)
def test_the_rule_itself(source, part, wrong):
    assert bool(list(upward(imported(source, f"doorward_{part}"), part))) is wrong

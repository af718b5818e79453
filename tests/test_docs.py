"""What the documents name exists: functions in docs/overview.md, commands and files in the README."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OVERVIEW = (ROOT / "docs" / "overview.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`([\w/.-]+\.py)::([\w.]+)`", OVERVIEW)))


def _names(path: Path) -> set[str]:
    """Functions and classes of a file, and the methods of its classes as Class.method."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            members = (one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))
            found |= {f"{node.name}.{one.name}" for one in members}
    return found


@pytest.mark.parametrize(("file", "name"), NAMED, ids=lambda value: str(value).rsplit("/", 1)[-1])
def test_the_overview_names_what_exists(file, name):
    assert name in _names(ROOT / file)


def test_the_overview_follows_the_finger_through_all_parts():
    parts = {file.split("/")[0] for file, _ in NAMED}
    assert parts == {"protocol", "firmware", "server", "simulator"}


@pytest.mark.parametrize(
    "document", ["README.md", *(f"docs/{file.name}" for file in (ROOT / "docs").glob("*.md"))]
)
def test_links_between_documents_lead_somewhere(document):
    source = ROOT / document
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", source.read_text(encoding="utf-8")):
        assert (source.parent / target).exists(), f"{document}: {target}"


def test_the_readme_names_commands_that_exist():
    from doorward_tools.main import app

    commands = {command.name for command in app.registered_commands}
    assert set(re.findall(r"doorward (demo|serve|simulate|scenario|import|\w+)\b(?= |`)", README)) >= commands


def test_every_requirement_stands_in_the_readme():
    wanted = (
        [f"S{n}" for n in range(1, 26)] + [f"D{n}" for n in range(1, 21)] + [f"F{n}" for n in range(1, 14)]
    )
    rows = re.findall(r"^\| ([SDF]\d+) ", README, re.MULTILINE)
    assert rows == wanted

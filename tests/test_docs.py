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


def _commands() -> dict[str, set[str]]:
    """The sub-commands of each command; of a plain command, none."""
    from doorward_tools.main import app

    plain = {str(command.name): set() for command in app.registered_commands}
    groups = {
        str(group.name): {str(command.name) for command in group.typer_instance.registered_commands}
        for group in app.registered_groups
        if group.typer_instance
    }
    return plain | groups


def test_the_readme_names_commands_that_exist():
    assert set(re.findall(r"`doorward ([a-z]+(?:-[a-z]+)*)", README)) == set(_commands())


@pytest.mark.parametrize(("command", "parts"), _commands().items())
def test_the_readme_lists_a_command_with_all_its_parts(command, parts):
    rows = re.findall(rf"^\| `doorward {command}\b.*$", README, re.MULTILINE)
    assert len(rows) == 1
    assert parts <= set(re.findall(r"[a-z]+", rows[0]))

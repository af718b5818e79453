"""Guard and lockout: their own tests cover every branch, and notice every small change to the code."""

import ast
import inspect
import json

import coverage
import mutants
import pytest
import test_guard
import test_lockout
from doorward_firmware.logic import guard, lockout

JUDGED = {"guard": (guard, test_guard), "lockout": (lockout, test_lockout)}
MUTANTS = [
    pytest.param(name, tree, id=f"{name} {what}")
    for name, (module, _) in JUDGED.items()
    for what, tree in mutants.mutants(inspect.getsource(module))
]


def run_all(name, module, monkeypatch):
    """Run a judged module's tests against another in its place; raises what a failing test raises."""
    original, tests = JUDGED[name]
    for known, value in list(vars(tests).items()):
        if known.startswith("__"):
            continue
        if value is original:
            monkeypatch.setattr(tests, known, module)
        elif known in vars(original) and getattr(value, "__module__", original.__name__) == original.__name__:
            monkeypatch.setattr(tests, known, getattr(module, known))
    for _, test in inspect.getmembers(tests, lambda member: callable(member)):
        if inspect.isfunction(test) and test.__name__.startswith("test_"):
            test()
        elif inspect.isclass(test) and test.__name__.startswith("Test"):
            for case in vars(test)["pytestmark"][0].args[1]:
                for method in [method for method in dir(test) if method.startswith("test_")]:
                    getattr(test(), method)(*case)


@pytest.mark.parametrize("name", JUDGED)
def test_every_branch_is_covered(name, monkeypatch, tmp_path):
    original, _ = JUDGED[name]
    measured = coverage.Coverage(data_file=None, branch=True, include=[str(original.__file__)])
    measured.start()
    try:
        run_all(name, mutants.load(ast.parse(inspect.getsource(original)), original), monkeypatch)
    finally:
        measured.stop()
    measured.json_report(outfile=str(tmp_path / "coverage.json"))
    totals = json.loads((tmp_path / "coverage.json").read_text())["totals"]
    assert totals["num_branches"] > 5
    assert (totals["missing_lines"], totals["missing_branches"]) == (0, 0)


@pytest.mark.parametrize(("name", "tree"), MUTANTS)
def test_mutant_is_killed(name, tree, monkeypatch):
    original, _ = JUDGED[name]
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it is, the mutant was noticed
        run_all(name, mutants.load(tree, original), monkeypatch)


def test_there_are_as_many_as_the_code_deserves():
    assert len(MUTANTS) > 150

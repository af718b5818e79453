"""Every small change to the guard makes one of its tests fail: conditions turned round, tests left out."""

import ast
import copy
import inspect
import itertools

import pytest
import test_guard
from doorward_firmware.logic import guard

TREE = ast.parse(inspect.getsource(guard))


def _changes(node):
    """Each way to spoil one node, as functions that change a copy of it in place."""
    if isinstance(node, ast.Compare):
        swaps = {
            ast.Eq: ast.NotEq,
            ast.NotEq: ast.Eq,
            ast.In: ast.NotIn,
            ast.NotIn: ast.In,
            ast.IsNot: ast.Is,
            ast.Is: ast.IsNot,
        }
        yield lambda copied: copied.ops.__setitem__(0, swaps[type(copied.ops[0])]())
    if isinstance(node, ast.BoolOp):
        other = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield lambda copied: setattr(copied, "op", other())
        neutral = isinstance(node.op, ast.And)
        for place in range(len(node.values)):
            yield lambda copied, place=place: copied.values.__setitem__(place, ast.Constant(neutral))
    if isinstance(node, ast.If):
        for constant in (True, False):
            yield lambda copied, constant=constant: setattr(copied, "test", ast.Constant(constant))
    if isinstance(node, ast.Return):
        if not isinstance(node.value, ast.Constant):
            for constant in (True, False):
                yield lambda copied, constant=constant: setattr(copied, "value", ast.Constant(constant))
        else:
            yield lambda copied: setattr(copied, "value", ast.Constant(not copied.value.value))


def mutants():
    function = next(node for node in TREE.body if isinstance(node, ast.FunctionDef))
    for index, node in enumerate(ast.walk(function)):
        for number, change in enumerate(_changes(node)):
            copied = copy.deepcopy(function)
            change(list(ast.walk(copied))[index])
            yield pytest.param(copied, id=f"line{getattr(node, 'lineno', 0)}-{type(node).__name__}-{number}")


def run_all(may_release, monkeypatch):
    """Run the guard's tests against a function; raises AssertionError if one fails."""
    monkeypatch.setattr(test_guard, "may_release", may_release)
    for name, test in inspect.getmembers(test_guard, inspect.isfunction):
        if name.startswith("test_"):
            test()
    cases = vars(test_guard.TestHandover)["pytestmark"][0].args[1]
    names = [name for name in dir(test_guard.TestHandover) if name.startswith("test_")]
    for name, case in itertools.product(names, cases):
        getattr(test_guard.TestHandover(), name)(*case)


def test_the_tests_pass_as_it_is(monkeypatch):
    run_all(guard.may_release, monkeypatch)


@pytest.mark.parametrize("mutant", list(mutants()))
def test_mutant_is_killed(mutant, monkeypatch):
    module = ast.Module(body=[mutant], type_ignores=[])
    names = dict(vars(guard))
    exec(compile(ast.fix_missing_locations(module), "mutant", "exec"), names)
    with pytest.raises((AssertionError, AttributeError, TypeError)):
        run_all(names["may_release"], monkeypatch)

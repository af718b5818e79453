"""Small changes to a module, each of which its tests must notice: a generator over its syntax tree.

Comparisons turned and moved by one, numbers one more and one less, conditions held and negated, branches
swapped, statements left out, other values returned, arithmetic and shifts turned round, arguments dropped.
"""

import ast
import copy
import types

_COMPARE = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
}
_BINARY = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.Mult: ast.Add,
}


def mutants(source):
    """Yield (name, tree) of each mutant of a module's source."""
    tree = ast.parse(source)
    for index, node in enumerate(ast.walk(tree)):
        for number, (what, change) in enumerate(_changes(node)):
            mutant = copy.deepcopy(tree)
            change(list(ast.walk(mutant))[index])
            line = getattr(node, "lineno", 0)
            yield f"line {line} {what} {number}", ast.fix_missing_locations(mutant)


def load(tree, original):
    """A module of its own made from a tree, in the place of the original."""
    module = types.ModuleType(original.__name__)
    module.__file__ = original.__file__
    exec(compile(tree, original.__file__, "exec"), vars(module))
    return module


def _changes(node):
    """(what, change) for each way to spoil one node; change alters a copy of it in place."""
    if isinstance(node, ast.Compare):
        for swapped in _COMPARE[type(node.ops[0])]:
            yield "compare", _set("ops", [swapped()])
    elif isinstance(node, ast.BoolOp):
        yield "boolean", _set("op", ast.Or() if isinstance(node.op, ast.And) else ast.And())
        for place in range(len(node.values)):
            yield "operand", lambda copied, place=place: copied.values.pop(place)
    elif isinstance(node, ast.BinOp):
        yield "arithmetic", _set("op", _BINARY[type(node.op)]())
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "constant", _set("value", not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield "constant", _set("value", node.value + 1)
        yield "constant", _set("value", node.value - 1)
    elif isinstance(node, ast.Call):
        for place in range(len(node.keywords)):
            yield "argument", lambda copied, place=place: copied.keywords.pop(place)
    elif isinstance(node, ast.If | ast.IfExp):
        yield "condition", _set("test", ast.Constant(True))
        yield "condition", _set("test", ast.Constant(False))
        yield "negation", lambda copied: setattr(copied, "test", ast.UnaryOp(ast.Not(), copied.test))
    elif isinstance(node, ast.Return) and node.value is not None:
        for value in (True, False, None):
            if not (isinstance(node.value, ast.Constant) and node.value.value is value):
                yield "return", _set("value", ast.Constant(value))
    if isinstance(node, ast.FunctionDef | ast.For | ast.If):
        for place, statement in enumerate(node.body):
            documented = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            if not documented:
                yield "statement", lambda copied, place=place: copied.body.__setitem__(place, ast.Pass())


def _set(name, value):
    return lambda copied: setattr(copied, name, value)

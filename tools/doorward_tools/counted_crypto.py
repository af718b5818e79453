"""The firmware's arithmetic with every big multiplication counted, without a counter in the firmware.

The files of doorward_firmware.crypto are loaded a second time, as the package `counted_crypto`, with three
replacements in their syntax trees: `a * b` counts if both factors have more than 64 bits, `a % m` says by
which modulus, `divmod` is a step of Euclid's algorithm. A small factor is no multiplication of 256 bits, so
Euclid's own products with their short quotients are not counted twice. AES-CCM has no such arithmetic and
comes from OpenSSL.
"""

import ast
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from dataclasses import asdict, dataclass
from pathlib import Path

import doorward_firmware.crypto as original
from doorward_protocol.suite import P256_N, P256_P
from doorward_protocol.suite_openssl import OpenSSLSuite

PACKAGE = "counted_crypto"
_ORIGINAL = "doorward_firmware.crypto"
_FOLDER = Path(original.__path__[0])
_BIG = 64  # bits


@dataclass
class Counts:
    """Work on 256-bit numbers, squarings counted as multiplications."""

    modulo_p: int = 0
    modulo_n: int = 0
    inversions: int = 0
    euclid_steps: int = 0
    pauses: int = 0
    between_pauses: int = 0  # multiplications and Euclid's steps, the most between two pauses

    @property
    def multiplications(self) -> int:
        return self.modulo_p + self.modulo_n

    def to_json(self) -> dict[str, int]:
        return {"multiplications": self.multiplications, **asdict(self)}


def _is_big(value) -> bool:
    return isinstance(value, int) and value.bit_length() > _BIG


class _Counter:
    """What the replaced operators report to; begin() starts anew."""

    def begin(self) -> None:
        self.counts = Counts()
        self._unreduced = 0
        self._since_pause = 0

    def times(self, first, second):
        if _is_big(first) and _is_big(second):
            self._unreduced += 1
            self._work()
        return first * second

    def modulo(self, value, modulus):
        if modulus == P256_P:
            self.counts.modulo_p += self._unreduced
            self._unreduced = 0
        elif modulus == P256_N:
            self.counts.modulo_n += self._unreduced
            self._unreduced = 0
        return value % modulus

    def step(self, first, second):
        self.counts.inversions += first in (P256_P, P256_N)  # the first step divides the modulus
        self.counts.euclid_steps += 1
        self._work()
        return divmod(first, second)

    async def pause(self) -> None:
        self.counts.pauses += 1
        self._since_pause = 0

    def finish(self) -> Counts:
        if self._unreduced:
            raise RuntimeError(f"{self._unreduced} products were never reduced, so no modulus has them")
        return self.counts

    def _work(self) -> None:
        self._since_pause += 1
        self.counts.between_pauses = max(self.counts.between_pauses, self._since_pause)


counter = _Counter()
counter.begin()


class _Operators(ast.NodeTransformer):
    """Calls of the counter in the place of operators; imports from the package stay inside it."""

    _REPLACED = ((ast.Mult, "times"), (ast.Mod, "modulo"))

    def visit_BinOp(self, node):
        self.generic_visit(node)
        for operator, name in self._REPLACED:
            if isinstance(node.op, operator):
                return ast.copy_location(_call(name, [node.left, node.right]), node)
        return node

    def visit_AugAssign(self, node):
        if isinstance(node.op, (ast.Mult, ast.Mod)):
            raise NotImplementedError(f"line {node.lineno}: write the product out, so that it is counted")
        return self.generic_visit(node)

    def visit_Call(self, node):
        self.generic_visit(node)
        name = getattr(node.func, "id", "")
        if name == "pow":
            raise NotImplementedError(
                f"line {node.lineno}: a power in one piece can neither pause nor be counted"
            )
        return ast.copy_location(_call("step", node.args), node) if name == "divmod" else node

    def visit_ImportFrom(self, node):
        node.module = (node.module or "").replace(_ORIGINAL, PACKAGE)
        return node


def _call(name, arguments):
    counter_name = ast.Name("__counter__", ast.Load())
    return ast.Call(ast.Attribute(counter_name, name, ast.Load()), arguments, [])


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds counted_crypto and its modules."""

    def find_spec(self, fullname, path=None, target=None):  # noqa: ARG002 - importlib's own parameters
        if fullname != PACKAGE and not fullname.startswith(PACKAGE + "."):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=fullname == PACKAGE)

    def exec_module(self, module: types.ModuleType) -> None:
        name = module.__name__.removeprefix(PACKAGE).removeprefix(".") or "__init__"
        if name == "ccm":
            openssl = OpenSSLSuite()
            module.seal, module.open_sealed = openssl.seal, openssl.open  # pyright: ignore
            return
        path = _FOLDER / f"{name}.py"
        tree = ast.fix_missing_locations(_Operators().visit(ast.parse(path.read_text(), str(path))))
        module.__dict__["__counter__"] = counter
        exec(compile(tree, str(path), "exec"), module.__dict__)  # noqa: S102 - the firmware's own files


def load():
    """Return the counted module `suite`."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    return importlib.import_module(PACKAGE + ".suite")

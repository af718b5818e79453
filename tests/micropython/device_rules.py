"""What the device's MicroPython lacks, or must not be asked for, found in a syntax tree.

`violations(source)` returns lines of text. mpy-cross finds what does not parse; this finds what parses and
then fails at run time, or holds the loop.
"""

import ast
import builtins

# Modules of the stock ESP32-S3 build of MicroPython 1.29, as far as this project uses them, and `camera` of
# the micropython-camera-API image. What is left out, as `ssl` or `socket`, is left out on purpose: to add it
# is a decision about the design.
MODULES = {
    "array",
    "asyncio",
    "binascii",
    "camera",
    "collections",
    "cryptolib",
    "errno",
    "esp32",
    "framebuf",
    "gc",
    "hashlib",
    "heapq",
    "io",
    "json",
    "machine",
    "micropython",
    "network",
    "os",
    "struct",
    "sys",
    "time",
    "uctypes",
    "vfs",
}
PACKAGES = ("doorward_protocol", "doorward_firmware")

# Of these modules only these names: what ESP32, webassembly and the simulator's stubs all offer.
NAMES = {
    "asyncio": {
        "CancelledError",
        "Event",
        "Lock",
        "ThreadSafeFlag",
        "TimeoutError",
        "create_task",
        "current_task",
        "gather",
        "get_event_loop",
        "open_connection",
        "run",
        "sleep_ms",
        "wait_for_ms",
    },
    "collections": {"OrderedDict", "deque", "namedtuple"},
    "hashlib": {"sha256"},
    "os": {"listdir", "mkdir", "remove", "rename", "rmdir", "stat", "statvfs", "sync", "urandom"},
    "sys": {"exit", "implementation", "modules", "path", "platform", "print_exception"},
    "time": {"gmtime", "mktime", "ticks_add", "ticks_diff", "ticks_ms", "ticks_us", "time"},
}

# Builtins that CPython has and MicroPython does not, or that nothing here should need.
BUILTINS = set(
    """
    ArithmeticError AssertionError AttributeError BaseException EOFError Ellipsis Exception False
    GeneratorExit ImportError IndexError KeyError KeyboardInterrupt LookupError MemoryError NameError
    None NotImplemented NotImplementedError OSError OverflowError RuntimeError StopAsyncIteration
    StopIteration SyntaxError SystemExit True TypeError UnicodeError ValueError ZeroDivisionError
    __build_class__ __debug__ __doc__ __name__ abs all any bin bool bytearray bytes callable chr
    classmethod dict dir divmod enumerate filter frozenset getattr hasattr hash hex id int isinstance
    issubclass iter len list map max memoryview min next object oct open ord pow print property range
    repr reversed set setattr slice sorted staticmethod str sum super tuple type zip
    """.split()  # noqa: SIM905 - a hundred lines of quotation marks help nobody
)

METHODS = {
    "as_integer_ratio",
    "bit_count",
    "bit_length",
    "capitalize",
    "casefold",
    "expandtabs",
    "fromhex",
    "isalnum",
    "isascii",
    "isdecimal",
    "isidentifier",
    "isnumeric",
    "isprintable",
    "ljust",
    "maketrans",
    "removeprefix",
    "removesuffix",
    "rjust",
    "swapcase",
    "title",
    "tobytes",
    "translate",
    "with_traceback",
    "zfill",
}

DUNDERS = {
    "__annotations__",
    "__class_getitem__",
    "__del__",
    "__init_subclass__",
    "__post_init__",
    "__set_name__",
}

DECORATORS = {"property", "staticmethod", "classmethod", "micropython.native", "micropython.viper"}

CONSTRUCTS = {
    "Match": "match statement",
    "TryStar": "except*",
    "AsyncFor": "async for",
    "TypeAlias": "type alias",
    "MatMult": "matrix product",
}

KEYWORDS = {  # that these calls do not take there
    "to_bytes": {"length", "byteorder", "signed"},
    "from_bytes": {"byteorder", "signed"},
    "zip": {"strict"},
    "split": {"sep", "maxsplit"},
    "encode": {"encoding", "errors"},
    "decode": {"encoding", "errors"},
}


def violations(source, name="<source>"):
    """Return what the device lacks, as "line: what", in the order of the lines."""
    checker = _Checker(ast.parse(source, name))
    return [f"{line}: {what}" for line, what in sorted(checker.found)]


def _dotted(node):
    if isinstance(node, ast.Attribute):
        inner = _dotted(node.value)
        return inner and f"{inner}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else None


class _Checker(ast.NodeVisitor):
    def __init__(self, tree):
        self.found = set()
        self.modules = {}  # local name -> module
        self.bound = {
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                self.bound.add(node.name)
            elif isinstance(node, ast.arg):
                self.bound.add(node.arg)
            elif isinstance(node, ast.alias):
                self.bound.add((node.asname or node.name).split(".")[0])
        self.visit(tree)

    def refuse(self, node, what):
        self.found.add((node.lineno, what))

    def generic_visit(self, node):
        what = CONSTRUCTS.get(type(node).__name__)
        if what:
            self.refuse(node, what)
        super().generic_visit(node)

    # Imports

    def check_import(self, node, module):
        top = module.split(".")[0]
        if top not in PACKAGES and module not in MODULES:
            self.refuse(node, f"import of {module}")

    def visit_Import(self, node):
        for alias in node.names:
            self.check_import(node, alias.name)
            self.modules[alias.asname or alias.name.split(".")[0]] = alias.name

    def visit_ImportFrom(self, node):
        if any(alias.name == "*" for alias in node.names):
            self.refuse(node, "import *")
        if not node.level:
            self.check_import(node, node.module)
            for alias in node.names:
                self.check_name(node, node.module, alias.name)

    def check_name(self, node, module, name):
        if module in NAMES and name not in NAMES[module]:
            self.refuse(node, f"{module}.{name}")

    # Names and attributes

    def visit_Name(self, node):
        name = node.id
        if name in DUNDERS:
            self.refuse(node, name)
        if hasattr(builtins, name) and name not in BUILTINS and name not in self.bound:
            self.refuse(node, f"builtin {name}")

    def visit_Attribute(self, node):
        if isinstance(node.value, ast.Name) and node.value.id in self.modules:
            self.check_name(node, self.modules[node.value.id], node.attr)
        if node.attr in METHODS:
            self.refuse(node, f"method {node.attr}")
        if node.attr in DUNDERS:
            self.refuse(node, node.attr)
        self.generic_visit(node)

    # Functions, classes, statements

    def check_function(self, node):
        if node.args.posonlyargs:
            self.refuse(node, "positional-only parameters")
        if node.name in DUNDERS:
            self.refuse(node, node.name)
        for decorator in node.decorator_list:
            name = _dotted(decorator) or ast.unparse(decorator)
            if name not in DECORATORS and not name.endswith(".setter"):
                self.refuse(node, f"decorator {name}")
        # Annotations are never evaluated there, so only what runs is looked at.
        for part in [*node.args.defaults, *filter(None, node.args.kw_defaults), *node.body]:
            self.visit(part)

    visit_FunctionDef = check_function  # noqa: N815

    def visit_AsyncFunctionDef(self, node):
        inner = {ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda}
        if any(isinstance(part, (ast.Yield, ast.YieldFrom)) for part in _own(node, inner)):
            self.refuse(node, "async generator")
        self.check_function(node)

    def visit_AnnAssign(self, node):
        if node.value is not None:
            self.visit(node.value)

    def visit_ClassDef(self, node):
        if node.keywords:
            self.refuse(node, "class keywords")
        if node.decorator_list:
            self.refuse(node, "class decorator")
        self.generic_visit(node)

    def visit_While(self, node):
        if all(isinstance(part, (ast.Pass, ast.Continue)) for part in node.body):
            self.refuse(node, "busy waiting")
        self.generic_visit(node)

    def visit_AsyncWith(self, node):
        self.generic_visit(node)

    # Expressions

    def check_comprehension(self, node):
        if any(isinstance(part, ast.Await) for part in ast.walk(node)):
            self.refuse(node, "await inside a comprehension")
        if any(generator.is_async for generator in node.generators):
            self.refuse(node, "async comprehension")
        self.generic_visit(node)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = check_comprehension  # noqa: N815

    def visit_Call(self, node):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for keyword in node.keywords:
            if keyword.arg in KEYWORDS.get(name, ()):
                self.refuse(node, f"keyword arguments of {name}")
        self.generic_visit(node)

    def visit_Constant(self, node):
        if isinstance(node.value, (float, complex)):
            self.refuse(node, "float")

    def visit_BinOp(self, node):
        if isinstance(node.op, ast.Div):
            self.refuse(node, "division to float")
        self.generic_visit(node)

    def visit_AugAssign(self, node):
        if isinstance(node.op, ast.Div):
            self.refuse(node, "division to float")
        self.generic_visit(node)


def _own(node, inner):
    """The nodes of a function without those of the functions inside it."""
    for child in ast.iter_child_nodes(node):
        yield child
        if type(child) not in inner:
            yield from _own(child, inner)

"""What the Python code of a distribution does on Linux that no loader sees: libraries opened, failures of imports swallowed."""

from __future__ import annotations

import ast
import re
import warnings
from typing import TYPE_CHECKING, Any

from abicheck.model.artifact import GuardedImport, Preload, Sources
from abicheck.read.artifacts.platforms import Linux, dotted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

#: Larger modules are data or generated, and parsing takes a hundred times their size in memory.
LIMIT = 2 << 20

#: Only code with one of these names, or with an import inside of a `try:`, is parsed: that takes a second for 50,000 lines.
_OPENS = re.compile(rb"\b(?:CDLL|PyDLL|LoadLibrary|dlopen|setdlopenflags)\b")
_LINES = re.compile(
    rb"^[ \t]*(?:(try:|with [^\n]*suppress\()|except\b|finally:"
    rb"|(import |from |(?:\w+ = |return )?(?:importlib\.)?(?:import_module|__import__)\())",
    re.MULTILINE,
)
#: Tests are shipped, and not run where a distribution is used.
_TESTS = re.compile(r"/tests?/")

_OPENERS = {
    "ctypes.CDLL",
    "ctypes.PyDLL",
    "ctypes.cdll.LoadLibrary",
    "ctypes.pydll.LoadLibrary",
    "_ctypes.dlopen",
}
_SWALLOWED = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
_ENDINGS = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_PATHS = {"str", "os.fspath", "os.path.join", "os.path.abspath", "os.path.realpath", "pathlib.Path"}
_EXITS = {"sys.exit", "exit", "quit", "os._exit"}


def read_sources(modules: Iterable[tuple[str, str, bytes]]) -> Sources:
    """What the modules do, each given by its path on the host, its path below the library directory, and its code.

    Code that is no Python (templates, another version's syntax, an unknown encoding) does nothing here.
    """
    preloads: list[Preload] = []
    guarded: list[GuardedImport] = []
    for path, inner, code in modules:
        if len(code) > LIMIT or _TESTS.search(inner) or not _is_of_interest(code):
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of foreign code: escapes that are none, comparisons by `is`
                module = _Module(ast.parse(code), path, inner)
                module.visit_block(module.tree.body)
        except (SyntaxError, ValueError, RecursionError, MemoryError, LookupError):
            continue
        preloads += module.preloads
        guarded += module.guarded
    return Sources(tuple(preloads), tuple(guarded))


def _is_of_interest(code: bytes) -> bool:
    """Whether code may open a library or guard an import, by its lines alone."""
    if _OPENS.search(code):
        return True
    guards: list[int] = []
    for line in _LINES.finditer(code):
        text = line.group()
        indent = len(text) - len(text.lstrip())
        while guards and indent <= guards[-1]:
            guards.pop()
        if line.group(1):
            guards.append(indent)
        elif line.group(2) and guards:
            return True
    return False


class _Module:
    """One module: a walk over what runs on Linux."""

    def __init__(self, tree: ast.Module, path: str, inner: str) -> None:
        self.tree = tree
        self.preloads: list[Preload] = []
        self.guarded: list[GuardedImport] = []
        self._path = path
        parts = inner.removesuffix(".py").split("/")
        self._package = parts[:-1]
        self._guards = 0
        self._linux = Linux(_constants(tree), _imported(tree))
        self._visitors: Mapping[type[ast.stmt], Callable[[Any], bool]] = {
            ast.If: self._visit_if,
            ast.Try: self._visit_try,
            ast.With: self._visit_with,
            ast.AsyncWith: self._visit_with,
            ast.Import: self._visit_import,
            ast.ImportFrom: self._visit_import,
            ast.FunctionDef: self._visit_definition,
            ast.AsyncFunctionDef: self._visit_definition,
            ast.ClassDef: self._visit_definition,
        }

    def visit_block(self, statements: Sequence[ast.stmt]) -> bool:
        """Visit statements in their order; True when what follows them is never reached."""
        return any(self._visit_statement(each) for each in statements)

    def _visit_statement(self, node: ast.stmt) -> bool:
        """Visit one statement; True when nothing after it in its block is reached."""
        visit = self._visitors.get(type(node))
        if visit is not None:
            return bool(visit(node))
        self._visit_children(node)
        if isinstance(node, ast.Assert):
            return self._linux.truth(node.test) is False
        leaves = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and dotted(node.value.func) in _EXITS
        return leaves or isinstance(node, _ENDINGS)

    def _visit_import(self, node: ast.Import | ast.ImportFrom) -> bool:
        if self._guards:
            self._note_guarded(_import_names(node, self._package), node.lineno)
        return False

    def _visit_if(self, node: ast.If) -> bool:
        self._visit_expression(node.test)
        truth = self._linux.truth(node.test)
        ends = [self.visit_block(block) for block, value in ((node.body, True), (node.orelse, False)) if truth in (value, None)]
        return all(ends)

    def _visit_try(self, node: ast.Try) -> bool:
        swallows = any(self._swallows(each.type) and not _reraises(each) for each in node.handlers)
        self._guards += swallows
        ends = self.visit_block(node.body)
        self._guards -= swallows
        for block in (*(handler.body for handler in node.handlers), node.orelse, node.finalbody):
            self.visit_block(block)
        return ends and not node.handlers

    def _visit_with(self, node: ast.With | ast.AsyncWith) -> bool:
        swallows = False
        for item in node.items:
            self._visit_expression(item.context_expr)
            call = item.context_expr
            if isinstance(call, ast.Call) and self._linux.full_name(call.func) == "contextlib.suppress":
                swallows = swallows or any(map(self._swallows, call.args))
        self._guards += swallows
        ends = self.visit_block(node.body)
        self._guards -= swallows
        return ends and not swallows

    def _visit_definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
        """A function runs when it is called, where nothing guards it any more; a class's body runs at once."""
        guards = self._guards
        if not isinstance(node, ast.ClassDef):
            self._guards = 0
        for decorator in node.decorator_list:
            self._visit_expression(decorator)
        self.visit_block(node.body)
        self._guards = guards
        return False

    def _visit_children(self, node: ast.AST) -> None:
        """All below a node: blocks of statements in their order, the rest as expressions."""
        for _, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                self.visit_block(value)
            else:
                for each in value if isinstance(value, list) else [value]:
                    if isinstance(each, ast.expr):
                        self._visit_expression(each)
                    elif isinstance(each, ast.AST):
                        self._visit_children(each)

    def _visit_expression(self, node: ast.expr) -> None:
        if isinstance(node, ast.IfExp):
            truth = self._linux.truth(node.test)
            for branch, value in ((node.body, True), (node.orelse, False)):
                if truth in (value, None):
                    self._visit_expression(branch)
        elif isinstance(node, ast.BoolOp):
            decisive = isinstance(node.op, ast.Or)
            for each in node.values:
                self._visit_expression(each)
                if self._linux.truth(each) is decisive:
                    break
        else:
            if isinstance(node, ast.Call):
                self._visit_call(node)
            self._visit_children(node)

    def _visit_call(self, node: ast.Call) -> None:
        name = self._linux.full_name(node.func)
        if name in ("importlib.import_module", "__import__"):
            if self._guards and node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
                module = node.args[0].value
                level = len(module) - len(module.lstrip("."))
                self._note_guarded([_absolute(module[level:], level, self._package)], node.lineno)
        elif name in _OPENERS or name.endswith("ffi.dlopen"):
            self._note_opened(_argument(node, "name"), node.lineno)
        elif name == "sys.setdlopenflags" and any("RTLD_GLOBAL" in ast.unparse(each) for each in node.args):
            # What is imported while this lasts gives its symbols to all that comes later.
            self.preloads.append(Preload("", self._path, node.lineno))

    def _note_opened(self, argument: ast.expr | None, line: int) -> None:
        if argument is None or (isinstance(argument, ast.Constant) and argument.value is None):
            return  # the program itself
        name = self._library(argument)
        if not name.lower().endswith((".dll", ".dylib")):
            self.preloads.append(Preload(name, self._path, line))

    def _library(self, node: ast.expr) -> str:
        """The name of the library that an argument leads to, without its directory; "" where it is computed."""
        name = ""
        if isinstance(node, ast.Constant):
            name = str(node.value).rpartition("/")[2] if isinstance(node.value, str) else ""
        elif isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Div, ast.Add)):
            name = self._library(node.right)
        elif isinstance(node, ast.JoinedStr) and node.values:
            # `f"{directory}/libx.so"` tells the name, `f"lib{name}.so"` does not.
            last = node.values[-1]
            if isinstance(last, ast.Constant) and ("/" in str(last.value) or len(node.values) == 1):
                name = self._library(last)
        elif isinstance(node, ast.Call) and node.args:
            function = self._linux.full_name(node.func)
            if function == "ctypes.util.find_library" and (stem := self._library(node.args[0])):
                name = f"lib{stem}.so"
            elif function in _PATHS:
                name = self._library(node.args[-1])
        elif isinstance(node, ast.Name) and (constant := self._linux.constant(node.id)) is not None:
            name = self._library(constant)
        return name

    def _note_guarded(self, modules: Iterable[str], line: int) -> None:
        self.guarded += [GuardedImport(module, self._path, line) for module in modules if module]

    def _swallows(self, kind: ast.expr | None) -> bool:
        """True for an exception clause that an ImportError enters."""
        kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
        return any(each is None or dotted(each).rpartition(".")[2] in _SWALLOWED for each in kinds)


def _constants(tree: ast.Module) -> Mapping[str, ast.expr]:
    """The names at the top of a module that are assigned once."""
    found: dict[str, ast.expr] = {}
    several = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            if node.id in found:
                several.add(node.id)
            found[node.id] = node
    single = {}
    for statement in tree.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if len(targets) == 1 and isinstance(targets[0], ast.Name) and targets[0].id not in several:
            assert isinstance(statement, ast.Assign)
            single[targets[0].id] = statement.value
    return single


def _imported(tree: ast.Module) -> Mapping[str, str]:
    """The full names of what import statements bind, wherever they stand."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update({alias.asname: alias.name for alias in node.names if alias.asname})
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    return found


def _import_names(node: ast.Import | ast.ImportFrom, package: Sequence[str]) -> Iterator[str]:
    """The modules that an import statement may load: of `from a import b` both a and a.b, because b may be a module."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    module = _absolute(node.module or "", node.level, package)
    if node.module:
        yield module
    yield from (f"{module}.{alias.name}" for alias in node.names if module and alias.name != "*")


def _absolute(module: str, level: int, package: Sequence[str]) -> str:
    """A module's full name; "" for one above the top."""
    if level > len(package):
        return ""
    return ".".join([*package[: len(package) - level + 1], *filter(None, [module])]) if level else module


def _argument(node: ast.Call, name: str) -> ast.expr | None:
    return node.args[0] if node.args else next((each.value for each in node.keywords if each.arg == name), None)


def _reraises(handler: ast.ExceptHandler) -> bool:
    """True for a handler that raises in some case: whether it does in this one, only running it would tell."""
    return any(isinstance(each, ast.Raise) for each in ast.walk(handler))

"""What conditions in Python code come to on Linux, as far as the code alone tells."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: What tells platforms apart, by the last two parts of its name; of functions, what they return.
_FACTS = {
    "sys.platform": "linux",
    "os.name": "posix",
    "__name__": "<imported>",
    "TYPE_CHECKING": False,
    "typing.TYPE_CHECKING": False,
}
_CALLS = {"platform.system": "Linux", "os.uname": ("Linux",), "sysconfig.get_platform": "linux-x86_64"}
_METHODS: Mapping[str, Callable[..., Any]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "lower": str.lower,
    "upper": str.upper,
    "casefold": str.casefold,
}
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: lambda left, right: bool(left == right),
    ast.NotEq: lambda left, right: bool(left != right),
    ast.Is: lambda left, right: bool(left == right),
    ast.IsNot: lambda left, right: bool(left != right),
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}


class Unknown(Exception):  # noqa: N818 -- no error: the answer that code gives to most questions
    """Only running the code would tell."""


def dotted(node: ast.expr) -> str:
    """A name as written, with its parts joined by dots; "" for any other expression."""
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return node.id if isinstance(node, ast.Name) else ""


class Linux:
    """Evaluates expressions of one module, whose names stand for `constants` (expressions) and `imported` (full names)."""

    def __init__(self, constants: Mapping[str, ast.expr], imported: Mapping[str, str]) -> None:
        self._constants = dict(constants)
        self._imported = imported

    def full_name(self, node: ast.expr) -> str:
        """A name with the module that it comes from, as in `ctypes.CDLL` for `CDLL` after `from ctypes import CDLL`."""
        first, dot, rest = dotted(node).partition(".")
        return self._imported.get(first, first) + dot + rest

    def constant(self, name: str) -> ast.expr | None:
        """The expression that a name at the top of the module stands for."""
        return self._constants.get(name)

    def truth(self, node: ast.expr) -> bool | None:
        """Whether the condition holds on Linux; None where only running the code would tell."""
        try:
            return bool(self.value(node))
        except Unknown:
            return None
        except (TypeError, ValueError, IndexError, RecursionError):  # code that cannot work as it stands
            return None

    def value(self, node: ast.expr) -> Any:
        """The value of an expression; raises `Unknown`."""
        method = getattr(self, "_" + type(node).__name__.lower(), None)
        if method is None:
            raise Unknown
        return method(node)

    def _constant(self, node: ast.Constant) -> Any:
        return node.value

    def _name(self, node: ast.Name) -> Any:
        if node.id in self._constants:
            expression = self._constants.pop(node.id)  # not twice on one way down: a name may be defined by itself
            try:
                return self.value(expression)
            finally:
                self._constants[node.id] = expression
        return self._fact(node)

    def _attribute(self, node: ast.Attribute) -> Any:
        if node.attr in ("system", "sysname") and isinstance(node.value, ast.Call):
            return self.value(node.value)[0]
        return self._fact(node)

    def _fact(self, node: ast.expr) -> Any:
        name = self.full_name(node)
        if name not in _FACTS:
            raise Unknown
        return _FACTS[name]

    def _tuple(self, node: ast.Tuple | ast.List | ast.Set) -> Any:
        return tuple(map(self.value, node.elts))

    _list = _set = _tuple

    def _call(self, node: ast.Call) -> Any:
        name = self.full_name(node.func)
        if name in _CALLS:
            return _CALLS[name]
        if isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS and not node.keywords:
            subject = self.value(node.func.value)
            if isinstance(subject, str):
                return _METHODS[node.func.attr](subject, *map(self.value, node.args))
        raise Unknown

    def _subscript(self, node: ast.Subscript) -> Any:
        subject = self.value(node.value)
        index = node.slice
        if isinstance(index, ast.Slice):
            bounds = (index.lower, index.upper, index.step)
            return subject[slice(*(None if each is None else self.value(each) for each in bounds))]
        return subject[self.value(index)]

    def _unaryop(self, node: ast.UnaryOp) -> Any:
        if isinstance(node.op, ast.Not):
            return not self.value(node.operand)
        raise Unknown

    def _boolop(self, node: ast.BoolOp) -> Any:
        decisive = isinstance(node.op, ast.Or)
        known = [self.truth(each) for each in node.values]
        if decisive in known:
            return decisive
        if None in known:
            raise Unknown
        return not decisive

    def _compare(self, node: ast.Compare) -> Any:
        left = self.value(node.left)
        for operator, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.value(right_node)
            if type(operator) not in _COMPARISONS:
                raise Unknown
            if not _COMPARISONS[type(operator)](left, right):
                return False
            left = right
        return True

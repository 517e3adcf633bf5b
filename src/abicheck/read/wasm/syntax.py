"""The syntax tree of a script: its nodes' names and values, and the scopes in which those are looked up."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from abicheck.errors import AbicheckError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node, Parser

#: Nodes that are a member of something.
MEMBERS = ("member_expression", "subscript_expression")
#: So many names in `a.b.c` are followed.
_DEPTH = 6


class Slot:
    """What holds a value: a variable, a member that is named through one, or what a function returns.

    `values` are what it is given; `members` are the slots of its members, by the names that lead to them (`wbg`, `log`).
    """

    def __init__(self) -> None:
        self.values: list[Expression] = []
        self.members: dict[tuple[str, ...], Slot] = {}

    def member(self, names: tuple[str, ...]) -> Slot:
        """The slot of a member, made if need be; of no names itself."""
        return self.members.setdefault(names, Slot()) if names else self


class Scope:
    """The names of one block; `function` is the scope to which `var` belongs."""

    def __init__(self, outer: Scope | None, *, is_function: bool) -> None:
        self.outer = outer
        self.names: dict[str, Slot] = {}
        self.function: Scope = self if is_function or outer is None else outer.function

    def declare(self, name: str) -> Slot:
        """The variable of that name in this block."""
        return self.names.setdefault(name, Slot())

    def find(self, name: str) -> Slot:
        """The variable that a name means here; what nobody declares is global."""
        scope = self
        while name not in scope.names and scope.outer is not None:
            scope = scope.outer
        return scope.declare(name)


class Expression(NamedTuple):
    """A node, and the scope in which its names are looked up."""

    node: Node
    scope: Scope

    def child(self, name: str) -> Expression | None:
        """The child that has this role."""
        node = self.node.child_by_field_name(name)
        return None if node is None else Expression(node, self.scope)

    @property
    def arguments(self) -> list[Expression]:
        """The arguments of a call."""
        given = self.node.child_by_field_name("arguments")
        return [Expression(each, self.scope) for each in given.named_children] if given is not None else []


@cache
def _parser() -> Parser:
    try:
        import tree_sitter_javascript  # noqa: PLC0415 -- an extra
        from tree_sitter import Language, Parser  # noqa: PLC0415 -- as above
    except ImportError as error:
        raise AbicheckError(f"{error.name}, which reads scripts, is not installed: pip install 'abicheck-env[wasm]'") from None
    return Parser(Language(tree_sitter_javascript.language()))


def parse(source: bytes) -> Node:
    """The root of the tree. Raises `AbicheckError` where the parser is not installed."""
    return _parser().parse(source).root_node


def text(node: Node | None) -> str:
    """The source of a node; empty of None."""
    return "" if node is None or node.text is None else node.text.decode("utf-8", "replace")


def literal(node: Node | None) -> str | None:
    """The value of a string without escapes, None of anything else."""
    if node is None or node.type != "string" or any(each.type != "string_fragment" for each in node.named_children):
        return None
    return text(node)[1:-1]


def key(node: Node | None) -> str | None:
    """The name that a property of an object has, None where it is computed."""
    if node is not None and node.type in ("property_identifier", "shorthand_property_identifier", "number"):
        return text(node)
    return literal(node)


def member(node: Node) -> str | None:
    """The name of the member that `a.b` or `a["b"]` is, None of anything else."""
    role = {"member_expression": "property", "subscript_expression": "index"}.get(node.type)
    return key(node.child_by_field_name(role)) if role else None


def path(here: Expression) -> tuple[Slot, tuple[str, ...]] | None:
    """The variable, and the names that lead from it to what an expression means; None where it is anything else."""
    names: list[str] = []
    node: Node | None = here.node
    while node is not None and node.type in MEMBERS:
        name = member(node)
        if name is None or len(names) == _DEPTH:
            return None
        names.append(name)
        node = node.child_by_field_name("object")
    if node is None or node.type not in ("identifier", "shorthand_property_identifier"):
        return None
    return here.scope.find(text(node)), tuple(reversed(names))


def pairs(of: Expression) -> Iterator[tuple[str | None, Expression]]:
    """The properties of an object literal: names (None of what is computed or spread) and values."""
    for each in of.node.named_children:
        if each.type == "comment":
            continue
        if each.type == "pair":
            value = each.child_by_field_name("value")
            yield key(each.child_by_field_name("key")), Expression(value if value is not None else each, of.scope)
        elif each.type == "method_definition":
            yield key(each.child_by_field_name("name")), Expression(each, of.scope)
        else:
            yield key(each), Expression(each, of.scope)

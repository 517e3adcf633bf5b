"""C++ and JavaScript as syntax trees: tree-sitter's nodes, and the few things that all rules ask of them."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from abicheck.errors import AbicheckError

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

    from tree_sitter import Node, Parser

#: Nodes that are functions of their own.
FUNCTIONS = ("function_definition", "lambda_expression")


@cache
def _parser(grammar: str = "tree_sitter_cpp") -> Parser:
    try:
        from tree_sitter import Language, Parser  # noqa: PLC0415 -- an extra

        module = import_module(grammar)
    except ImportError as error:
        raise AbicheckError(f"lint needs {error.name}: pip install 'abicheck-env[lint]'") from None
    return Parser(Language(module.language()))


def parse(source: bytes) -> Node:
    """The root of the tree; what is no C++ is in it as errors, and the rest around them. Raises `AbicheckError`."""
    return _parser().parse(source).root_node


def parse_script(source: bytes) -> Node:
    """As `parse`, of JavaScript; types of TypeScript are errors in it."""
    return _parser("tree_sitter_javascript").parse(source).root_node


def text(node: Node | None) -> str:
    """The source of a node, without blanks that mean nothing; empty of None."""
    raw = b"" if node is None or node.text is None else node.text
    return " ".join(raw.decode("utf-8", "replace").split())


def walk(node: Node, *, into_functions: bool) -> Iterator[Node]:
    """The named nodes below one, in the order of the source; functions inside are told, and entered only if asked."""
    left = node.named_children[::-1]
    while left:
        each = left.pop()
        yield each
        if into_functions or each.type not in FUNCTIONS:
            left += reversed(each.named_children)


def field(node: Node, name: str) -> Node | None:
    """The child that has this role."""
    return node.child_by_field_name(name)


def callee(call: Node) -> str:
    """What a call calls, as in `std::thread` or `queue.enqueue`."""
    return text(field(call, "function")).replace(" ", "")


def arguments(call: Node) -> list[Node]:
    """The arguments of a call, or of what is initialised like one."""
    given = field(call, "arguments")
    return given.named_children if given is not None else []


def mentioned(root: Node, source: bytes, pattern: re.Pattern[bytes], types: tuple[str, ...]) -> list[Node]:
    """The innermost nodes of these types around what a pattern finds, each once: to walk the whole tree would take far longer."""
    found = {}
    for match in pattern.finditer(source):
        node = root.descendant_for_byte_range(match.start(), match.start())
        around = ancestor(node, types) if node is not None else None
        if around is not None:
            found[around.id] = around
    return list(found.values())


def ancestor(node: Node, types: tuple[str, ...]) -> Node | None:
    """The nearest node above of one of these types."""
    above = node.parent
    while above is not None and above.type not in types:
        above = above.parent
    return above


class Path(NamedTuple):
    """What an expression names: `a.b[1].c` is the variable `a` and the members `b[].c`.

    `indirect` where `->` or `*` is on the way.
    """

    root: str
    members: str = ""
    indirect: bool = False


def path(node: Node | None) -> Path | None:
    """The path that an expression is, None where it is anything else."""
    if node is None or node.type in ("identifier", "this"):
        return None if node is None else Path(text(node), indirect=node.type == "this")
    if node.type == "parenthesized_expression":
        return path(node.named_children[0] if node.named_children else None)
    is_star = node.type == "pointer_expression" and text(node).startswith("*")
    below = path(field(node, "argument")) if is_star or node.type in ("subscript_expression", "field_expression") else None
    if below is None:
        return None
    if node.type == "subscript_expression":
        return below._replace(members=f"{below.members}[]")
    if node.type == "field_expression":
        members = f"{below.members}.{text(field(node, 'field'))}".lstrip(".")
        return below._replace(members=members, indirect=below.indirect or text(field(node, "operator")) == "->")
    return below._replace(indirect=True)


def within(node: Node, outer: Node) -> bool:
    """Tell whether a node lies in another."""
    return outer.start_byte <= node.start_byte and node.end_byte <= outer.end_byte

"""Memory that a function allocates, keeps to itself, and does not free on every path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from abicheck.lint.names import FREES, ONLY_USE, OWNS
from abicheck.lint.scopes import Scopes, declared, is_fixed
from abicheck.lint.sighting import Sighting
from abicheck.lint.syntax import FUNCTIONS, ancestor, arguments, callee, field, path, text, walk, within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from abicheck.lint.scopes import Variable

#: What passes a pointer on to what stands around it.
_PASSES = (
    "parenthesized_expression",
    "cast_expression",
    "conditional_expression",
    "initializer_list",
    "initializer_pair",
    "compound_literal_expression",
)
_KEEPS = (
    "return_statement",
    "assignment_expression",
    "init_declarator",
    "field_initializer",
    "lambda_capture_initializer",
    "new_expression",
)
#: Calls whose names say that they free what is in their arguments.
_CLEANS = re.compile(r"(?i).*(?:free|destroy|delete|release|clear|cleanup|deinit|dispose|reset)\w*")
#: Calls that keep what they are given.
_COLLECTS = re.compile(r".*(?:push|push_back|emplace\w*|insert|append|add|move)")


class _Allocation(NamedTuple):
    """`shown` is given what `by` allocates at `node`; `holder` is the variable that it begins with."""

    node: Node
    by: str
    shown: str
    holder: Variable


def allocations(function: Node) -> Iterator[Sighting]:
    """The allocations of one function that it leaves without freeing."""
    body = field(function, "body")
    if body is None:
        return
    own = list(walk(body, into_functions=False))
    found = list(_allocations(own, Scopes(function, own)))
    every = list(walk(body, into_functions=True)) if found else []
    for allocation in found:
        line = _leaves(allocation, every, own, body)
        if line is not None:
            row, column = allocation.node.start_point
            yield Sighting(
                "allocation-not-freed",
                row + 1,
                column + 1,
                {"name": allocation.shown, "owner": allocation.by, "line": str(line)},
            )


def _allocations(nodes: list[Node], scopes: Scopes) -> Iterator[_Allocation]:
    for node in nodes:
        if node.type == "assignment_expression":
            target, value = field(node, "left"), field(node, "right")
            place = path(target)
            root = place.root if place is not None and not place.indirect else ""
        elif node.type == "init_declarator" and node.parent is not None and not is_fixed(node.parent):
            found, value = declared(node), field(node, "value")
            target = found[0] if found is not None else None
            root = text(target)
        else:
            continue
        holder = scopes.find(root, target) if target is not None else None
        by = _allocator(value)
        if not by or holder is None or holder.kind != "local" or holder.form == "reference" or "[" in text(target):
            continue
        if holder.is_pointer or text(target) != holder.name:
            yield _Allocation(node, by, text(target), holder)


def _allocator(value: Node | None) -> str:
    """What allocates a value: `new[]` or a function of `FREES`, empty where nothing does."""
    while value is not None and value.type in ("parenthesized_expression", "cast_expression"):
        value = field(value, "value") or (value.named_children[0] if value.named_children else None)
    if value is None:
        return ""
    if value.type == "conditional_expression":
        return _allocator(field(value, "consequence")) or _allocator(field(value, "alternative"))
    if value.type == "new_expression":
        return "new[]" if field(value, "declarator") is not None and field(value, "placement") is None else ""
    name = re.split(r"::|\.|->", callee(value))[-1] if value.type == "call_expression" else ""
    if name.startswith(("static_cast<", "reinterpret_cast<", "const_cast<")):
        return _allocator(next(iter(arguments(value)), None))
    return name if name in FREES else ""


def _leaves(allocation: _Allocation, every: list[Node], own: list[Node], body: Node) -> int | None:
    """The line in which the function is left with the memory allocated, None where it is freed or somebody else's to free."""
    after = [each for each in every if each.start_byte >= allocation.node.end_byte and each.end_byte <= allocation.holder.end]
    frees = [each for each in after if _frees(each, allocation)]
    if any(_passed_on(each, allocation) for each in after if not any(within(each, free) for free in frees)):
        return None
    if not frees:
        return body.end_point[0] + 1
    if any(ancestor(each, FUNCTIONS) != body.parent for each in frees):
        return None
    for node in own:
        is_behind = allocation.node.end_byte < node.start_byte < allocation.holder.end
        freed = any(_before(free, node, allocation.shown) for free in frees)
        if node.type == "return_statement" and is_behind and not freed and not _is_null(node, allocation):
            return int(node.start_point[0]) + 1
    return None


def _mentions(text_of: str, name: str) -> bool:
    return re.search(rf"(?<![\w.>]){re.escape(name)}\b", text_of) is not None


def _frees(node: Node, allocation: _Allocation) -> bool:
    if node.type == "delete_expression":
        return _mentions(text(node), allocation.shown)
    if node.type != "call_expression":
        return False
    name = re.split(r"::|\.|->", callee(node))[-1]
    about = allocation.shown if name in FREES[allocation.by] else allocation.holder.name
    return (name in FREES[allocation.by] or _CLEANS.fullmatch(name) is not None) and _mentions(
        text(field(node, "arguments")), about
    )


def _passed_on(node: Node, allocation: _Allocation) -> bool:
    """Tell whether something else gets the memory, and may free it."""
    if node.type not in ("identifier", "type_identifier") or text(node) != allocation.holder.name:
        return False
    used = _whole(node)
    is_member = allocation.shown != allocation.holder.name
    if is_member and used != node and text(used) != allocation.shown:
        return False
    above = used.parent
    while above is not None and (above.type in _PASSES or text(field(above, "operator")) in ("+", "-")):
        if field(above, "condition") == used:
            return False
        used, above = above, above.parent
    if above is None or above.type in _KEEPS:
        return above is not None and field(above, "left") != used
    if above.type in ("parameter_declaration", "argument_list"):
        return _taken(above, allocation, whole=is_member and used == node)
    return above.type == "pointer_expression" and text(above).startswith("&")


def _whole(node: Node) -> Node:
    """The longest path of members that begins with a variable."""
    above = node.parent
    while above is not None and above.type == "field_expression" and field(above, "argument") == node:
        node, above = above, above.parent
    return node


def _taken(above: Node, allocation: _Allocation, *, whole: bool) -> bool:
    """Tell whether a call or a constructor may keep its argument; a struct that is passed whole is copied."""
    if allocation.by.startswith("Get"):
        return False
    call = ancestor(above, ("call_expression", "declaration", "new_expression", "expression_statement"))
    if call is None:
        return False
    if whole and call.type == "call_expression":
        return _COLLECTS.fullmatch(callee(call)) is not None
    if call.type == "call_expression":
        return ONLY_USE.fullmatch(callee(call)) is None
    return call.type != "declaration" or OWNS.search(text(field(call, "type"))) is None


def _before(free: Node, node: Node, shown: str) -> bool:
    """Tell whether a free has run whenever a node is reached."""
    branch = ancestor(free, ("if_statement",))
    if branch is not None and _mentions(text(field(branch, "condition")), shown) and field(branch, "alternative") is None:
        free = branch  # `if (p) free(p);`
    block = ancestor(free, ("compound_statement",))
    return free.start_byte < node.start_byte and block is not None and within(node, block)


def _is_null(node: Node, allocation: _Allocation) -> bool:
    """Tell whether a node is reached only where nothing was allocated."""
    name, null = re.escape(allocation.shown), "(?:NULL|nullptr|0)"
    test = rf"!\s*{name}\b|\b{name}\s*==\s*{null}|\b{null}\s*==\s*{name}\b"
    branch = ancestor(node, ("if_statement",))
    while branch is not None:
        if re.search(test, text(field(branch, "condition"))):
            return True
        branch = ancestor(branch, ("if_statement",))
    return False

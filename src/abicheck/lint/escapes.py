"""Pointers that outlive what they point into: given to a thread or a worker, returned, used after the block, stored elsewhere."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from abicheck.lint.borrows import Borrows
from abicheck.lint.names import HAS_DATA, OWNS, STARTS, THREADS, VIEWS, WAITS, WORKERS
from abicheck.lint.scopes import signature
from abicheck.lint.sighting import Member, Sighting
from abicheck.lint.syntax import ancestor, arguments, callee, field, path, text, walk, within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tree_sitter import Node

    from abicheck.lint.borrows import Pointer

_THREAD, _WORKER, _RETURN, _BLOCK = "pointer-into-thread", "pointer-into-worker", "pointer-returned", "pointer-outlives-block"
_SELF, _TEMPORARY, _STORED = "pointer-into-itself", "pointer-to-temporary", "pointer-stored"
#: Of one pointer only the first of these is told.
_ORDER = (_THREAD, _WORKER, _RETURN, _BLOCK, _SELF, _TEMPORARY, _STORED)
#: After one of these a block does not go on behind its end.
_LEAVES = ("return_statement", "throw_statement", "continue_statement", "goto_statement")


class _Escape(NamedTuple):
    rule: str
    pointer: Pointer
    at: Node


def escapes(function: Node) -> Iterator[Sighting]:
    """What is wrong in one function; a lambda in it is a function of its own."""
    found: dict[int, _Escape] = {}
    for escape in _Function(function).escapes():
        known = found.setdefault(escape.pointer.node.start_byte, escape)
        if _ORDER.index(escape.rule) < _ORDER.index(known.rule):
            found[escape.pointer.node.start_byte] = escape
    for rule, pointer, at in found.values():
        line, column = pointer.node.start_point
        words = {"name": pointer.shown, "owner": pointer.owned, "line": str(at.start_point[0] + 1)}
        member = pointer.members.rpartition(".")[2].strip("[]")
        yield Sighting(rule, line + 1, column + 1, words, Member(_type(pointer), member) if member else None)


def _type(pointer: Pointer) -> str:
    """The struct that the member is in, where the holder is one."""
    holder = pointer.holder
    if holder is None or "." in pointer.members or "auto" in holder.type:
        return ""
    return holder.type.rpartition(" ")[2].rpartition(":")[2]


class _Function:
    """One function, read from its first statement to its last."""

    def __init__(self, function: Node) -> None:
        self._function = function
        self._body = field(function, "body")
        self._nodes = list(walk(self._body, into_functions=False)) if self._body is not None else []
        self._borrows = Borrows(function, self._nodes)
        calls = (each for each in self._nodes if each.type == "call_expression")
        self._waits = [each.start_byte for each in calls if WAITS.fullmatch(callee(each))]

    @cached_property
    def _identifiers(self) -> dict[str, list[Node]]:
        """Where each name is used, in lambdas too, in the order of the source."""
        found: dict[str, list[Node]] = {}
        for node in walk(self._body, into_functions=True) if self._body is not None else ():
            if node.type == "identifier":
                found.setdefault(text(node), []).append(node)
        return found

    def escapes(self) -> Iterator[_Escape]:
        for node in self._nodes:
            if node.type == "assignment_expression":
                target = field(node, "left")
                if target is not None and text(field(node, "operator")) == "=":
                    yield from self._stored(self._borrows.hold(target, field(node, "right")), node)
            elif node.type == "declaration":
                yield from self._stored(self._borrows.declare(node), node)
                yield from self._started_by_declaration(node)
            elif node.type == "call_expression":
                yield from self._called(node)
            elif node.type == "new_expression":
                yield from self._given(text(field(node, "type")), arguments(node), node)
            elif node.type == "return_statement":
                yield from self._returned(node)
        yield from self._after_block()

    def _stored(self, pointers: Iterable[Pointer], node: Node) -> Iterator[_Escape]:
        for pointer in pointers:
            holder = pointer.holder
            if pointer.owner is None:
                yield _Escape(_TEMPORARY, pointer, node)
            elif pointer.owner.form == "value" and pointer.owner.kind != "capture":
                outside = holder is None or (holder.kind == "parameter" and holder.form != "value" and pointer.members)
                if outside or (holder is not None and holder.form == "reference"):
                    yield _Escape(_STORED, pointer, node)

    def _started_by_declaration(self, node: Node) -> Iterator[_Escape]:
        """`std::thread t(run, params)`; a `std::jthread` and the future of `std::async` wait at the end of the scope."""
        name = text(field(node, "type"))
        for declarator in node.children_by_field_name("declarator") if "jthread" not in name else ():
            given = field(declarator, "value") or field(declarator, "parameters")
            if given is not None and given.type in ("argument_list", "initializer_list", "parameter_list"):
                yield from self._given(name, given.named_children, node)

    def _called(self, call: Node) -> Iterator[_Escape]:
        name = callee(call)
        if name.endswith("async") and (call.parent is None or call.parent.type == "init_declarator"):
            return
        yield from self._given(name, arguments(call), call)
        function = field(call, "function")
        if function is not None and text(field(function, "field")) in ("push_back", "emplace_back"):
            target = path(field(function, "argument"))
            holder = self._borrows.scopes.find(target.root, call) if target is not None and not target.members else None
            if holder is not None and ("*" in holder.type or VIEWS.search(holder.type.partition("<")[2])):
                pointers = [each for argument in arguments(call) for each in self._borrows.carried(argument)]
                kept = [each._replace(shown=holder.name, holder=holder, members="") for each in pointers]
                self._borrows.held += kept
                yield from self._stored(kept, call)

    def _given(self, name: str, values: Iterable[Node], at: Node) -> Iterator[_Escape]:
        """What a call or a constructor gets, if it uses that on another thread or later."""
        thread = (
            THREADS.fullmatch(name) or (STARTS.fullmatch(name) and "." not in name and "thread" in name) or name == "std::async"
        )
        if thread or STARTS.fullmatch(name):
            if any(wait > at.end_byte for wait in self._waits):
                return
            for value in values:
                for pointer in self._borrows.carried(value):
                    # Any other function may take a copy of a string before it starts: only what a lambda holds is sure to stay.
                    if thread or value.type == "lambda_expression" or self._is_task(pointer, value):
                        yield from self._gone(_THREAD, pointer, at)
        elif WORKERS.fullmatch(name):
            for value in values:
                for pointer in self._borrows.carried(value):
                    if pointer.members or value.type == "lambda_expression":
                        yield from self._gone(_WORKER, pointer, at)

    def _is_task(self, pointer: Pointer, value: Node) -> bool:
        return "function" in pointer.holder.type if pointer.holder is not None and value.type == "identifier" else False

    def _gone(self, rule: str, pointer: Pointer, at: Node) -> Iterator[_Escape]:
        """A pointer that something has for longer than the function runs."""
        owner = pointer.owner
        if owner is not None and owner == pointer.holder:
            yield _Escape(_SELF, pointer, at)
        elif owner is None or owner.form == "value" or (owner.form == "reference" and _may_be_temporary(pointer)):
            yield _Escape(rule, pointer, at)
        elif owner.form == "reference":
            yield _Escape(_STORED, pointer, at)

    def _returned(self, node: Node) -> Iterator[_Escape]:
        value = node.named_children[0] if node.named_children else None
        kind, is_pointer = self._result()
        for pointer in self._borrows.carried(value):
            holder, owner = pointer.holder, pointer.owner
            struct = holder is not None and not holder.is_pointer
            if struct and holder is not None:
                fits = kind == "" or "auto" in kind or kind == holder.type.removeprefix("const ").removeprefix("struct ")
            else:
                fits = is_pointer
            if fits and owner is None and not struct:
                yield _Escape(_RETURN, pointer, node)
            elif fits and owner is not None and owner.form == "value" and owner.kind != "capture":
                yield _Escape(_SELF if owner == holder else _RETURN, pointer, node)

    def _result(self) -> tuple[str, bool]:
        """The type that the function returns (empty: a lambda that does not say), and whether that is a pointer or a view."""
        if self._function.type == "lambda_expression":
            declarator = signature(self._function)
            trailing = (
                text(next((each for each in declarator.named_children if each.type == "trailing_return_type"), None))
                if declarator
                else ""
            )
            return trailing, not trailing or "*" in trailing or VIEWS.search(trailing) is not None
        kind, declarator = text(field(self._function, "type")), field(self._function, "declarator")
        is_pointer = declarator is not None and declarator.type == "pointer_declarator"
        return kind.removeprefix("struct "), is_pointer or (VIEWS.search(kind) is not None and not OWNS.search(kind))

    def _after_block(self) -> Iterator[_Escape]:
        for pointer in self._borrows.held:
            owner, holder = pointer.owner, pointer.holder
            if owner is None or holder is None or owner.form == "reference" or owner.kind != "local" or holder.end <= owner.end:
                continue
            used = self._use(pointer, owner.end)
            if used is not None and not self._left(pointer.node, owner.end):
                # What else is done with a parameter's copy seldom reads just this member.
                whole = holder.kind == "parameter" and pointer.members and _whole(used) == used
                yield _Escape(_STORED if whole else _BLOCK, pointer, used)

    def _left(self, node: Node, end: int) -> bool:
        """Tell whether the block that ends at `end` is left for good after a node."""
        block = ancestor(node, ("compound_statement",))
        while block is not None and block.end_byte <= end:
            if any(each.type in _LEAVES and each.start_byte > node.start_byte for each in block.named_children):
                return True
            block = ancestor(block, ("compound_statement",))
        return False

    def _use(self, pointer: Pointer, end: int) -> Node | None:
        """The first use of a pointer behind the byte `end`, None where it gets another value first."""
        assert pointer.holder is not None
        others = list(_exclusive(pointer.node))
        for node in self._identifiers.get(pointer.holder.name, ()):
            if node.start_byte < end or any(within(node, other) for other in others):
                continue
            if self._borrows.scopes.find(pointer.holder.name, node) != pointer.holder:
                continue
            whole = _whole(node)
            place = path(whole)
            members = place.members if place is not None else ""
            if members and pointer.members and not (members.startswith(pointer.members) or pointer.members.startswith(members)):
                continue
            assigned = (
                whole.parent is not None and whole.parent.type == "assignment_expression" and field(whole.parent, "left") == whole
            )
            return None if assigned and pointer.members.startswith(members) else node
        return None


def _may_be_temporary(pointer: Pointer) -> bool:
    """Tell whether a reference parameter is a string that may have been made for the call alone, as embind does."""
    owner = pointer.owner
    assert owner is not None
    return owner.type.startswith("const ") and pointer.owned == owner.name and HAS_DATA.search(owner.type) is not None


def _exclusive(node: Node) -> Iterator[Node]:
    """What does not run if a node does: the other branches."""
    branch = ancestor(node, ("if_statement", "switch_statement"))
    while branch is not None:
        other = branch if branch.type == "switch_statement" else field(branch, "alternative")
        if other is not None and (other == branch or not within(node, other)):
            yield other
        branch = ancestor(branch, ("if_statement", "switch_statement"))


def _whole(node: Node) -> Node:
    """The longest path that begins with a node."""
    above = node.parent
    while above is not None and above.type in ("field_expression", "subscript_expression") and field(above, "argument") == node:
        node, above = above, above.parent
    return node

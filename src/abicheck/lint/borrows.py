"""Pointers into what a function owns: where they are taken, and which variables hold them from there on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from abicheck.lint.names import HAS_DATA, OWNS, TEMPORARY, TRANSPARENT, VIEWS
from abicheck.lint.scopes import Scopes, captured, declared, is_fixed
from abicheck.lint.syntax import ancestor, arguments, callee, field, path, text, walk, within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tree_sitter import Node

    from abicheck.lint.scopes import Variable

_BORROWS = ("c_str", "data")


class Pointer(NamedTuple):
    """A pointer into `owner` (None: into a temporary), taken at `node`; `owned` and `shown` are both in the source's words.

    `holder` is the variable that has it in its `members`: None where no variable has it, and the expression itself is `shown`.
    """

    node: Node
    owner: Variable | None
    owned: str
    shown: str
    holder: Variable | None = None
    members: str = ""


class Borrows:
    """The pointers that the variables of a function hold, as far as its source has been read."""

    def __init__(self, function: Node, nodes: Iterable[Node]) -> None:
        self.scopes = Scopes(function, nodes)
        self.held: list[Pointer] = []

    def carried(self, value: Node | None) -> Iterator[Pointer]:
        """The pointers that a value brings with it; a call that is not known to pass its arguments on ends them."""
        if value is None:
            return
        kind = value.type
        if kind == "conditional_expression":
            yield from self.carried(field(value, "consequence"))
            yield from self.carried(field(value, "alternative"))
        elif kind in ("parenthesized_expression", "parameter_declaration", "type_descriptor"):
            yield from self.carried(value.named_children[-1] if value.named_children else None)
        elif kind == "cast_expression":
            yield from self.carried(field(value, "value"))
        elif kind == "call_expression":
            yield from self._of_call(value)
        elif kind == "lambda_expression":
            yield from self._of_lambda(value)
        elif kind == "pointer_expression" and text(value).startswith("&"):
            yield from self._of_address(value)
        elif kind in ("identifier", "type_identifier", "field_expression"):
            yield from self._of_path(value)

    def hold(self, target: Node, value: Node | None) -> Iterator[Pointer]:
        """What an assignment puts into `target`: kept if a variable of the function holds it, and told in any case."""
        place = path(target)
        if place is None:
            return
        holder = self.scopes.find(place.root, target)
        block = ancestor(target, ("compound_statement",))
        if block is not None and holder is not None:
            self.held = [
                each
                for each in self.held
                if (each.holder, each.members) != (holder, place.members) or not within(each.node, block)
            ]
        if holder is not None and not _may_hold(holder, place.members):
            return
        for pointer in self.carried(value):
            kept = pointer._replace(shown=text(target), holder=holder, members=place.members)
            if holder is not None:
                self.held.append(kept)
            yield kept

    def declare(self, node: Node) -> Iterator[Pointer]:
        """What a declaration puts into its variables."""
        for declarator in () if is_fixed(node) else node.children_by_field_name("declarator"):
            value, found = field(declarator, "value"), declared(declarator)
            holder = self.scopes.find(text(found[0]), found[0]) if found is not None else None
            if value is None or holder is None:
                continue
            if value.type == "initializer_list":
                yield from self._listed(holder, value)
            elif holder.is_pointer or "function" in holder.type or self._same_type(holder, value):
                carried = [*self.carried(value), *self._viewed(holder, value)]
                kept = [each._replace(shown=holder.name, holder=holder, members=each.members) for each in carried]
                self.held += kept
                yield from kept

    def _listed(self, holder: Variable, values: Node) -> Iterator[Pointer]:
        """`T x = {.member = value}`; what a list without names fills is not known without headers, except of a pointer itself."""
        for value in values.named_children:
            name, given = "", value
            if value.type == "initializer_pair":
                name, given = text(field(value, "designator")).lstrip("."), field(value, "value") or value
            elif not holder.is_pointer:
                continue
            shown = f"{holder.name}.{name}" if name else holder.name
            kept = [each._replace(shown=shown, holder=holder, members=name) for each in self.carried(given)]
            self.held += kept
            yield from kept

    def _same_type(self, holder: Variable, value: Node) -> bool:
        place = path(value)
        source = self.scopes.find(place.root, value) if place is not None and not place.members else None
        return source is not None and _bare(source.type) == _bare(holder.type)

    def _viewed(self, holder: Variable, value: Node) -> Iterator[Pointer]:
        """`std::string_view v = s`, where `s` is a string."""
        place = path(value)
        if place is not None and not place.indirect and VIEWS.search(holder.type) and "auto" not in holder.type:
            owner = self.scopes.find(place.root, value)
            if owner is not None and not place.members and HAS_DATA.search(owner.type) and _owns(owner):
                yield Pointer(value, owner, text(value), text(value))

    def _of_call(self, call: Node) -> Iterator[Pointer]:
        name = callee(call)
        if TRANSPARENT.fullmatch(name):
            for argument in arguments(call):
                yield from self.carried(argument)
            return
        function = field(call, "function")
        if function is None or function.type != "field_expression" or arguments(call):
            return
        method, receiver = text(field(function, "field")), field(function, "argument")
        if method in _BORROWS and text(field(function, "operator")) == "." and receiver is not None:
            yield from self._into(call, receiver, any_type=method == "c_str")

    def _of_address(self, value: Node) -> Iterator[Pointer]:
        """`&s[0]`, and `&p` of a pointer `p` that is such one itself."""
        argument = field(value, "argument")
        if argument is None:
            return
        if argument.type == "subscript_expression":
            owner = field(argument, "argument")
            if owner is not None:
                yield from self._into(value, owner, any_type=False)
        elif argument.type == "identifier":
            owned = self.scopes.find(text(argument), argument)
            if owned is not None and any(each.holder == owned and not each.members for each in self.held):
                yield Pointer(value, owned, owned.name, text(value))

    def _into(self, node: Node, receiver: Node, *, any_type: bool) -> Iterator[Pointer]:
        place = path(receiver)
        if place is None:
            inner = receiver.named_children[0] if receiver.type == "parenthesized_expression" else receiver
            sum_of_strings = inner.type == "binary_expression" and text(field(inner, "operator")) == "+"
            if sum_of_strings or (inner.type == "call_expression" and TEMPORARY.fullmatch(callee(inner))):
                yield Pointer(node, None, text(receiver), text(node))
            return
        owner = self.scopes.find(place.root, receiver)
        if owner is None or place.indirect or not _owns(owner):
            return
        if (any_type and "view" not in owner.type) or (not place.members and HAS_DATA.search(owner.type)):
            yield Pointer(node, owner, text(receiver), text(node))

    def _of_lambda(self, function: Node) -> Iterator[Pointer]:
        """What a lambda has copies of, unless it gives the member another value itself."""
        names, everything = captured(function)
        body, captures = field(function, "body"), field(function, "captures")
        used = (
            {text(each) for each in walk(body, into_functions=True) if each.type == "identifier"} if body is not None else set()
        )
        for pointer in self.held:
            name = pointer.holder.name if pointer.holder is not None and pointer.holder.end > function.start_byte else ""
            again = re.search(rf"(?<![\w.]){re.escape(pointer.shown)} ?=[^=]", text(body))
            if (name in names or (everything and name in used)) and not again:
                yield pointer
        for node in captures.named_children if captures is not None else ():
            if node.type == "lambda_capture_initializer":
                yield from self.carried(field(node, "right"))

    def _of_path(self, value: Node) -> Iterator[Pointer]:
        place = path(value)
        root, members = (place.root, place.members) if place is not None else (text(value), "")
        holder = self.scopes.find(root, value)
        if holder is not None:
            yield from (each for each in self.held if each.holder == holder and (not members or each.members == members))


def _bare(type_name: str) -> str:
    return re.sub(r"^(?:const |struct )+", "", type_name)


def _owns(variable: Variable) -> bool:
    """Tell whether what a variable names ends with its scope, or, of a parameter, may end with the call."""
    if variable.fixed or (VIEWS.search(variable.type) and "auto" not in variable.type):
        return False
    return variable.form == "value" or (variable.form == "reference" and variable.kind == "parameter")


def _may_hold(holder: Variable, members: str) -> bool:
    """Tell whether what is assigned stays a pointer: a string or a vector copies it."""
    if not members:
        return holder.is_pointer and not OWNS.search(holder.type)
    return not members.startswith("[") or "*" in holder.type or holder.form in ("pointer", "array")

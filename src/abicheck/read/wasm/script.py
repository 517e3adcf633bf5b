"""What an expression in a script may stand for: followed through variables, members, parameters and what functions return."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.read.wasm.syntax import MEMBERS, Expression, Scope, Slot, literal, pairs, parse, path, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tree_sitter import Node

_FUNCTIONS = {
    "function_declaration",
    "generator_function_declaration",
    "function_expression",
    "generator_function",
    "arrow_function",
    "method_definition",
}
_BLOCKS = {"statement_block", "for_statement", "for_in_statement", "catch_clause", "switch_body"}
_ASSIGNMENTS = ("assignment_expression", "augmented_assignment_expression")
#: So many `=` in a row are looked through for an object.
_CHAIN = 4
#: Expressions that have the value of their last part, or of any of the parts in these roles.
_WRAPPERS = ("parenthesized_expression", "await_expression", "sequence_expression")
_ROLES = {
    "assignment_expression": ("right",),
    "augmented_assignment_expression": ("left", "right"),
    "ternary_expression": ("consequence", "alternative"),
    "binary_expression": ("left", "right"),
}


class Script:
    """A script, read once: `calls` are all of its calls (and `new`), `members` its member expressions and what each stands in.

    `patterns` are those that take an object apart, each with the object; `strings` are the values of all strings.

    Raises `AbicheckError` where the parser is not installed. What is no JavaScript is passed over.
    """

    def __init__(self, source: bytes) -> None:
        self.calls: list[Expression] = []
        self.members: list[tuple[Expression, Node]] = []
        self.patterns: list[tuple[Node, Expression]] = []
        self.strings: list[str] = []
        self._returns: dict[int, Slot] = {}
        self._parameters: dict[int, list[Slot | None]] = {}
        self._holders: dict[int, list[tuple[Slot, tuple[str, ...]]]] = {}
        assignments = list(self._walk(Expression(parse(source), Scope(None, is_function=True))))
        for target, value in assignments:
            self._assign(target, value)
        for call in self.calls:
            self._pass_arguments(call)

    def _walk(self, root: Expression) -> Iterator[tuple[Expression, Expression]]:
        """Note everything of interest, declare all names, and yield what is assigned to what."""
        left: list[tuple[Expression, Node, int]] = [(root, root.node, root.node.id)]
        while left:
            here, parent, function = left.pop()
            node, scope = here
            kind = node.type
            if kind in _FUNCTIONS:
                scope, function = self._enter(here), node.id
            elif kind in _BLOCKS:
                scope = Scope(scope, is_function=False)
            here = Expression(node, scope)
            if kind in ("variable_declarator", *_ASSIGNMENTS):
                yield from self._assignment(here, hoisted=parent.type == "variable_declaration")
            elif kind in ("call_expression", "new_expression"):
                self.calls.append(here)
            elif kind in MEMBERS:
                self.members.append((here, parent))
            elif kind == "return_statement":
                self._returns.setdefault(function, Slot()).values += [Expression(each, scope) for each in node.named_children[:1]]
            elif kind in ("class_declaration", "import_specifier", "import_clause"):
                self._declare(node, scope)
            elif kind == "string" and (value := literal(node)) is not None:
                self.strings.append(value)
            left += [(Expression(each, scope), node, function) for each in reversed(node.named_children)]

    def _enter(self, function: Expression) -> Scope:
        """The scope of a function, with its parameters."""
        node, outer = function
        scope = Scope(outer, is_function=True)
        name = node.child_by_field_name("name")
        if name is not None and node.type != "method_definition":
            (outer if node.type.endswith("declaration") else scope).declare(text(name)).values.append(function)
        listed = node.child_by_field_name("parameters")
        given = listed.named_children if listed is not None else [node.child_by_field_name("parameter")]
        self._parameters[node.id] = [_bind(each, scope) for each in given if each is not None]
        body = node.child_by_field_name("body")
        if body is not None and body.type != "statement_block":
            self._returns.setdefault(node.id, Slot()).values.append(Expression(body, scope))
        return scope

    @staticmethod
    def _declare(node: Node, scope: Scope) -> None:
        for each in node.named_children:
            if each.type == "identifier":
                scope.declare(text(each))

    @staticmethod
    def _assignment(here: Expression, *, hoisted: bool) -> Iterator[tuple[Expression, Expression]]:
        declares = here.node.type == "variable_declarator"
        target, value = here.child("name" if declares else "left"), here.child("value" if declares else "right")
        if target is None:
            return
        if declares:
            _bind(target.node, here.scope.function if hoisted else here.scope)
        if value is not None:
            yield target, value

    def _assign(self, target: Expression, value: Expression) -> None:
        if target.node.type == "object_pattern":
            self.patterns.append((target.node, value))
        elif (place := path(target)) is not None:
            self._give(*place, value)

    def _give(self, variable: Slot, names: tuple[str, ...], value: Expression) -> None:
        """Note what a variable, or a member of it, is given; with an object its members are, too."""
        left = [(names, value)]
        while left:
            names, value = left.pop()
            variable.member(names).values.append(value)
            for _ in range(_CHAIN):
                if value.node.type in ("assignment_expression", "parenthesized_expression"):
                    value = Expression(value.node.named_children[-1], value.scope)
            if value.node.type == "object":
                self._holders.setdefault(value.node.id, []).append((variable, names))
                left += [((*names, name), each) for name, each in pairs(value) if name is not None]

    def _pass_arguments(self, call: Expression) -> None:
        for function in self._called(call):
            for slot, value in zip(self._parameters.get(function, ()), call.arguments, strict=False):
                if slot is not None:
                    slot.values.append(value)

    def _called(self, call: Expression) -> list[int]:
        """The functions that a call by name, or of a function on the spot, may call."""
        callee = call.child("function")
        while callee is not None and callee.node.type == "parenthesized_expression":
            callee = Expression(callee.node.named_children[-1], callee.scope)
        place = path(callee) if callee is not None else None
        if place is not None:
            slot = place[0].members.get(place[1]) if place[1] else place[0]
            return [each.node.id for each in slot.values if each.node.type in _FUNCTIONS] if slot is not None else []
        return [callee.node.id] if callee is not None else []

    def origins(self, of: Expression | None) -> list[Expression]:
        """What an expression may stand for: literals, functions and whatever else is no mere name of something."""
        slots, found = self.parts(of)
        seen = set(slots)
        while slots:
            for value in slots.pop().values:
                more, ends = self.parts(value)
                found += ends
                slots += [each for each in more if each not in seen]
                seen.update(more)
        return found

    def sources(self, objects: Iterable[Expression | None], wanted: Callable[[Node], bool]) -> Iterator[set[int]]:
        """Of each expression the `wanted` nodes that it may stand for, by their ids: as `origins`, for very many at once."""
        parts = [self.parts(each) for each in objects]
        users: dict[Slot, list[Slot]] = {}
        found: dict[Slot, set[int]] = {}
        seen = {slot for slots, _ in parts for slot in slots}
        left = list(seen)
        while left:
            slot = left.pop()
            for value in slot.values:
                more, ends = self.parts(value)
                found.setdefault(slot, set()).update(end.node.id for end in ends if wanted(end.node))
                for each in more:
                    users.setdefault(each, []).append(slot)
                left += [each for each in dict.fromkeys(more) if each not in seen]
                seen.update(more)
        left = [slot for slot in found if found[slot]]
        while left:
            slot = left.pop()
            for user in users.get(slot, ()):
                if not found[slot] <= found[user]:
                    found[user] |= found[slot]
                    left.append(user)
        for slots, ends in parts:
            yield {end.node.id for end in ends if wanted(end.node)}.union(*(found.get(slot, set()) for slot in slots))

    def parts(self, of: Expression | None) -> tuple[list[Slot], list[Expression]]:
        """The slots whose value an expression may have, and the expressions that are values by themselves."""
        slots: list[Slot] = []
        ends: list[Expression] = []
        left = [of] if of is not None else []
        while left:
            here = left.pop()
            node, scope = here
            if node.type == "assignment_expression" and (found := self._slots_of(Expression(node.named_children[0], scope))):
                slots += found
            elif node.type in _ROLES:
                left += [child for role in _ROLES[node.type] if (child := here.child(role)) is not None]
            elif node.type in _WRAPPERS and node.named_children:
                left.append(Expression(node.named_children[-1], scope))
            elif found := self._slots_of(here):
                slots += found
            else:
                ends.append(here)
        return slots, ends

    def _slots_of(self, here: Expression) -> list[Slot]:
        if here.node.type == "call_expression":
            return [self._returns[each] for each in self._called(here) if each in self._returns]
        place = path(here)
        slot = None if place is None else place[0].members.get(place[1]) if place[1] else place[0]
        return [slot] if slot is not None and slot.values else []

    def properties(self, of: Expression) -> Iterator[tuple[str | None, Expression]]:
        """The properties of an object literal, those too that it is given later: names (None: computed or spread) and values."""
        yield from pairs(of)
        for variable, names in self._holders.get(of.node.id, ()):
            for place, slot in variable.members.items():
                if place[:-1] == names:
                    yield from ((place[-1], value) for value in slot.values)


def _bind(node: Node, scope: Scope) -> Slot | None:
    """Declare the names in a pattern; the variable where it is one name."""
    if node.type == "identifier":
        return scope.declare(text(node))
    if node.type == "assignment_pattern":
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        bound = _bind(left, scope) if left is not None else None
        if bound is not None and right is not None:
            bound.values.append(Expression(right, scope))
        return bound
    left_over = [node]
    while left_over:
        each = left_over.pop()
        if each.type in ("identifier", "shorthand_property_identifier_pattern"):
            scope.declare(text(each))
        left_over += each.named_children
    return None

"""The variables of one function: what each is, and where it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from abicheck.lint.names import VIEWS
from abicheck.lint.syntax import ancestor, field, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tree_sitter import Node

Form: TypeAlias = Literal["value", "reference", "pointer", "array"]
Kind: TypeAlias = Literal["local", "parameter", "capture"]

_FORMS: dict[str, Form] = {
    "reference_declarator": "reference",
    "pointer_declarator": "pointer",
    "array_declarator": "array",
}
_PARAMETERS = ("parameter_declaration", "optional_parameter_declaration")
_DECLARATIONS = ("declaration", "for_range_loop")
_SCOPES = ("compound_statement", "for_statement", "for_range_loop", "if_statement", "while_statement", "switch_statement")


class Variable(NamedTuple):
    """A variable: `type` as it is written, without `*` and `&`; it is known from the byte `start` to the byte `end`."""

    name: str
    type: str
    form: Form
    kind: Kind
    fixed: bool
    start: int
    end: int

    @property
    def is_pointer(self) -> bool:
        """Tell whether it holds a pointer, or a view, and no memory of its own."""
        return self.form in ("pointer", "array") or VIEWS.search(self.type) is not None


class Scopes:
    """The variables of a function, found by name and place; `nodes` are its own, without those of functions inside."""

    def __init__(self, function: Node, nodes: Iterable[Node]) -> None:
        self._variables: dict[str, list[Variable]] = {}
        for variable in (*_parameters(function), *_captures(function), *_locals(function, nodes)):
            self._variables.setdefault(variable.name, []).append(variable)

    def find(self, name: str, node: Node) -> Variable | None:
        """The variable that `name` is at a node: of those in sight the one that was declared last."""
        seen = [each for each in self._variables.get(name, ()) if each.start <= node.start_byte < each.end]
        return max(seen, key=lambda each: each.start) if seen else None


def declared(node: Node | None) -> tuple[Node, Form] | None:
    """The name in a declarator, and what form of it is declared."""
    form: Form = "value"
    while node is not None and node.type not in ("identifier", "field_identifier"):
        form = _FORMS.get(node.type, form)
        inner = field(node, "declarator")
        if inner is None and node.type == "reference_declarator":
            inner = node.named_children[-1] if node.named_children else None
        node = inner
    return None if node is None else (node, form)


def signature(function: Node) -> Node | None:
    """The declarator of a function that has its parameters."""
    node = field(function, "declarator")
    while node is not None and field(node, "parameters") is None:
        node = field(node, "declarator") or next(iter(node.named_children), None)
    return node


def is_fixed(node: Node) -> bool:
    """Tell whether a declaration is of something that outlives the function, or that cannot be written: `static`."""
    return any(text(child) in ("static", "thread_local", "extern") for child in node.children)


def _variable(node: Node, declarator: Node | None, kind: Kind, scope: Node) -> Variable | None:
    found = declared(declarator)
    if found is None:
        return None
    name, form = found
    constant = "const " if any(text(child) == "const" for child in node.children if child.type == "type_qualifier") else ""
    start = scope.start_byte if kind == "parameter" else name.start_byte
    return Variable(text(name), constant + text(field(node, "type")), form, kind, is_fixed(node), start, scope.end_byte)


def _parameters(function: Node) -> Iterator[Variable]:
    declarator = signature(function)
    parameters = field(declarator, "parameters") if declarator is not None else None
    for node in parameters.named_children if parameters is not None else ():
        if node.type in _PARAMETERS and (found := _variable(node, field(node, "declarator"), "parameter", function)):
            yield found


def _captures(function: Node) -> Iterator[Variable]:
    """What a lambda holds copies of."""
    for name in captured(function)[0]:
        yield Variable(name, "", "value", "capture", False, function.start_byte, function.end_byte)  # noqa: FBT003


def captured(function: Node) -> tuple[list[str], bool]:
    """The names that a lambda captures by value, in which initialisers are told by what is in them; and whether it has `=`."""
    captures = field(function, "captures")
    names, everything = [], False
    for node in captures.named_children if captures is not None else ():
        before = node.prev_sibling
        if node.type == "lambda_default_capture":
            everything = text(node) == "="
        elif node.type == "identifier" and (before is None or before.type != "&"):
            names.append(text(node))
    return names, everything


def _locals(function: Node, nodes: Iterable[Node]) -> Iterator[Variable]:
    for node in nodes:
        if node.type in _DECLARATIONS:
            scope = node if node.type == "for_range_loop" else ancestor(node, _SCOPES)
            for declarator in node.children_by_field_name("declarator"):
                found = _variable(node, declarator, "local", scope if scope is not None else function)
                if found is not None:
                    yield found

"""Members of structs: which are pointers, as far as the sources declare them, and which of those Python may write."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from abicheck.lint.names import OWNS, POINTERS, VIEWS
from abicheck.lint.scopes import declared
from abicheck.lint.sighting import Member, Sighting
from abicheck.lint.syntax import ancestor, arguments, callee, field, mentioned, parse, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tree_sitter import Node

_STRUCTS = ("struct_specifier", "class_specifier")


def exposed(call: Node) -> Iterator[Sighting]:
    """`.def_readwrite("f", &S::f)` of pybind11, which is wrong where `S::f` is a `const char *`.

    https://github.com/pybind/pybind11/issues/2337
    """
    if callee(call).endswith(".def_readwrite"):
        for argument in arguments(call)[1:2]:
            struct, _, name = text(argument).lstrip("&").replace(" ", "").rpartition("::")
            about, (line, column) = Member(struct.rpartition("::")[2], name), argument.start_point
            yield Sighting("char-pointer-exposed", line + 1, column + 1, {"name": f"{struct}::{name}"}, about, about in POINTERS)


class Members:
    """The declarations of members that matter: asked for by name, read from whichever sources mention them."""

    def __init__(self, wanted: Iterable[Member]) -> None:
        self._names = {each.name for each in wanted}
        names = b"|".join(re.escape(name.encode()) for name in sorted(self._names))
        self._mention = re.compile(rb"\b(?:%s)\b\s*[;={\[]" % names) if names else None
        #: By member and struct what it points to: `char`, `other`, or nothing, as it is no pointer.
        self._pointers: dict[str, dict[str, str]] = {}

    def read(self, source: bytes) -> None:
        """Take in what a source declares."""
        if self._mention is None or not re.search(rb"\b(?:struct|class)\b", source) or not self._mention.search(source):
            return
        for node in mentioned(parse(source), source, self._mention, ("field_declaration",)):
            struct = ancestor(node, _STRUCTS)
            if struct is not None:
                self._declare(self._name(struct), node)

    def _name(self, struct: Node) -> str:
        """What a struct is called; `typedef struct { … } name` names it behind."""
        above = struct.parent
        typedef = field(above, "declarator") if above is not None and above.type == "type_definition" else None
        return text(field(struct, "name")) or text(typedef)

    def _declare(self, struct: str, node: Node) -> None:
        kind = text(field(node, "type"))
        for declarator in node.children_by_field_name("declarator"):
            found = declared(declarator)
            if found is not None and text(found[0]) in self._names:
                is_view = VIEWS.search(kind) is not None and not OWNS.search(kind)
                points = found[1] == "pointer" or is_view
                self._pointers.setdefault(text(found[0]), {})[struct] = ("char" if kind == "char" else "other") if points else ""

    def allow(self, sighting: Sighting) -> bool:
        """Tell whether what a sighting takes for a pointer is one, or may be."""
        about = sighting.member
        if about is None:
            return True
        known = self._pointers.get(about.name, {})
        of_char = sighting.rule == "char-pointer-exposed"
        if about.type in known:
            return known[about.type] == "char" if of_char else known[about.type] != ""
        return sighting.if_unknown if of_char or not known else any(known.values())

"""The JavaScript around a module: the names that it gives to the module, and those that it takes from it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from abicheck.model.wasm import Glue
from abicheck.read.wasm.script import Script
from abicheck.read.wasm.syntax import key, literal, member, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tree_sitter import Node

    from abicheck.read.wasm.syntax import Expression

#: What instantiates a module, and which of its arguments has the imports.
_INSTANTIATE = re.compile(r"(?:\w+\.)?WebAssembly\.(?:instantiate|instantiateStreaming|Instance)")
_WORKER = re.compile(r"[\w@%+,.-][\w@%+,./-]*\.[cm]?js")
_FILE = re.compile(r"[\w@%+,./-]+\.wasm")
#: Operators behind which a name may be missing: the left side is only looked at.
_ASKING = ("&&", "||", "??")


def read_glue(source: bytes) -> Glue:
    """What a script gives to a module and takes from it. Raises `AbicheckError` where the parser is not installed."""
    script = Script(source)
    files = dict.fromkeys(filter(_FILE.fullmatch, script.strings))
    return Glue(tuple(_offers(script)), tuple(_asks(script)), tuple(files), tuple(dict.fromkeys(_workers(script))))


def _offers(script: Script) -> Iterator[Mapping[str, frozenset[str] | None]]:
    """Each object that a module is instantiated with, and of which all namespaces are known."""
    told = set()
    for call in script.calls:
        called = call.node.child_by_field_name("function") or call.node.child_by_field_name("constructor")
        given = call.arguments
        if len(given) < 2 or not _INSTANTIATE.fullmatch(text(called)):
            continue
        for each in script.origins(given[1]):
            if each.node.type != "object" or each.node.id in told:
                continue
            told.add(each.node.id)
            namespaces = [(name, _names(script, value)) for name, value in script.properties(each)]
            if namespaces and all(name is not None for name, _ in namespaces):
                yield _joined(namespaces)


def _workers(script: Script) -> Iterator[str]:
    """The scripts that are named where a worker is made: `new Worker(locateFile("x.js"))`, `new Worker(new URL("x.js", …))`."""
    for call in script.calls:
        if not _is_new(call, "Worker"):
            continue
        for each in script.origins(call.arguments[0] if call.arguments else None):
            named = script.origins(each.arguments[0]) if _is_new(each, "URL") and each.arguments else [each]
            yield from (name for end in named if (name := literal(end.node)) is not None and _WORKER.fullmatch(name))


def _is_new(call: Expression, name: str) -> bool:
    called = text(call.node.child_by_field_name("constructor"))
    return called == name or called.endswith(f".{name}")


def _joined(namespaces: Iterable[tuple[str | None, frozenset[str] | None]]) -> dict[str, frozenset[str] | None]:
    """Namespaces by their names; of one that is given twice either may be meant."""
    found: dict[str, frozenset[str] | None] = {}
    for name, names in namespaces:
        if name is not None:
            before = found.get(name, frozenset())
            found[name] = None if names is None or before is None else before | names
    return found


def _names(script: Script, namespace: Expression) -> frozenset[str] | None:
    """The names in one namespace, None where it is no object whose names all stand there."""
    found: set[str] = set()
    for each in script.origins(namespace):
        names = [name for name, _ in script.properties(each)] if each.node.type == "object" else [None]
        if None in names:
            return None
        found.update(name for name in names if name is not None)
    return frozenset(found)


def _asks(script: Script) -> Iterator[frozenset[str]]:
    """The names that are taken from each object that may be the exports of an instance."""
    asked: dict[int, dict[str, bool]] = {}
    taken = [*_taken(script), *_unpacked(script)]
    sources = script.sources((each.object for each in taken), lambda node: member(node) == "exports")
    for each, instances in zip(taken, sources, strict=True):
        names = each.names or (_values(script, each.computed) if instances and each.computed is not None else [])
        for instance in instances:
            known = asked.setdefault(instance, {})
            known.update({name: each.spared or known.get(name, False) for name in names})
    each_asked = (frozenset(name for name in known if not known[name]) for known in asked.values())
    yield from filter(None, each_asked)


class _Taking(NamedTuple):
    """An `object.name`, or `object[computed]`; `spared` where the script is prepared for its not being there."""

    object: Expression | None
    names: list[str]
    computed: Expression | None = None
    spared: bool = False


def _taken(script: Script) -> Iterator[_Taking]:
    """Each member that the script takes from something."""
    for each, parent in script.members:
        if parent.type == "assignment_expression" and parent.child_by_field_name("left") == each.node:
            continue
        name = member(each.node)
        names = [] if name is None else [name]
        yield _Taking(each.child("object"), names, each.child("index"), _is_spared(each.node, parent))


def _unpacked(script: Script) -> Iterator[_Taking]:
    """The same of each `{b, c: d} = a`."""
    for pattern, value in script.patterns:
        names = [text(each) for each in pattern.named_children if each.type == "shorthand_property_identifier_pattern"]
        renamed = [each.child_by_field_name("key") for each in pattern.named_children if each.type == "pair_pattern"]
        yield _Taking(value, [*names, *filter(None, map(key, renamed))])


def _values(script: Script, index: Expression) -> list[str]:
    """The names that an index may be, as far as they stand in the script."""
    return [value for each in script.origins(index) if (value := literal(each.node)) is not None]


def _is_spared(node: Node, parent: Node) -> bool:
    """Whether a script looks first whether the member is there: `a.b?.()`, `if (a.b)`, `a.b && …`, `typeof a.b`."""
    if node.child_by_field_name("optional_chain") is not None:
        return True
    if parent.type == "call_expression":
        return parent.child_by_field_name("optional_chain") is not None and parent.child_by_field_name("function") == node
    if parent.type == "binary_expression":
        return text(parent.child_by_field_name("operator")) in _ASKING and parent.child_by_field_name("left") == node
    if parent.type == "ternary_expression":
        return parent.child_by_field_name("condition") == node
    return parent.type in ("parenthesized_expression", "unary_expression")

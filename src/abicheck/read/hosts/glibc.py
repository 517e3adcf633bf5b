"""The built-in table of glibc: which library of which version defines which symbols (made by tools/make_glibc_table.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.read.hosts.packed import unpacked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abicheck.model.host import Arch

_FILE = "glibc.json.z"


def exports(arch: Arch, minor: int) -> Mapping[str, Mapping[str, frozenset[str]]]:
    """What the libraries of glibc 2.`minor` define, as upstream released them: soname to version node to symbols.

    Empty for a version that the table does not hold. It comes from glibc's own lists of its ABI, and what these leave out it does
    not hold either: GLIBC_PRIVATE, the markers GLIBC_ABI_*, nodes without symbols. Raises `DataError`.
    """
    table = unpacked(_FILE)
    first, last = table["first"], table["last"]
    if not first <= minor <= last:
        return {}
    found: dict[str, dict[str, frozenset[str]]] = {}
    for soname, nodes in table["arches"][arch].items():
        for node, spans in nodes.items():
            names: set[str] = set()
            for span, text in spans.items():
                begin, _, end = span.partition("-")
                if int(begin or max(first, int(node.split(".")[1]))) <= minor <= int(end or last):
                    names.update(name.partition(":")[0] for name in text.split())
            if names:
                found.setdefault(soname, {})[node] = frozenset(names)
    return found

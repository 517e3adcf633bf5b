"""The self-check: what the libraries of a host's glibc define, beside the table of that version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from abicheck.model.description import Difference, SelfCheck

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abicheck.model.elf import SharedObject
    from abicheck.model.host import Libc

_VER_FLG_BASE = 1


class _Known(NamedTuple):
    """What distributions or later builds of one version add; `library` and `node` are patterns, `version` that of glibc."""

    library: str
    node: str
    explanation: str
    version: tuple[int, ...] | None = None


#: What is normal although glibc's lists do not say it. Nothing that is lacking ever is.
_NORMAL = (
    _Known(r".*", "GLIBC_PRIVATE", "what glibc's own libraries share among themselves"),
    _Known(r"libcrypt\.so\.1", r"XCRYPT_\d.*", "of libxcrypt, which takes the place of glibc's libcrypt"),
    # glibc's branch release/2.34/master.
    _Known(r"ld-linux.*", r"GLIBC_2\.34", "a placeholder that glibc 2.34 got after its release", (2, 34)),
    # glibc-2.34-37.el9, bug 2085529.
    _Known(r"ld-linux.*", r"GLIBC_2\.35", "rseq of glibc 2.35, which Red Hat brought to 2.34", (2, 34)),
)


def compare(objects: Mapping[str, SharedObject], table: Mapping[str, Mapping[str, frozenset[str]]], libc: Libc) -> SelfCheck:
    """The `objects` of a host, by their sonames, beside the `table` of its version of glibc."""
    differences: list[Difference] = []
    for soname, facts in objects.items():
        defined, listed = _nodes(facts), table[soname]
        for node in sorted(defined.keys() | listed.keys()):
            has, wanted = defined.get(node, set()), listed.get(node, frozenset())
            if has != wanted or node not in listed:
                lacks, adds = sorted(wanted - has), sorted(has - wanted)
                reason = None if lacks else _explanation(soname, node, libc, empty=not has)
                differences.append(Difference(soname, node, tuple(lacks), tuple(adds), reason))
    return SelfCheck(
        libraries=tuple(objects),
        absent=tuple(soname for soname in table if soname not in objects),
        symbols=sum(len(names) for soname in objects for names in table[soname].values()),
        differences=tuple(differences),
    )


def _nodes(facts: SharedObject) -> dict[str, set[str]]:
    """What an object defines, by version node ("" for what has none); the symbol that bears the name of its node left out."""
    found: dict[str, set[str]] = {each.name: set() for each in facts.version_definitions if not each.flags & _VER_FLG_BASE}
    for name, definitions in facts.definitions.items():
        for each in definitions:
            node = each.version.name if each.version else ""
            if not each.undefined and name != node:
                found.setdefault(node, set()).add(name)
    return found


def _explanation(soname: str, node: str, libc: Libc, *, empty: bool) -> str | None:
    if empty and node.startswith("GLIBC_ABI_"):
        return "a marker of what the loader can do"
    if empty and (number := re.match(r"GLIBC_2\.(\d+)", node)) and int(number[1]) <= libc.version[1]:
        return "a node without symbols"
    for known in _NORMAL:
        if re.fullmatch(known.library, soname) and re.fullmatch(known.node, node) and known.version in (None, libc.version):
            return known.explanation
    return None

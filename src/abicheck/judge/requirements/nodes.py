"""Versions that an artifact asks of the host's libraries, with the symbols that ask for them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from abicheck.judge.requirements.reach import needed
from abicheck.model.requirements import HostLibrary, Node, Use

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from abicheck.judge.requirements.reach import Bundle
    from abicheck.model.elf import SharedObject

_VER_FLG_WEAK = 2
#: Longer names are no versions, and the pattern would take its time with them.
_LONGEST = 128
_NUMBERED = re.compile(r"(.+?)_?(\d{1,9}(?:[._]\d{1,9})*)")
#: The sonames of the C library and its parts; musl's are others.
GLIBC = re.compile(r"(?:ld-linux-[\w-]+|lib(?:c|m|mvec|pthread|dl|rt|util|resolv|anl|nsl|BrokenLocale|thread_db))\.so\.\d+")

#: Needed versions, as (library, node): the objects that need each.
Needs = dict[tuple[str, str], list[str]]


def parse_node(name: str) -> tuple[str, tuple[int, ...]]:
    """The family and number of a version: `GLIBC_2.2.5` is ("GLIBC", (2, 2, 5)), and a name without a number its own family."""
    match = _NUMBERED.fullmatch(name) if len(name) <= _LONGEST else None
    return (match[1], tuple(map(int, re.split(r"[._]", match[2])))) if match else (name, ())


def version_needs(bundle: Bundle, reached: Mapping[str, SharedObject]) -> Needs:
    """The versions that the loader looks for in libraries of the host.

    It checks DT_VERNEED file by file, whether a symbol uses the version or not (elf/dl-version.c). What is marked weak does not
    count there, but a strong reference to such a version must be bound all the same.
    """
    found: Needs = {}
    for path, facts in reached.items():
        for need in facts.version_needs:
            if need.file in bundle:
                continue
            for version in need.versions:
                if not version.flags & _VER_FLG_WEAK or _is_referred_to(facts, need.file, version.name):
                    users = found.setdefault((need.file, version.name), [])
                    if path not in users:
                        users.append(path)
    return found


def _is_referred_to(facts: SharedObject, library: str, node: str) -> bool:
    return any(
        not each.weak and each.version is not None and (each.version.file, each.version.name) == (library, node)
        for each in facts.references
    )


class _Symbols:
    """The symbols of a version that an object's relocations name, those left out that the artifact defines itself."""

    def __init__(self, reached: Mapping[str, SharedObject]) -> None:
        self._reached = reached
        self._named: dict[str, dict[tuple[str, str], set[str]]] = {}

    def of(self, path: str, library: str, node: str) -> tuple[str, ...]:
        if path not in self._named:
            by_version: dict[tuple[str, str], set[str]] = {}
            self._named[path] = by_version
            for each in self._reached[path].references:
                if each.name is not None and each.version is not None and each.version.file is not None:
                    by_version.setdefault((each.version.file, each.version.name), set()).add(each.name)
        names = self._named[path].get((library, node), set())
        return tuple(sorted(name for name in names if not self._is_defined(name, node)))

    def _is_defined(self, name: str, node: str) -> bool:
        return any(
            definition.version is not None and definition.version.name == node and not definition.undefined
            for facts in self._reached.values()
            for definition in facts.definitions.get(name) or ()
        )


def host_libraries(
    bundle: Bundle, reached: Mapping[str, SharedObject], needs: Needs, newer_than: tuple[int, ...] | None, *, every: bool
) -> tuple[HostLibrary, ...]:
    """The libraries of the host, C library first, with the newest version of each family.

    C libraries also with all versions newer than `newer_than`, and all libraries with all versions where `every` says so.
    """
    needed_by: dict[str, list[str]] = {}
    for path, facts in reached.items():
        for name in dict.fromkeys((*needed(facts), *(need.file for need in facts.version_needs))):
            if name not in bundle:
                needed_by.setdefault(name, []).append(path)
    symbols = _Symbols(reached)
    found = []
    for library in sorted(needed_by, key=lambda name: (not GLIBC.fullmatch(name), name)):
        asked = [node for file, node in needs if file == library]
        limit = newer_than if GLIBC.fullmatch(library) else None
        nodes = tuple(
            Node(
                library,
                name,
                *parse_node(name),
                tuple(Use(path, symbols.of(path, library, name)) for path in needs[library, name]),
            )
            for name in _chosen(asked, limit, every=every)
        )
        found.append(HostLibrary(library, tuple(needed_by[library]), nodes))
    return tuple(found)


def _chosen(names: Iterable[str], newer_than: tuple[int, ...] | None, *, every: bool) -> Iterator[str]:
    """The newest of each family, and what else is to be shown; families in their order, the newest first."""
    parsed = sorted(((*parse_node(name), name) for name in names), key=lambda each: each[1], reverse=True)
    for family in sorted({each[0] for each in parsed}):
        members = [each for each in parsed if each[0] == family]
        for position, (_, number, name) in enumerate(members):
            if every or position == 0 or (newer_than is not None and family == "GLIBC" and number > newer_than):
                yield name

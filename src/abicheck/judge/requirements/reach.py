"""Which objects of an artifact its roots bring into a process, and which libraries it brings itself."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from abicheck.judge.verdict import root_kind
from abicheck.model.elf import SharedObject

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from abicheck.model.elf import ElfFile
    from abicheck.model.host import Arch

#: The machines whose loaders are known here, by e_machine.
ARCHES: dict[int, Arch] = {62: "x86_64", 183: "aarch64"}
_ET_EXEC, _ET_DYN = 2, 3


def unfit(facts: ElfFile) -> str:
    """Why no loader of these machines would take a file; empty where one would."""
    if not isinstance(facts, SharedObject):
        return "cut short or damaged"
    if facts.foreign or facts.header.machine not in ARCHES:
        return "made for another machine"
    return "" if facts.header.type in (_ET_EXEC, _ET_DYN) else "neither a library nor a program"


def needed(facts: SharedObject) -> tuple[str, ...]:
    """The names in DT_NEEDED."""
    return facts.dynamic.needed if facts.dynamic is not None else ()


class Bundle:
    """The objects of an artifact by the names under which others ask for them.

    A loader searches file names and a soname counts once its object is loaded; here both count, because the Python code of a
    package may load it before. Where several files have one name all of them are meant: which one is found is the host's affair.
    """

    def __init__(self, objects: Mapping[str, SharedObject]) -> None:
        self.objects = objects
        self._paths: dict[str, list[str]] = {}
        for path, facts in objects.items():
            soname = facts.dynamic.soname if facts.dynamic is not None else None
            for name in {posixpath.basename(path), soname} - {None, ""}:
                self._paths.setdefault(str(name), []).append(path)

    def __contains__(self, name: str) -> bool:
        return posixpath.basename(name) in self._paths

    def direct(self, path: str) -> list[str]:
        """What one object needs of the others."""
        return [found for name in needed(self.objects[path]) for found in self._paths.get(posixpath.basename(name), ())]

    def reach(self, roots: Iterable[str]) -> dict[str, SharedObject]:
        """The roots and what they need, directly or not, in the order of `objects`."""
        seen: set[str] = set()
        pending = list(roots)
        while pending:
            path = pending.pop()
            if path not in seen:
                seen.add(path)
                pending += self.direct(path)
        return {path: facts for path, facts in self.objects.items() if path in seen}


def is_program(path: str, facts: SharedObject) -> bool:
    """True for what is started, not opened."""
    return root_kind(facts, path, None) == "executable"


def choose_roots(objects: Mapping[str, SharedObject]) -> tuple[str, ...]:
    """What a user loads or starts: extensions and programs; where there are none, the libraries that no other one needs."""
    roots = tuple(path for path, facts in objects.items() if root_kind(facts, path, None) != "library")
    if roots:
        return roots
    bundle = Bundle(objects)
    inner = {found for path in objects for found in bundle.direct(path) if found != path}
    chosen = [path for path in objects if path not in inner]
    reached = bundle.reach(chosen)
    for path in objects:
        if path not in reached:  # in a circle, which has no beginning
            chosen.append(path)
            reached |= bundle.reach([path])
    return tuple(chosen)

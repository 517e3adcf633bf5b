"""Whether a load that lacks something succeeds once another distribution of the same environment has been imported."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from abicheck.judge import loader
from abicheck.model.elf import SharedObject
from abicheck.model.names import normalized
from abicheck.model.process import Missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from abicheck.judge.loader import Memo
    from abicheck.model.host import Host
    from abicheck.model.process import LinkMap, LoadError, Process

#: Errors that another distribution's libraries may cure, since the loader knows an object that is loaded by its soname.
CURABLE = ("library-missing", "symbol-missing")


class Neighbour(NamedTuple):
    """Another distribution of the environment: its extensions, which an import loads, and all its binaries, by path."""

    name: str
    extensions: tuple[str, ...]
    binaries: tuple[str, ...]


def cured_by(
    path: str, process: Process, host: Host, memo: Memo, own: Sequence[str], neighbours: Sequence[Neighbour]
) -> Missing | None:
    """What must be loaded before the root at `path`, which fails, so that it loads; None where nothing helps.

    Tried are other libraries of the distribution itself (`own` are the paths of its binaries), which its Python may open, and
    the import of another distribution that has what is missing. Python imports with RTLD_LOCAL, so what helps is mostly a library
    that is loaded already; a distribution that opens its own libraries for all (RTLD_GLOBAL, as torch does) is tried so, too.
    """
    bench = _Bench(host, memo, {posixpath.basename(each): each for each in own})
    failed = bench.open(path, process)
    if not failed.errors:
        return Missing("load-order", f"it loads once {' and '.join(bench.opened(path))} of its own is open, and not before")
    for neighbour in _likely(failed.errors, host, neighbours):
        for make_global in (False, True):
            after = process
            for extension in neighbour.extensions:
                _, after = loader.dlopen(after, extension, host, memo, make_global=make_global)
            if not bench.open(path, after).errors:
                return Missing("import-order", f"{neighbour.name} first: it loads once that has been imported, and not before")
    return None


class _Bench:
    """Opens a root of a distribution, libraries of its own that it lacks before it."""

    def __init__(self, host: Host, memo: Memo, own: Mapping[str, str]) -> None:
        self._host = host
        self._memo = memo
        self._own = own
        self._before: dict[str, list[str]] = {}

    def open(self, path: str, process: Process) -> LinkMap:
        """The link map of opening `path`."""
        return self._open(path, process, {path})[0]

    def opened(self, path: str) -> list[str]:
        """The names of the libraries that were opened before `path`."""
        return self._before.get(path, [])

    def _open(self, path: str, process: Process, pending: set[str]) -> tuple[LinkMap, Process]:
        link_map, after = loader.dlopen(process, path, self._host, self._memo)
        lacking = [error.name for error in link_map.errors if error.kind == "library-missing" and error.name in self._own]
        for name in lacking:
            first = self._own[name or ""]
            if first not in pending:
                _, process = self._open(first, process, pending | {first})
        if not lacking:
            return link_map, after
        self._before[path] = [name for name in lacking if name]
        return loader.dlopen(process, path, self._host, self._memo)


def required(requires: Iterable[str]) -> set[str]:
    """The normalized names of what Requires-Dist lines ask for on any platform, but for extras."""
    lines = [line for line in requires if "extra" not in line.partition(";")[2]]
    names = [re.match(r"[\w.-]+", line) for line in lines]
    return {normalized(name[0]) for name in names if name}


def may_be_brought(
    name: str, path: str, failed: LinkMap, process: Process, host: Host, memo: Memo, environment: Sequence[Neighbour]
) -> bool:
    """Whether a library that Python code opens by `name` ("" for a computed one) may bring what the load of `path` lacks.

    It may where the code asks for what is missing by its name, from a directory that only the code knows; and where something in
    the environment has it, since nobody can tell which files the code opens and in which order. Any other name is tried.
    """
    if any(error.name == name for error in failed.errors if error.kind == "library-missing"):
        return True
    if any(_provides(neighbour, failed.errors, host) for neighbour in environment):
        return True
    if not name:
        return False
    _, after = loader.dlopen(process, name, host, memo, make_global=True)
    return not loader.dlopen(after, path, host, memo)[0].errors


def _likely(errors: Sequence[LoadError], host: Host, neighbours: Sequence[Neighbour]) -> Iterator[Neighbour]:
    """The neighbours that may have what is missing and load it on their import."""
    for neighbour in neighbours:
        if neighbour.extensions and _provides(neighbour, errors, host):
            yield neighbour


def _provides(neighbour: Neighbour, errors: Sequence[LoadError], host: Host) -> bool:
    """Whether it has a file of the missing library's name or soname, or one that defines the first missing symbol."""
    libraries = {error.name for error in errors if error.kind == "library-missing"}
    symbols = [error.name for error in errors if error.kind == "symbol-missing" and error.name]
    if libraries & {posixpath.basename(path) for path in neighbour.binaries}:
        return True
    for path in neighbour.binaries:
        file = host.files.stat(path)
        facts = None if isinstance(file, int) else host.files.facts(file)
        if isinstance(facts, SharedObject):
            if facts.dynamic is not None and facts.dynamic.soname in libraries - {None}:
                return True
            if symbols and symbols[0] in facts.definitions:
                return True
    return False

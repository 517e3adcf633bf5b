"""Whether a load that lacks something succeeds once another distribution of the same environment has been imported."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from abicheck.judge import loader
from abicheck.model.elf import SharedObject
from abicheck.model.process import Missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
    path: str, failed: LinkMap, process: Process, host: Host, memo: Memo, neighbours: Sequence[Neighbour]
) -> Missing | None:
    """What must be imported before the root at `path` so that it loads; None where nothing helps.

    Python imports with RTLD_LOCAL, so what helps is mostly a library that is loaded already; a distribution that opens its own
    libraries for all (RTLD_GLOBAL, as torch does) is tried so, too.
    """
    for neighbour in _likely(failed.errors, host, neighbours):
        for make_global in (False, True):
            after = process
            for extension in neighbour.extensions:
                _, after = loader.dlopen(after, extension, host, memo, make_global=make_global)
            link_map, _ = loader.dlopen(after, path, host, memo)
            if not link_map.errors:
                return Missing("import-order", f"{neighbour.name} first: it loads once that has been imported, and not before")
    return None


def _likely(errors: Sequence[LoadError], host: Host, neighbours: Sequence[Neighbour]) -> Iterator[Neighbour]:
    """The neighbours that have a file of the missing library's name, or define the missing symbol."""
    libraries = {error.name for error in errors if error.kind == "library-missing"}
    symbols = [error.name for error in errors if error.kind == "symbol-missing" and error.name]
    for neighbour in neighbours:
        if not neighbour.extensions:
            continue
        names = {posixpath.basename(path) for path in neighbour.binaries}
        if libraries & names or (symbols and _defines(symbols[0], host, neighbour)):
            yield neighbour


def _defines(symbol: str, host: Host, neighbour: Neighbour) -> bool:
    for path in neighbour.binaries:
        file = host.files.stat(path)
        facts = None if isinstance(file, int) else host.files.facts(file)
        if isinstance(facts, SharedObject) and symbol in facts.definitions:
            return True
    return False

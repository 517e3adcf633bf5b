"""Where musl looks for a library and what it does with it: `load_library` and `load_deps` of ldso/dynlink.c."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from abicheck.judge.loader.errno import strerror
from abicheck.judge.loader.musl.mapping import MapError, map_library
from abicheck.judge.loader.musl.relocation import find
from abicheck.judge.loader.state import Map, die
from abicheck.model.process import Attempt, LoadError, Search

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.judge.loader.musl.state import Space
    from abicheck.model.files import FileId
    from abicheck.model.process import Found

#: Names that the C library itself answers to, whatever follows the dot.
_RESERVED = ("libc.", "libpthread.", "librt.", "libm.", "libdl.", "libutil.", "libxnet.")
#: ENOENT, EACCES, ENOTDIR, ENAMETOOLONG: the search goes on with the next directory.
_GOES_ON = (2, 13, 20, 36)
_EINVAL = 22
_NAME_MAX = 255
#: The size of the buffer that a path is put together in; a directory that makes it overflow is passed over.
_BUFFER = 2 * _NAME_MAX + 2
_TOKEN = re.compile(r"\$(?:ORIGIN|\{ORIGIN\})")


def load_library(space: Space, name: str, needed_by: Map | None, *, suffix: str = "") -> Map | LoadError:
    """The object that `name` means to `needed_by`, or the error, whose text ends in `suffix`."""
    if name.startswith(_RESERVED) or name == space.libc().path:
        return space.add_libc()
    others = [item for item in space.maps[1:] if item.search.found != "built-in"]
    if "/" not in name and (known := next((item for item in others if name in item.names), None)):
        return known
    tried: list[Attempt] = []
    try:
        path, file, search = _open(space, name, needed_by, tried)
        for item in others:
            if item.file is not None and item.file[:2] == file[:2]:
                # One that was opened by its path gets its file's name once a search has led to it.
                if "/" not in name and all("/" in known for known in item.names):
                    item.names.append(item.path.rpartition("/")[2])
                return item
        new = Map(path, name, file, map_library(space, space.host.files.facts(file), path), search)
    except MapError as error:
        space.errno = error.errno
        text = f"Error loading shared library {name}: {strerror(error.errno, musl=True)}{suffix}"
        evidence = (*(f"{attempt.path}: {attempt.outcome}" for attempt in tried), error.evidence)
        return LoadError(kind=error.kind, text=text, object=name, name=name, evidence=tuple(filter(None, evidence)))
    if find("__libc_start_main", [new], defined=True) and find("stdin", [new], defined=True):
        # A C library, musl's own or glibc's, by its path: there can be only one.
        return space.add_libc()
    new.kind = "library" if space.at_start else "loaded"
    new.loader = needed_by
    new.origin = origin_of(path)
    space.add(new)
    return new


def origin_of(path: str) -> str:
    """What `$ORIGIN` stands for: the directory of the path as it is spelled."""
    return path.rpartition("/")[0] if "/" in path else "."


def _open(space: Space, name: str, needed_by: Map | None, tried: list[Attempt]) -> tuple[str, FileId, Search]:
    if not name:
        raise MapError("library-missing", _EINVAL, "the name is empty")
    for found, owner, path in _candidates(space, name, needed_by):
        file = space.host.files.stat(path)
        if not isinstance(file, int):
            return path, file, Search(found, owner, tuple(tried))
        space.errno = file
        tried.append(Attempt(path, found, strerror(file, musl=True)))
        if file not in _GOES_ON:
            break
    raise MapError("library-missing", space.errno)


def _candidates(space: Space, name: str, needed_by: Map | None) -> Iterator[tuple[Found, str | None, str]]:
    """The paths to try, each with how it came up."""
    if "/" in name:
        yield "path", None, name
    elif _length(name) <= _NAME_MAX:
        for found, owner, directories in _places(space, needed_by):
            for directory in directories:
                if _length(directory + name) < _BUFFER:
                    yield found, owner, directory + name


def _length(path: str) -> int:
    return len(path.encode(errors="surrogateescape"))


def _places(space: Space, needed_by: Map | None) -> Iterator[tuple[Found, str | None, tuple[str, ...]]]:
    """LD_LIBRARY_PATH; RUNPATH or else RPATH of the object, of the one that needed it, and on up; then the system's."""
    yield "ld-library-path", None, _split(space.host.environment.get("LD_LIBRARY_PATH", ""))
    item = needed_by
    while item is not None:
        if fault := item.facts.fault("search-path"):
            raise die(fault, item.path, "DT_RPATH or DT_RUNPATH cannot be read: its string table is not mapped")
        dynamic = item.facts.dynamic
        if dynamic is not None and dynamic.runpath is not None:
            yield "runpath", item.path, _split(_expand(dynamic.runpath, item))
        elif dynamic is not None and dynamic.rpath is not None:
            yield "rpath", item.path, _split(_expand(dynamic.rpath, item))
        item = item.loader
    yield "system", None, space.host.loader.system_dirs


def _split(path: str) -> tuple[str, ...]:
    return tuple(f"{directory}/" for directory in re.split("[:\n]", path) if directory)


def _expand(path: str, item: Map) -> str:
    """`path` with $ORIGIN replaced; any other token in it makes musl ignore the whole of it (`fixup_rpath`)."""
    if path.count("$") != len(_TOKEN.findall(path)):
        return ""
    return _TOKEN.sub(lambda _: item.origin or "", path)


def load_dependencies(space: Space, root: Map) -> None:
    """Load what `root` and every object behind it in the list needs.

    What can't be loaded is noted and the walk goes on, as at a program's start; a dlopen stops at the first such error.
    """
    at = root.index
    while at < len(space.maps):
        item = space.maps[at]
        at += 1
        if item.checked or item.facts.dynamic is None:
            continue
        item.checked = True
        if fault := item.facts.fault("needed"):
            raise die(fault, item.path, "DT_NEEDED cannot be read: its string table is not mapped")
        for name in item.facts.dynamic.needed:
            loaded = load_library(space, name, item, suffix=f" (needed by {item.path})")
            if isinstance(loaded, Map):
                item.dependencies.append(loaded)
            else:
                space.refuse(loaded)


def closure(root: Map) -> list[Map]:
    """`root` and all that it needs, breadth first (`extend_bfs_deps`)."""
    order = {id(root): root}
    queue = [root]
    for item in queue:
        for other in item.dependencies:
            if id(other) not in order:
                order[id(other)] = other
                queue.append(other)
    return queue

"""Where the loader looks for a library: `_dl_map_object` and `open_path` of elf/dl-load.c."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from abicheck.judge.loader.errno import strerror, with_errno
from abicheck.judge.loader.mapping import check_layout, check_stack, check_tables, wants_executable_stack
from abicheck.judge.loader.state import Map, RefusedError, die, require_known
from abicheck.judge.loader.verify import verify
from abicheck.model.elf import SharedObject
from abicheck.model.process import Attempt, LoadError, Search

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.judge.loader.state import Namespace
    from abicheck.model.files import FileId
    from abicheck.model.host import Host
    from abicheck.model.process import Found

_ENOENT, _EACCES, _ENOTDIR = 2, 13, 20
_DF_1_NODEFLIB = 0x800
_TOKEN = re.compile(r"\$(?:\{(ORIGIN|PLATFORM|LIB)\}|(ORIGIN|PLATFORM|LIB))(?![A-Za-z0-9_])")


class _Open(NamedTuple):
    """An opened and verified file."""

    path: str
    file: FileId
    facts: SharedObject
    search: Search


def expand(text: str, origin: str | None, host: Host) -> str | None:
    """`text` with $ORIGIN, $LIB and $PLATFORM replaced; None where one of them has no value (`_dl_dst_substitute`)."""
    if "$" not in text:
        return text
    values = {"ORIGIN": origin, "LIB": host.loader.lib, "PLATFORM": host.loader.platform or None}
    names = [match.group(1) or match.group(2) for match in _TOKEN.finditer(text)]
    if any(values[name] is None for name in names):
        return None
    return _TOKEN.sub(lambda match: values[match.group(1) or match.group(2)] or "", text)


@lru_cache(maxsize=4096)
def _split(text: str, separators: str) -> tuple[str, ...]:
    return tuple(re.split(f"[{separators}]", text))


@lru_cache(maxsize=64)
def _halves(subdirectories: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Each of the subdirectories as its first component and what comes after that."""
    return tuple((top + slash, rest) for top, slash, rest in (each.partition("/") for each in subdirectories))


def directories(text: str, separators: str, origin: str | None, host: Host) -> tuple[str, ...]:
    """The directories of a search path, each with one trailing slash, repeats left out (`fillin_rpath`).

    An element that was empty from the start means the current directory, spelled as nothing at all.
    """
    if not text:
        return ()
    found: dict[str, None] = {}
    for element in _split(text, separators):
        if not element:
            found[""] = None
            continue
        directory = expand(element, origin, host)
        if directory:
            found[(directory.rstrip("/") or "") + "/"] = None
    return tuple(found)


def origin_of(path: str, cwd: str) -> str:
    """What `$ORIGIN` is for an object opened as `path`: its directory as spelled, links not followed (elf/dl-object.c)."""
    if not path.startswith("/"):
        path = f"{cwd.rstrip('/')}/{path}"
    return path[: path.rindex("/")] or "/"


class Searcher:
    """One search for `name` on behalf of `loader`: it collects what was tried and the errno that ends up in the text."""

    def __init__(self, space: Namespace, name: str, loader: Map) -> None:
        self.space = space
        self.host = space.host
        self.name = name
        self.loader = loader
        self.errno = 0
        self.other_class = False
        self.tried: list[Attempt] = []

    def open(self) -> _Open:
        """The file that the loader takes; raises `RefusedError` when there is none or a broken one ends the search."""
        if "/" in self.name:
            path = expand(self.name, self.loader.origin, self.host)
            opened = self._try(path, "path", None) if path else None
        else:
            opened = self._search()
        if opened is None:
            raise self._not_found()
        return opened

    def _search(self) -> _Open | None:
        """The first file that is taken in one of the places."""
        for found, owner, candidates in self._places():
            opened = self._first(found, owner, candidates)
            if opened is not None:
                return opened
        return None

    def _not_found(self) -> RefusedError:
        evidence = tuple(f"{attempt.path}: {attempt.outcome}" for attempt in self.tried)
        if self.other_class:
            text = f"{self.name}: wrong ELF class: ELFCLASS32"
            return RefusedError(LoadError(kind="wrong-class", text=text, object=self.name, name=self.name, evidence=evidence))
        machine = any("machine" in attempt.outcome for attempt in self.tried)
        return RefusedError(
            LoadError(
                kind="wrong-machine" if machine else "library-missing",
                text=with_errno(f"{self.name}: cannot open shared object file", self.errno),
                object=self.name,
                name=self.name,
                evidence=evidence,
            )
        )

    def _places(self) -> Iterator[tuple[Found, str | None, tuple[str, ...]]]:
        """The places in the loader's order, each with the directories (or, from the cache, the file) to try."""
        loader, host = self.loader, self.host
        if not _has_runpath(loader):
            yield from self._rpaths(loader)
        if path := host.environment.get("LD_LIBRARY_PATH"):
            # The tokens are those of the main program, whose $ORIGIN is the resolved one.
            yield "ld-library-path", None, directories(path, ":;", self.space.maps[0].origin, host)
        if _has_runpath(loader):
            yield "runpath", loader.path, _path_of(loader, "runpath", host)
        no_default = self._no_default_libraries()
        if host.loader.cache is not None:
            for cached in host.loader.cache.get(self.name, ())[:1]:
                if not (no_default and cached.startswith(host.loader.system_dirs)):
                    yield "cache", None, (cached,)
        if not no_default:
            yield "system", None, host.loader.system_dirs

    def _rpaths(self, loader: Map) -> Iterator[tuple[Found, str | None, tuple[str, ...]]]:
        """DT_RPATH of the object, of the one that loaded it, and on up; then of the main program."""
        main = self.space.maps[0]
        seen_main = False
        item: Map | None = loader
        while item is not None:
            seen_main |= item is main
            yield "rpath", item.path, _path_of(item, "rpath", self.host)
            item = item.loader
        if not seen_main:
            yield "rpath", main.path, _path_of(main, "rpath", self.host)

    def _no_default_libraries(self) -> bool:
        dynamic = self.loader.facts.dynamic
        return dynamic is not None and bool(dynamic.flags_1 & _DF_1_NODEFLIB)

    def _first(self, found: Found, owner: str | None, candidates: tuple[str, ...]) -> _Open | None:
        if found == "cache":
            return self._try(candidates[0], found, owner)
        for directory in candidates:
            present, errno = self._present(directory)
            if errno:
                self.errno = errno
                self.tried.append(Attempt(directory, found, strerror(errno)))
            for prefix in present:
                opened = self._try(prefix + self.name, found, owner)
                if opened is not None:
                    return opened
            if self.errno not in (_ENOENT, _EACCES, _ENOTDIR, 0):
                return None
        return None

    def _present(self, directory: str) -> tuple[tuple[str, ...], int]:
        """The hwcaps subdirectories of `directory` that are there, then itself; and the errno that tells that it is not.

        Like the loader, look only once whether a directory is there at all. The current one is always tried.
        """
        known = self.space.directories.get(directory)
        if known is None:
            errno = self._errno_of(directory)
            known = ((), errno) if errno else ((*self._subdirectories(directory), directory), 0)
            self.space.directories[directory] = known
        return known

    def _subdirectories(self, directory: str) -> list[str]:
        """The hwcaps subdirectories of `directory` that are there: `tls/x86_64/` is asked for only where there is a `tls/`."""
        places = [(directory + top, directory + top + rest) for top, rest in _halves(self.host.loader.hwcap_subdirs)]
        absent = {top for top in dict.fromkeys(top for top, _ in places) if self._errno_of(top)}
        return [place for top, place in places if top not in absent and (place == top or not self._errno_of(place))]

    def _errno_of(self, directory: str) -> int:
        answer = self.host.files.stat(directory) if directory.startswith("/") else 0
        return answer if isinstance(answer, int) else 0

    def _try(self, path: str, found: Found, owner: str | None) -> _Open | None:
        file = self.host.files.stat(path)
        if isinstance(file, int):
            self.errno = file
            self.tried.append(Attempt(path, found, strerror(file)))
            return None
        facts = self.host.files.facts(file)
        search = Search(found, owner, tuple(self.tried))
        if id(facts) in self.space.memo.sound:  # so it was verified once
            assert isinstance(facts, SharedObject)
            return _Open(path, file, facts, search)
        require_known(facts, path)
        verified = verify(facts, path, self.host)
        if verified.facts is None:
            self.errno = _ENOENT
            self.other_class |= verified.other_class
            self.tried.append(Attempt(path, found, verified.reason))
            return None
        return _Open(path, file, verified.facts, search)


def _has_runpath(item: Map) -> bool:
    return item.facts.dynamic is not None and item.facts.dynamic.runpath is not None


def _path_of(item: Map, kind: Found, host: Host) -> tuple[str, ...]:
    """The directories of an object's RPATH or RUNPATH, worked out once for each load."""
    if kind not in item.found_dirs:
        dynamic = item.facts.dynamic
        if fault := item.facts.fault("search-path"):
            raise die(fault, item.path, "DT_RPATH or DT_RUNPATH cannot be read: its string table is not mapped")
        text = None
        if dynamic is not None:
            # Where there is a RUNPATH the RPATH is ignored (elf/get-dynamic-info.h).
            text = dynamic.runpath if kind == "runpath" else dynamic.rpath if dynamic.runpath is None else None
        item.found_dirs[kind] = directories(text or "", ":", item.origin, host)
    return item.found_dirs[kind]


def map_object(
    space: Namespace, name: str, loader: Map | None, *, at_start: bool = False, searches_for: Map | None = None
) -> Map:
    """The object that `name` means to `loader`, mapped if it is not yet (`_dl_map_object`). Raises `RefusedError`.

    What dlopen opens has no loader: `searches_for` is its caller, whose search paths count once (`__RTLD_CALLMAP`).
    """
    known = space.lookup(name)
    if known is not None:
        return known
    opened = Searcher(space, name, loader or searches_for or space.maps[0]).open()
    loaded = space.by_file.get((opened.file.device, opened.file.inode))
    if loaded is not None:
        space.add_name(loaded, name)
        return loaded
    facts, path = opened.facts, opened.path
    if id(facts) not in space.memo.sound:
        _check_file(space, facts, name, path, at_start=at_start)
    item = Map(path, name, opened.file, facts, opened.search)
    item.loader = loader
    item.kind = "library" if at_start else "loaded"
    item.origin = origin_of(path, space.host.cwd)
    space.add(item)
    return item


def _check_file(space: Namespace, facts: SharedObject, name: str, path: str, *, at_start: bool) -> None:
    """All that is checked of a file before it is loaded.

    A good outcome is remembered, as only the texts of a bad one depend on the name; but not that of a file which wants an
    executable stack: what comes of that depends on the process.
    """
    host = space.host
    check_layout(facts, host, name, path)
    executable_stack = wants_executable_stack(facts, host)
    if executable_stack and not space.stack_executable:
        check_stack(facts, host, name, at_start=at_start)
        space.stack_executable = True
    check_tables(facts, host, path)
    if not executable_stack:
        space.memo.sound[id(facts)] = facts

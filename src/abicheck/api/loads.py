"""Loads that are simulated once for all hosts and packages that answer the loader alike.

A load is a pure function of the host's machine, of the process that it starts from, and of the answers of `Files`. So its result
holds wherever all of its questions get the same answers: for the Python of a host whatever is installed there, for the packages
that two environments have in common, and for distributions that are built of the same libraries.
"""

from __future__ import annotations

from operator import eq
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from abicheck.judge import loader
from abicheck.read.files import Trace, Traced

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from abicheck.model.files import Files
    from abicheck.model.host import Host
    from abicheck.model.process import LinkMap, LoadedObject, Process

    _Loaded = tuple[LinkMap, Process]


T = TypeVar("T")

#: What the loader does not look at, what the traces tell, and what no dictionary takes as it is.
_SEEN_OTHERWISE = {"name", "kind", "files", "loader", "environment", "python", "assumptions", "any_python"}


class _Known(NamedTuple):
    """A load with what it asked; `host` is the name that stands in what it does not know, `base` the process it started from."""

    trace: Trace
    loaded: _Loaded
    host: str
    base: Process | None

    def holds(self, files: Files, host: str) -> bool:
        """Whether `files` of that host give the same answers."""
        return (
            (host == self.host or not self.loaded[0].missing)
            and all(map(eq, map(files.stat, self.trace.opened), self.trace.opened.values()))
            and all(map(eq, map(files.resolve, self.trace.resolved), self.trace.resolved.values()))
        )


class _Machine(NamedTuple):
    """What was found out on hosts of one kind."""

    memo: loader.Memo
    known: dict[Hashable, list[_Known]]


class Loads:
    """All that was loaded in a run, and what else is found out once."""

    def __init__(self) -> None:
        self._memo = loader.Memo()
        self._machines: dict[Hashable, _Machine] = {}
        self._found: dict[Hashable, Any] = {}

    def once(self, about: Hashable, find: Callable[[], T]) -> T:
        """What `find` finds out about something, found out once."""
        if about not in self._found:
            self._found[about] = find()
        found: T = self._found[about]
        return found

    def on(self, host: Host) -> Loader:
        """The loader of one host."""
        machine = _machine(host)
        if machine not in self._machines:
            self._machines[machine] = _Machine(loader.Memo(self._memo), {})
        return Loader(host, *self._machines[machine])


class Loader:
    """The loader of one host; `memo` is what it knows of files already."""

    def __init__(self, host: Host, memo: loader.Memo, known: dict[Hashable, list[_Known]]) -> None:
        self.memo = memo
        self._host = host
        self._known = known

    def start(self, path: str) -> _Loaded:
        """`loader.start` of the program at `path`."""
        return self._load((path, self._host.python), None, lambda host: loader.start(host, path, self.memo)).loaded

    def dlopen(self, process: Process, name: str) -> _Loaded:
        """`loader.dlopen` of `name` in `process`."""
        what = id(process), name, self._host.files.stat(name)  # files of one path that are others fill no common list
        return self._load(what, process, lambda host: loader.dlopen(process, name, host, self.memo)).loaded

    def open_lazily(self, process: Process, name: str, caller: int) -> LinkMap:
        """The link map of opening `name` in `process` as a program does that can go on without it.

        Where there is nothing of that name, that is so for every process that looks in the same places.
        """
        places = _places(process, name, caller)
        absent = self._find(places) if places is not None else None
        if absent is not None:
            return absent.loaded[0]._replace(scope=process.global_scope, process=process)

        def load(host: Host) -> _Loaded:
            return loader.dlopen(process, name, host, self.memo, lazy=True, caller=caller)

        known = self._load((id(process), name, caller), process, load)
        link_map = known.loaded[0]
        if places is not None and not link_map.objects and [error.kind for error in link_map.errors] == ["library-missing"]:
            self._known.setdefault(places, []).append(known)
        return link_map

    def _load(self, what: Hashable, base: Process | None, load: Callable[[Host], _Loaded]) -> _Known:
        known = self._find(what)
        if known is None:
            trace = Trace()
            loaded = load(self._host._replace(files=Traced(self._host.files, trace)))
            known = _Known(trace, loaded, self._host.name, base)
            self._known.setdefault(what, []).append(known)
        return known

    def _find(self, what: Hashable) -> _Known | None:
        host = self._host
        return next((known for known in self._known.get(what, ()) if known.holds(host.files, host.name)), None)


def _places(process: Process, name: str, caller: int) -> Hashable | None:
    """What decides where `name` is looked for; None where that is not all that decides."""
    objects = process.objects
    if "/" in name:
        return None
    for item in objects:
        dynamic = item.facts.dynamic
        if (
            name in item.names
            or (dynamic is not None and dynamic.soname == name)
            or (item.facts.faults and item.facts.fault("soname"))
        ):
            return None
    chain = []
    index: int | None = caller
    while index is not None:
        chain.append(_searches(objects[index]))
        index = objects[index].loader
    # The main program's RPATH counts for all (elf/dl-load.c `_dl_map_object`).
    return (name, _searches(objects[0]), *chain)


def _searches(item: LoadedObject) -> Hashable:
    """What an object says of where to look."""
    facts = item.facts
    dynamic = facts.dynamic
    told = None if dynamic is None else (dynamic.rpath, dynamic.runpath, dynamic.flags_1)
    return item.origin, told, facts.fault("search-path")


def _machine(host: Host) -> Hashable:
    """All of a host that a loader looks at, its files left out."""
    config = host.loader
    cache = None if config.cache is None else frozenset(config.cache.items())
    fields = (value for name, value in zip(host._fields, host, strict=True) if name not in _SEEN_OTHERWISE)
    return (config._replace(cache=None), cache, frozenset(host.environment.items()), *fields)

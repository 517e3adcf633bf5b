"""The loader's own bookkeeping during one load: a mutable picture of `struct link_map` and its namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from abicheck.judge.loader.memo import Index
from abicheck.model.elf import Malformed
from abicheck.model.process import LinkMap, LoadedObject, LoadError, Missing, Process, Search, StaticTls

if TYPE_CHECKING:
    from collections.abc import Iterable

    from abicheck.judge.loader.memo import Memo
    from abicheck.model.elf import ElfFile, Fault, SharedObject
    from abicheck.model.files import FileId
    from abicheck.model.host import Host


class RefusedError(Exception):
    """The loader refuses one object with a text; other objects can still be looked at."""

    def __init__(self, error: LoadError) -> None:
        super().__init__(error.text)
        self.error = error


class UnknownError(Exception):
    """What the loader finds in a file cannot be told, as nothing is known of it: nothing that comes after it can."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.missing = Missing("library", f"{path} is there, but its facts are not in the profile")


def require_known(facts: ElfFile, path: str) -> None:
    """Raise `UnknownError` for a file of which nothing is known."""
    if isinstance(facts, Malformed) and facts.reason == "left-out":
        raise UnknownError(path)


class DiedError(RefusedError):
    """The process dies (a signal or an assertion): nothing comes after it."""


def die(fault: Fault, path: str, evidence: str) -> DiedError:
    """The error of a process that dies of `fault` while the loader works on `path`."""
    kind: Literal["truncated-file", "malformed-file"] = "truncated-file" if fault.signal == "SIGBUS" else "malformed-file"
    return DiedError(LoadError(kind=kind, text=f"signal: {fault.signal}", object=path, evidence=(evidence,)))


def assertion(file: str, function: str, condition: str, error: LoadError) -> DiedError:
    """The error of a failed assertion of ld.so, which ends the process with status 127 (elf/dl-minimal.c `__assert_fail`)."""
    text = f"exit 127: Inconsistency detected by ld.so: {file}: *: {function}: Assertion `{condition}' failed!"
    return DiedError(LoadError(kind=error.kind, text=text, object=error.object, name=error.name, evidence=error.evidence))


class Map:
    """One object being loaded or already loaded (`struct link_map`)."""

    __slots__ = (
        "checked",
        "dependencies",
        "facts",
        "file",
        "found_dirs",
        "frozen",
        "index",
        "kind",
        "loader",
        "names",
        "origin",
        "path",
        "relocated",
        "search",
        "searchlist",
        "soname_added",
        "tls_offset",
    )

    def __init__(self, path: str, name: str, file: FileId | None, facts: SharedObject, search: Search) -> None:
        self.path = path
        self.names = [name]
        self.file = file
        self.facts = facts
        self.search = search
        self.origin: str | None = None
        self.kind: Literal["executable", "library", "loaded"] = "loaded"
        self.loader: Map | None = None
        self.dependencies: list[Map] = []
        self.searchlist: list[Map] | None = None
        self.soname_added = False
        self.relocated = False
        self.checked = False
        self.tls_offset: int | None = None
        self.index = -1
        self.found_dirs: dict[str, tuple[str, ...]] = {}
        self.frozen: tuple[LoadedObject, tuple[object, ...]] | None = None

    def state(self) -> tuple[object, ...]:
        """What a later load may change of an object, so that one that did not change need not be written down anew."""
        return len(self.names), self.soname_added, self.tls_offset, len(self.dependencies), self.searchlist is None

    def __repr__(self) -> str:
        return f"<Map {self.path or 'main program'}>"


class _Lasting(NamedTuple):
    """What a load changes for good: names and `soname_added` of the objects that were there before, and the stack."""

    names: list[tuple[tuple[str, ...], bool]]
    stack_executable: bool


class Namespace:
    """The objects of one process in load order, with the global scope and the state that a load changes."""

    def __init__(self, host: Host, process: Process | None, memo: Memo) -> None:
        self.host = host
        self.memo = memo
        self.maps: list[Map] = []
        self.global_scope: list[Map] = []
        self.stack_executable = False
        self.tls = StaticTls(size=0, used=0, align=64, optional=0)
        self.errors: list[LoadError] = []
        self.missing: list[Missing] = []
        #: A library was left out of which it is not known whether it is there: what its symbols would be is not known either.
        self.incomplete = False
        self.references = 0
        self.by_name: dict[str, Map] = {}
        self.by_file: dict[tuple[int, int], Map] = {}
        self.soname_faults: list[Map] = []
        #: Of each searched directory what is there of it and its hwcaps subdirectories, and the errno that says that it is not.
        self.directories: dict[str, tuple[tuple[str, ...], int]] = {}
        #: Of objects of the process what each needs directly, by index.
        self.direct: dict[int, tuple[int, ...]] = {}
        if process is not None:
            self._thaw(process)
        self.first_new = len(self.maps)
        self._lasting: _Lasting | None = None

    def _thaw(self, process: Process) -> None:
        index = self.memo.indices.get(id(process))
        for frozen in process.objects:
            item = Map(frozen.path, frozen.names[0] if frozen.names else "", frozen.file, frozen.facts, frozen.search)
            item.names = list(frozen.names)
            item.origin, item.kind, item.tls_offset = frozen.origin, frozen.kind, frozen.tls_offset
            item.soname_added, item.relocated, item.checked = frozen.soname_added, frozen.relocated, True
            if index is None:
                self.add(item)
            else:
                item.index = len(self.maps)
                self.maps.append(item)
        if index is None:
            names = {name: item.index for name, item in self.by_name.items()}
            files = {file: item.index for file, item in self.by_file.items()}
            faults = [item.index for item in self.soname_faults]
            self.memo.indices[id(process)] = Index(process, names, files, faults, self.direct)
        else:
            self.direct = index.direct
            self.by_name = {name: self.maps[number] for name, number in index.names.items()}
            self.by_file = {file: self.maps[number] for file, number in index.files.items()}
            self.soname_faults = [self.maps[number] for number in index.soname_faults]
        for item, frozen in zip(self.maps, process.objects, strict=True):
            item.loader = None if frozen.loader is None else self.maps[frozen.loader]
            item.dependencies = [self.maps[index] for index in frozen.dependencies]
            item.searchlist = None if frozen.searchlist is None else [self.maps[index] for index in frozen.searchlist]
            item.frozen = (frozen, item.state())
        self.global_scope = [self.maps[index] for index in process.global_scope]
        self.stack_executable = process.stack_executable
        self.tls = process.tls

    def add(self, item: Map) -> None:
        """Append `item` to the list of loaded objects (`_dl_add_to_namespace_list`)."""
        item.index = len(self.maps)
        self.maps.append(item)
        for name in (item.path, *item.names):
            self._register(name, item)
        dynamic = item.facts.dynamic
        if dynamic is not None and not item.soname_added:
            if dynamic.soname is not None:
                self._register(dynamic.soname, item)
            elif item.facts.fault("soname"):
                self.soname_faults.append(item)
        if item.file is not None and item.search.found not in ("program", "interpreter"):
            # The loader does not know the files of these two, which the kernel mapped: to open them by path maps them anew.
            self.by_file.setdefault((item.file.device, item.file.inode), item)

    def _register(self, name: str, item: Map) -> None:
        """Let `name` lead to `item` unless an object earlier in the list bears it: the loader walks the list in order."""
        known = self.by_name.get(name)
        if known is None or known.index > item.index:
            self.by_name[name] = item

    def add_name(self, item: Map, name: str) -> None:
        """Remember that `item` was asked for by `name` (`add_name_to_object`)."""
        if name not in item.names:
            item.names.append(name)
            self._register(name, item)

    def lookup(self, name: str) -> Map | None:
        """The loaded object that `name` means: by a name it was asked for, else by its soname (`_dl_map_object`)."""
        found = self.by_name.get(name)
        for item in self.soname_faults:
            # The walk reads the soname of every object that it passes, and this one's cannot be read.
            if found is None or item.index < found.index:
                fault = item.facts.fault("soname")
                assert fault is not None
                raise die(fault, item.path, "DT_SONAME cannot be read: its string table is not mapped")
        if found is None:
            return None
        if name != found.path and name not in found.names:
            found.names.append(name)
            found.soname_added = True
        return found

    def named(self, name: str) -> Map | None:
        """The first loaded object that bears `name` as its path or as a name it was asked for (`_dl_name_match_p`)."""
        found = self.by_name.get(name)
        if found is not None and (name == found.path or name in found.names):
            return found
        for item in self.maps:
            if name == item.path or name in item.names:
                return item
        return None

    def note(self, missing: Missing) -> None:
        """Remember, once, a fact that the host does not hold."""
        if missing not in self.missing:
            self.missing.append(missing)

    def refuse(self, error: LoadError) -> None:
        """Note that a library is not there; or that it is not known, where the host does not tell."""
        host = self.host
        if error.kind == "library-missing" and error.name in host.unread:
            self.incomplete = True
            self.note(Missing("library", f"what {error.name} on {host.name} defines, of which no file was read"))
        elif error.kind == "library-missing" and ("*" in host.uncertain or error.name in host.uncertain):
            self.incomplete = True
            self.note(Missing("library", f"whether {error.name} is installed on {host.name}"))
        else:
            self.fail(error)

    def fail(self, error: LoadError) -> None:
        """Note an error met while objects are mapped. After the first one the loader really maps no more."""
        if not self.errors:
            self._lasting = self._last()
        self.errors.append(error)

    def _last(self) -> _Lasting:
        return _Lasting([(tuple(item.names), item.soname_added) for item in self.maps[: self.first_new]], self.stack_executable)

    def after_failure(self, process: Process) -> Process:
        """What a failed load leaves of `process`: all as it was but for the names its objects were found by, and the stack."""
        names, stack_executable = self._lasting or self._last()
        objects = tuple(
            old if old.names == found else old._replace(names=found, soname_added=soname_added)
            for old, (found, soname_added) in zip(process.objects, names, strict=True)
        )
        return process._replace(objects=objects, stack_executable=stack_executable)

    def freeze(self, name: str, scope: Iterable[Map]) -> tuple[LinkMap, Process]:
        """The load's result as frozen values."""
        objects = tuple(map(self._freeze, self.maps))
        process = Process(
            objects=objects,
            global_scope=tuple(item.index for item in self.global_scope),
            tls=self.tls,
            stack_executable=self.stack_executable,
        )
        link_map = LinkMap(
            name=name,
            objects=objects[self.first_new :],
            errors=tuple(self.errors),
            missing=tuple(self.missing),
            scope=tuple(item.index for item in scope),
            process=process,
            references=self.references,
        )
        return link_map, process

    @staticmethod
    def _freeze(item: Map) -> LoadedObject:
        if item.frozen is not None and item.frozen[1] == item.state():
            return item.frozen[0]
        dynamic = item.facts.dynamic
        return LoadedObject(
            path=item.path,
            names=tuple(item.names),
            file=item.file,
            facts=item.facts,
            origin=item.origin,
            search=item.search,
            kind=item.kind,
            loader=None if item.loader is None else item.loader.index,
            needed=() if dynamic is None else dynamic.needed,
            dependencies=tuple([other.index for other in item.dependencies]),
            searchlist=None if item.searchlist is None else tuple([other.index for other in item.searchlist]),
            soname_added=item.soname_added,
            relocated=item.relocated,
            tls_offset=item.tls_offset,
        )

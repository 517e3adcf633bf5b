"""musl's dlopen and its start of a program: `dlopen` and `__dls3` of ldso/dynlink.c."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from abicheck.judge.loader.errno import strerror
from abicheck.judge.loader.musl.mapping import MapError, map_library
from abicheck.judge.loader.musl.relocation import relocate
from abicheck.judge.loader.musl.search import closure, load_dependencies, load_library, origin_of
from abicheck.judge.loader.musl.state import Space
from abicheck.judge.loader.state import Map, RefusedError, UnknownError, require_known
from abicheck.judge.loader.verify import MACHINES
from abicheck.model.elf import SharedObject
from abicheck.model.process import LoadError, Missing, Search

if TYPE_CHECKING:
    from collections.abc import Iterable

    from abicheck.judge.loader.memo import Memo
    from abicheck.model.host import Host
    from abicheck.model.process import ErrorKind, LinkMap, Process

_ENOENT, _ENOEXEC = 2, 8
_RELR_SINCE = (1, 2, 4)


def dlopen(process: Process, name: str, host: Host, memo: Memo, *, lazy: bool, make_global: bool) -> tuple[LinkMap, Process]:
    """What `dlopen(name, …)` does to `process`. The new process is the old one when it fails."""
    space = Space(host, process, memo)
    scope = space.global_scope
    try:
        root = _load_root(space, name)
        scope = scope + [item for item in closure(root) if item not in scope]
        # Undefined symbols of a library that was not found are its consequences, not errors of their own.
        new = [] if space.errors or space.incomplete else [item for item in space.maps[root.index :] if not item.relocated]
        for item in new:
            relocate(space, item, scope, lazy=lazy)
        _check_relr(space, new)
    except RefusedError as refused:
        space.refuse(refused.error)
    except UnknownError as unknown:
        space.missing.append(unknown.missing)
        return space.freeze(name, scope)[0], process
    if make_global and not space.errors:
        space.global_scope = scope
    link_map, after = space.freeze(name, scope)
    return link_map, process if space.errors else after


def _load_root(space: Space, name: str) -> Map:
    root = load_library(space, name, space.maps[0])
    if isinstance(root, LoadError):
        raise RefusedError(root)
    load_dependencies(space, root)
    root.searchlist = closure(root)
    return root


def start(host: Host, path: str, memo: Memo) -> tuple[LinkMap, Process]:
    """Start the program at `path`: all the errors that it reports, and the process that a later dlopen works on."""
    space = Space(host, None, memo)
    try:
        _map_program(space, path)
        if space.maps[0].facts.interpreter is not None:
            _load_all(space)
            _check_relr(space, space.maps)
    except RefusedError as refused:
        space.errors.insert(0, refused.error)
    except UnknownError as unknown:
        space.missing.append(unknown.missing)
    return _freeze(space, path)


def list_objects(host: Host, path: str, memo: Memo) -> tuple[LinkMap, Process]:
    """What the loader says that is run as `LOADER --list PATH`: it loads the object as a program, and none of its code runs."""
    space = Space(host, None, memo)
    try:
        _map_listed(space, path)
        _load_all(space)
    except RefusedError as refused:
        space.errors.insert(0, refused.error)
    return _freeze(space, path)


def _freeze(space: Space, path: str) -> tuple[LinkMap, Process]:
    """The result of a start. What ended the process stands first: the errors that it printed before do not tell how it ended."""
    space.errors[:] = [
        error if error.text.startswith(("signal: ", "exit ")) else error._replace(text=f"exit 127: {error.text}")
        for error in space.errors
    ]
    return space.freeze(path, space.global_scope)


def _refused(kind: ErrorKind, path: str, text: str) -> RefusedError:
    return RefusedError(LoadError(kind=kind, text=text, object=path, name=path))


def _map_listed(space: Space, path: str) -> None:
    """The object that is listed, which musl itself opens; the texts begin with the name that the loader was run by."""
    loader = space.host.loader.path
    file = space.host.files.stat(path)
    if isinstance(file, int):
        raise _refused("library-missing", path, f"exit 1: {loader}: cannot load {path}: {strerror(file, musl=True)}")
    try:
        facts = map_library(space, space.host.files.facts(file), path)
    except MapError as error:
        raise _refused(error.kind, path, f"exit 1: {loader}: {path}: Not a valid dynamic program") from None
    _add_program(space, Map(path, path, file, facts, Search("program")), path)


def _map_program(space: Space, path: str) -> None:
    """The main program, which the kernel maps: only the kernel's own refusals come before the loader runs."""
    host = space.host
    file = host.files.stat(path)
    if isinstance(file, int):
        raise _refused("library-missing", path, f"{path}: {strerror(file, musl=True)}")
    facts = host.files.facts(file)
    require_known(facts, path)
    if not isinstance(facts, SharedObject) or facts.foreign or facts.header.machine != MACHINES[host.arch]:
        raise _refused("wrong-machine", path, f"{path}: {strerror(_ENOEXEC, musl=True)}")
    if facts.interpreter is not None:
        interpreter = host.files.stat(facts.interpreter)
        if isinstance(interpreter, int):
            raise _refused("library-missing", facts.interpreter, f"{path}: {strerror(_ENOENT, musl=True)}")
        if interpreter != host.files.stat(host.loader.path):
            space.missing.append(Missing("interpreter", f"{path} is started by {facts.interpreter}, not by {host.loader.path}"))
    # Only a running program's $ORIGIN is the resolved directory: it is read from /proc/self/exe.
    _add_program(space, Map(path, path, file, facts, Search("program")), host.files.resolve(path))


def _add_program(space: Space, main: Map, path: str) -> None:
    main.kind = "executable"
    main.origin = origin_of(path)
    space.add(main)


def _load_all(space: Space) -> None:
    """Load what is preloaded and needed, then relocate it all, the program last."""
    main = space.maps[0]
    for name in re.split(r"[\s:]+", space.host.environment.get("LD_PRELOAD", "")):
        # What can't be preloaded is passed over without a word.
        load_library(space, name, None)
    load_dependencies(space, main)
    main.searchlist = space.global_scope = list(space.maps)
    for item in (*space.maps[1:], main) if not space.incomplete else ():
        if not item.relocated:
            relocate(space, item, space.global_scope)


def _check_relr(space: Space, items: Iterable[Map]) -> None:
    """Before 1.2.4 DT_RELR is not known: the pointers in its data stay unrelocated, and a constructor runs into one."""
    if space.errors or space.host.libc.version >= _RELR_SINCE:
        return
    for item in items:
        if item.facts.dynamic is not None and item.facts.dynamic.has_relr:
            evidence = ("DT_RELR is ignored before musl 1.2.4, so pointers in its data stay unrelocated",)
            text = "signal: SIGSEGV"
            space.errors.append(LoadError(kind="relr-unsupported", text=text, object=item.path, evidence=evidence, certain=False))

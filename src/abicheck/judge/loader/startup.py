"""glibc's start of a program: what is in the process before the first dlopen (elf/rtld.c `dl_main`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.judge.loader.closure import map_dependencies, sort_maps
from abicheck.judge.loader.errno import strerror
from abicheck.judge.loader.mapping import check_layout, execstack_mode, wants_executable_stack
from abicheck.judge.loader.relocation import check_relr, relocate, scope_of
from abicheck.judge.loader.search import map_object, origin_of
from abicheck.judge.loader.state import DiedError, Map, Namespace, RefusedError, UnknownError, require_known
from abicheck.judge.loader.static_tls import initial_tls
from abicheck.judge.loader.verify import verify
from abicheck.judge.loader.versions import check_versions
from abicheck.model.elf import SharedObject
from abicheck.model.process import LoadError, Search

if TYPE_CHECKING:
    from abicheck.judge.loader.memo import Memo
    from abicheck.model.host import Host
    from abicheck.model.process import LinkMap, Process


def start(host: Host, path: str, memo: Memo) -> tuple[LinkMap, Process]:
    """Start the program at `path`: its own errors, and the process that a later dlopen works on."""
    space = Namespace(host, None, memo)
    scope: list[Map] = []
    try:
        main = _map_program(space, path)
        scope = _load_all(space, main, path)
    except RefusedError as refused:
        space.errors.append(refused.error)
    except UnknownError as unknown:
        space.missing.append(unknown.missing)
    space.errors[:] = [_as_at_start(error, path) for error in space.errors]
    return space.freeze(path, scope)


def _map_program(space: Namespace, path: str) -> Map:
    """The main program, which the kernel maps: the kernel's refusals are not the loader's, so only its facts are checked."""
    host = space.host
    file = host.files.stat(path)
    if isinstance(file, int):
        raise RefusedError(LoadError(kind="library-missing", text=f"{path}: {strerror(file)}", object=path, name=path))
    facts = host.files.facts(file)
    require_known(facts, path)
    verified = verify(facts, path, host)
    if verified.facts is None:
        text = f"{path}: {strerror(8)}"
        raise RefusedError(LoadError(kind="wrong-machine", text=text, object=path, evidence=(verified.reason,)))
    check_layout(verified.facts, host, path, path, as_program=True)
    # The loader knows the program that the kernel started by no name at all: to open its path maps it anew.
    main = Map("", "", file, verified.facts, Search("program"))
    main.kind = "executable"
    # Only the main program's $ORIGIN is the resolved directory: the kernel gives it as /proc/self/exe (elf/dl-origin.c).
    main.origin = origin_of(host.files.resolve(path), host.cwd)
    space.add(main)
    return main


def _load_all(space: Namespace, main: Map, path: str) -> list[Map]:
    host = space.host
    loader = _map_interpreter(space, main)
    space.stack_executable = wants_executable_stack(main.facts, host)
    _apply_stack_tunable(space, path)
    order = map_dependencies(space, main, _preload(space, main), at_start=True)
    if loader not in order:
        # Nothing needs ld.so by name: it stays in the list of objects, at its end (`dl_main` puts it back in).
        order.append(loader)
    main.searchlist = order
    space.global_scope = order
    for item in order:
        item.checked = True
        check_versions(space, item)
    space.tls = initial_tls(order, host)
    lazy = not host.environment.get("LD_BIND_NOW")
    if not space.errors and not space.incomplete:
        scope = scope_of(order)
        for item in reversed(sort_maps(space, main, order)):
            if item is not loader:
                relocate(space, item, scope, lazy=lazy)
        check_relr(space, order)
    for item in order:
        item.relocated = True
    return order


def _apply_stack_tunable(space: Namespace, path: str) -> None:
    """The tunable glibc.rtld.execstack (elf/dl-execstack-tunable.c): 0 forbids an executable stack, 2 makes it so at once."""
    mode = execstack_mode(space.host)
    if mode == 0 and space.stack_executable:
        text = "exit 127: Fatal glibc error: executable stack is not allowed"
        space.errors.append(LoadError(kind="exec-stack-refused", text=text, object=path, certain=False))
    space.stack_executable |= mode == 2


def _map_interpreter(space: Namespace, main: Map) -> Map:
    """ld.so itself, known by the path in PT_INTERP and by its soname; it has relocated itself."""
    host = space.host
    path = main.facts.interpreter or host.loader.path
    file = host.files.stat(path)
    facts = host.files.facts(file) if not isinstance(file, int) else None
    if not isinstance(facts, SharedObject) or isinstance(file, int):
        raise RefusedError(LoadError(kind="library-missing", text=f"{path}: {strerror(2)}", object=path, name=path))
    loader = Map(path, path, file, facts, Search("interpreter"))
    loader.kind = "library"
    loader.relocated = True
    loader.origin = origin_of(path, host.cwd)
    space.add(loader)
    return loader


def _preload(space: Namespace, main: Map) -> list[Map]:
    """LD_PRELOAD and /etc/ld.so.preload: what can't be loaded is ignored with a warning."""
    found: list[Map] = []
    names = space.host.environment.get("LD_PRELOAD", "").replace(":", " ").split()
    for name in (*names, *space.host.loader.preload):
        try:
            item = map_object(space, name, main, at_start=True)
        except DiedError:
            raise
        except RefusedError:
            continue
        if item not in found and item is not main:
            found.append(item)
    return found


def _as_at_start(error: LoadError, path: str) -> LoadError:
    """The text as the starting program prints it, with the exit status it ends with."""
    if error.text.startswith(("signal: ", "exit ")):
        return error
    if error.kind == "version-missing":
        text = f"exit 1: {path}: {error.text}"
    elif error.kind == "symbol-missing":
        text = f"exit 127: {path}: symbol lookup error: {error.text}"
    else:
        text = f"exit 127: {path}: error while loading shared libraries: {error.text}"
    return error._replace(text=text)

"""Binding an object's references: `find_sym`, `get_lfs64` and `do_relocs` of musl's ldso/dynlink.c."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.judge.loader.errno import strerror
from abicheck.judge.loader.musl.mapping import extent
from abicheck.judge.loader.musl.state import unsure
from abicheck.judge.loader.state import die
from abicheck.judge.loader.verify import MACHINES
from abicheck.model.elf import Fault
from abicheck.model.process import LoadError, Missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from abicheck.judge.loader.musl.state import Space
    from abicheck.judge.loader.state import Map
    from abicheck.model.symbols import Reference

#: NOTYPE, OBJECT, FUNC, COMMON, TLS: not GNU_IFUNC.
_OK_TYPES = (0, 1, 2, 5, 6)
#: GLOBAL, WEAK, GNU_UNIQUE.
_OK_BINDS = (1, 2, 10)
#: The relocation types that musl has (arch/*/reloc.h): IRELATIVE is not among them.
_TYPES = {"x86_64": (1, 2, 5, 6, 7, 8, 16, 17, 18, 36), "aarch64": (257, *range(1024, 1032))}
#: RELATIVE by machine: it stands first in what is made for another one.
_RELATIVE = {62: 8, 183: 1027, 21: 22, 243: 3, 258: 3}
_GLOB_DAT, _DTPMOD = (6, 1025), (16, 1028)
_PT_TLS, _PT_GNU_RELRO = 7, 0x6474E552
_DT_RELA = 7
_ENOMEM = 12
#: From here on LFS64 names, DT_RELR, and raw system calls.
_MODERN = (1, 2, 4)
#: Functions that programs built for glibc call with 64 at the end (`get_lfs64`).
_LFS64_NAMES = """
    aio_cancel aio_error aio_fsync aio_read aio_return aio_suspend aio_write alphasort creat fallocate fgetpos fopen freopen
    fseeko fsetpos fstat fstatat fstatfs fstatvfs ftello ftruncate ftw getdents getrlimit glob globfree lio_listio lockf lseek
    lstat mkostemp mkostemps mkstemp mkstemps mmap nftw open openat posix_fadvise posix_fallocate pread preadv prlimit pwrite
    pwritev readdir scandir sendfile setrlimit stat statfs statvfs tmpfile truncate versionsort __fxstat __fxstatat __lxstat
    __xstat
"""
_LFS64 = {f"{name}64": name for name in _LFS64_NAMES.split()} | {"readdir64_r": "readdir_r"}


def find(name: str, scope: Iterable[Map], *, defined: bool) -> Map | None:
    """The first object that defines `name`: no version is compared, and one that is not the default counts for nothing.

    `defined` passes over PLT entries of executables.
    """
    for item in scope:
        for definition in item.facts.definitions.get(name, ()):
            if definition.fault:
                raise die(Fault("symbol-versions", definition.fault), item.path, f"looking up {name} leads out of the mapping")
            if definition.hidden:
                continue
            undefined = definition.undefined and (defined or definition.tls)
            if not undefined and definition.type in _OK_TYPES and definition.binding in _OK_BINDS:
                return item
            break
    return None


def _find_lfs64(space: Space, name: str, scope: Sequence[Map]) -> Map | None:
    plain = _LFS64.get(name)
    version = space.host.libc.version
    # Before 1.2.6 the buffer is too small for posix_fallocate64.
    if plain is None or version < _MODERN or (version < (1, 2, 6) and len(name) > 16):
        return None
    libc = space.libc()
    return find(plain, scope[scope.index(libc) :] if libc in scope else [libc], defined=True)


def relocate(space: Space, item: Map, scope: Sequence[Map], *, lazy: bool = False) -> None:
    """Bind the references of `item` in `scope` and note the errors; raises `DiedError` where the process dies.

    All errors are noted, as at a program's start; a dlopen ends with the first of them.
    """
    facts, dynamic = item.facts, item.facts.dynamic
    item.relocated = True
    if dynamic is None:
        return
    space.references += len(facts.references)
    lazy = lazy and not dynamic.bind_now
    # DT_JMPREL comes first; then what the reader leaves out, RELATIVE, matters in an object for another machine.
    for reference in facts.references:
        if reference.in_plt:
            _apply(space, item, reference, scope, lazy=lazy)
    machine = facts.header.machine
    if machine != MACHINES[space.host.arch] and dynamic.has_rela and (dynamic.relacount or not facts.references):
        _unsupported(space, item, _RELATIVE.get(machine, 0))
    for reference in facts.references:
        if not reference.in_plt:
            _apply(space, item, reference, scope, lazy=lazy)
    if facts.bad_relative_count or dynamic.has_rel or dynamic.has_jmprel != (dynamic.plt_rel == _DT_RELA):
        space.missing.append(Missing("relocations", f"{item.path} has relocation tables that musl reads otherwise than glibc"))
    fault = facts.fault("relocations") or (facts.fault("relr") if space.host.libc.version >= _MODERN else None)
    if fault and (space.at_start or not space.errors):
        raise unsure(die(fault, item.path, "a relocation table or its target does not lie in writable mapped memory"))
    _protect_relro(space, item)


def _apply(space: Space, item: Map, reference: Reference, scope: Sequence[Map], *, lazy: bool) -> None:
    provider: Map | None = item
    name, facts = reference.name, item.facts
    if name is not None:
        space.last_name = name
        provider = find(name, scope[1:] if reference.kind == "copy" else scope, defined=reference.kind == "plt")
        provider = provider or _find_lfs64(space, name, scope)
        # A weak reference may stay open, but not one to an own definition that is not the default one of its name.
        if provider is None and not (reference.weak and name not in facts.definitions):
            if not lazy or (reference.kind != "plt" and reference.type not in _GLOB_DAT):
                _note_undefined(space, item, name, scope)
            return
    if reference.type not in _TYPES[space.host.arch]:
        _unsupported(space, item, reference.type)
    elif provider is not None:
        if reference.kind == "tls-static" and provider.kind == "loaded":
            _refuse_static_tls(space, item, provider, name)
    elif reference.kind in ("tls-static", "tls-descriptor") or reference.type in _DTPMOD:
        raise die(Fault("relocations", "SIGSEGV"), item.path, f"{name} is thread-local, weak, and defined nowhere")


def _note_undefined(space: Space, item: Map, name: str, scope: Sequence[Map]) -> None:
    """Nothing that is known defines the symbol: an error, but for libraries of which only a part is known."""
    partial = [(other, other.facts.partial) for other in scope if other.facts.partial is not None]
    unsure_of = next((other for other, part in partial if name in part.names), None)
    if unsure_of is not None:
        space.note(Missing("symbol", f"whether {unsure_of.path} defines {name}"))
        return
    text = f"Error relocating {item.path}: {name}: symbol not found"
    certain = not any(part.by_node for _, part in partial)
    space.errors.append(LoadError(kind="symbol-missing", text=text, object=item.path, name=name, certain=certain))


def _refuse_static_tls(space: Space, item: Map, provider: Map, name: str | None) -> None:
    """After a start there is no static TLS to give. For a variable without a name the text shows the name that came before."""
    tls = provider.facts.segment(_PT_TLS)
    if tls is None or not tls.memsz:
        return
    shown = space.last_name if name is None else name
    space.errors.append(
        LoadError(
            kind="static-tls-exhausted",
            text=f"Error relocating {item.path}: {shown}: initial-exec TLS resolves to dynamic definition in {provider.path}",
            object=provider.path,
            name=name,
            evidence=(f"{item.path} wants its {tls.memsz} bytes of thread-local data in static TLS",),
            certain=name is not None,
        )
    )


def _unsupported(space: Space, item: Map, number: int) -> None:
    machine = item.facts.header.machine
    own = machine == MACHINES[space.host.arch]
    space.errors.append(
        LoadError(
            kind="relocation-unsupported" if own else "wrong-machine",
            text=f"Error relocating {item.path}: unsupported relocation type {number & 0x7FFFFFFF}",
            object=item.path,
            evidence=() if own else (f"it is made for another machine: e_machine is {machine}",),
            certain=number > 0,
        )
    )


def _protect_relro(space: Space, item: Map) -> None:
    """PT_GNU_RELRO must lie in the mapping; from 1.2.4 on the text shows an errno that the failed call did not set."""
    relro = item.facts.segment(_PT_GNU_RELRO)
    page = -space.host.page_size
    if relro is None:
        return
    start, end = relro.vaddr & page, relro.vaddr + relro.memsz & page & (1 << 64) - 1
    low, high = extent(item.facts, space.host.page_size)
    if start == end or low <= start < end <= high:
        return
    if space.host.libc.version < _MODERN:
        space.errno = _ENOMEM
    text = f"Error relocating {item.path}: RELRO protection failed: {strerror(space.errno, musl=True)}"
    evidence = f"PT_GNU_RELRO covers {start:#x} to {end:#x}"
    space.errors.append(LoadError(kind="malformed-file", text=text, object=item.path, evidence=(evidence,)))

"""What can go wrong while the loader maps one accepted file: `_dl_map_object_from_fd` of elf/dl-load.c.

These checks depend on the file and the host alone (the executable stack aside), so their outcome is remembered per file.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from abicheck.judge.loader.errno import with_errno
from abicheck.judge.loader.state import DiedError, RefusedError, assertion, die
from abicheck.judge.loader.tunables import tunable
from abicheck.model.elf import Fault
from abicheck.model.process import ErrorKind, LoadError, Missing

if TYPE_CHECKING:
    from abicheck.model.elf import DynamicInfo, Segment, SharedObject, Stage
    from abicheck.model.host import Host

PT_LOAD, PT_DYNAMIC, PT_TLS, PT_GNU_STACK, PT_GNU_RELRO = 1, 2, 7, 0x6474E551, 0x6474E552
_PF_X, _PF_W = 1, 2
_ET_EXEC, _ET_DYN = 2, 3
_DT_RELA = 7
_DF_1_NOOPEN, _DF_1_PIE = 0x40, 0x08000000
_MASK = (1 << 64) - 1
_ENOMEM, _EINVAL = 12, 22
#: The largest hole in a fresh address space of 47 bits (below the program, which lies at 0x55…); mmap of more is ENOMEM.
_LARGEST_HOLE = 0x5555_0000_0000
#: Where a library typically ends (the kernel maps from the top down), and where the address space does.
_TYPICAL_BASE, _TASK_SIZE = 0x7F12_3400_0000, 0x7FFF_FFFF_F000
#: A mapping that ends beyond this offset of a file is EOVERFLOW.
_LARGEST_OFFSET = 1 << 63
_NEAR = 1 << 20  # so near above an object its neighbours lie
_NOT_MAPPED = "failed to map segment from shared object"


class Load(NamedTuple):
    """A PT_LOAD as `struct loadcmd` of elf/dl-load.h: addresses relative to the load address."""

    mapstart: int
    mapend: int
    dataend: int
    allocend: int
    mapoff: int
    writable: bool


def _refused(kind: ErrorKind, path: str, text: str, errno: int = 0, evidence: str = "", *, certain: bool = True) -> RefusedError:
    return RefusedError(
        LoadError(
            kind=kind,
            text=with_errno(f"{path}: {text}", errno),
            object=path,
            evidence=(evidence,) if evidence else (),
            certain=certain,
        )
    )


def load_commands(facts: SharedObject, page_size: int) -> list[Load]:
    """The PT_LOADs in the order of the program headers, rounded to pages."""
    page = ~(page_size - 1)
    return [
        Load(
            mapstart=segment.vaddr & page,
            mapend=(segment.vaddr + segment.filesz + page_size - 1) & page & _MASK,
            dataend=(segment.vaddr + segment.filesz) & _MASK,
            allocend=(segment.vaddr + segment.memsz) & _MASK,
            mapoff=segment.offset & page,
            writable=bool(segment.flags & _PF_W),
        )
        for segment in facts.segments
        if segment.type == PT_LOAD
    ]


def check_layout(facts: SharedObject, host: Host, name: str, path: str, *, as_program: bool = False) -> None:
    """Raise what the loader would meet from the program headers up to the flags in PT_DYNAMIC.

    `name` is what the object was asked for by: most of these texts bear it, not the path. `as_program` is for the main program,
    which may be ET_EXEC or PIE.
    """
    early = host.libc.version >= _DYNAMIC_CHECKED_FIRST
    _check_alignment(facts, host, name)
    loads = load_commands(facts, host.page_size)
    if not loads:
        raise _refused("malformed-file", name, "object file has no loadable segments")
    if facts.header.type != _ET_DYN and not as_program:
        raise _refused("not-a-library", name, "cannot dynamically load executable", evidence="e_type is ET_EXEC")
    if early:
        _check_dynamic(facts, name, empty_counts=True)
    _check_mapping(facts, loads, host, name, path)
    if fault := facts.fault("mapping"):
        raise die(fault, path, f"the file ends at byte {facts.size}, before the data of its segments does")
    if not early:
        _check_dynamic(facts, name, empty_counts=False)
    if facts.dynamic is not None:
        _check_dynamic_info(facts, facts.dynamic, host, path)
        if not as_program:
            _check_flags(facts.dynamic, host, name)
    elif facts.header.type == _ET_DYN:
        # The kernel takes these segments, but no sound object has them: what the loader finds in memory is not known.
        text = "signal: SIGSEGV"
        raise DiedError(LoadError(kind="malformed-file", text=text, object=path, evidence=("absurd segments",), certain=False))


#: From here on a missing PT_DYNAMIC is reported before anything is mapped (elf/dl-load.c).
_DYNAMIC_CHECKED_FIRST = (2, 33)


def _check_alignment(facts: SharedObject, host: Host, name: str) -> None:
    """PT_LOADs must fit the page size; glibc 2.35 gave up to look at p_align (commit 163f625cf9)."""
    page = host.page_size - 1
    old = host.libc.version < (2, 35)
    for segment in facts.segments:
        if segment.type != PT_LOAD:
            continue
        distance = (segment.vaddr - segment.offset) & _MASK
        if old and segment.align & page:
            text = "ELF load command alignment not page-aligned"
        elif old and distance & ((segment.align - 1) & _MASK):
            text = "ELF load command address/offset not properly aligned"
        elif not old and distance & page:
            text = "ELF load command address/offset not page-aligned"
        else:
            continue
        kind: ErrorKind = "page-size-mismatch" if _fits_4k(segment) else "malformed-file"
        where = f"PT_LOAD at {segment.vaddr:#x} from offset {segment.offset:#x}, aligned to {segment.align:#x}"
        raise _refused(kind, name, text, evidence=f"{where}; pages of {host.page_size} bytes")


def _fits_4k(segment: Segment) -> bool:
    """True when only a larger page than 4 KiB makes the segment misaligned."""
    return not (segment.vaddr - segment.offset) & 0xFFF and not segment.align & 0xFFF


def _check_dynamic(facts: SharedObject, name: str, *, empty_counts: bool) -> None:
    dynamic = [segment for segment in facts.segments if segment.type == PT_DYNAMIC]
    addresses = [segment.vaddr for segment in dynamic if segment.filesz]
    absent = not addresses or addresses[-1] == 0
    if (absent and facts.header.type == _ET_DYN) or (empty_counts and any(not segment.filesz for segment in dynamic)):
        evidence = "often a file of separate debug information"
        raise _refused("malformed-file", name, "object file has no dynamic section", evidence=evidence)


def _check_mapping(facts: SharedObject, loads: list[Load], host: Host, name: str, path: str) -> None:
    """The calls of mmap and mprotect that fail: `_dl_map_segments` of elf/dl-map-segments.h."""
    length = (loads[-1].allocend - loads[0].mapstart) & _MASK
    reserve = length
    if host.libc.version >= (2, 35):
        alignments = [s.align for s in facts.segments if s.type == PT_LOAD and s.align and not s.align & (s.align - 1)]
        largest = max(alignments, default=0)
        if largest > host.page_size:
            reserve = length + largest if length >= largest else 2 * largest
    unmappable = not length or reserve > _LARGEST_HOLE or loads[0].mapoff + length >= _LARGEST_OFFSET
    if unmappable or (loads[0].writable and length > host.memory):
        raise _refused("malformed-file", name, _NOT_MAPPED, evidence=f"{length:#x} bytes to map")
    errno = host.policy.exec_mapping_errno(host.files.resolve(path)) if host.policy.exec_mapping else 0
    if errno and any(s.flags & _PF_X for s in facts.segments if s.type == PT_LOAD):
        told = errno if host.libc.version < (2, 20) else 0
        raise _refused("exec-mapping-denied", name, _NOT_MAPPED, told, f"{path} lies on a file system mounted noexec")
    if any(before.mapend != after.mapstart for before, after in itertools.pairwise(loads)):
        hole = loads[-1].mapstart - loads[0].mapend
        if hole < 0 and host.libc.version >= (2, 36):
            raise _refused("malformed-file", name, "ELF load command address/offset not page-aligned")
        if hole < 0:
            raise _refused("malformed-file", name, "cannot change memory protections")
    bias = (_TYPICAL_BASE - length - loads[0].mapstart) & _MASK
    for position, load in enumerate(loads):
        _check_segment(load, bias, host, name, first=not position)


def _check_segment(load: Load, bias: int, host: Host, name: str, *, first: bool) -> None:
    """Map one segment at `bias`, in the arithmetic of 64-bit addresses, and clear or map the zeros behind its data."""
    size = load.mapend - load.mapstart
    start = (bias + load.mapstart) & _MASK
    unmappable = start + size > _TASK_SIZE or load.mapoff + size >= _LARGEST_OFFSET or (load.writable and size > host.memory)
    if not first and size > 0 and unmappable:
        raise _refused("malformed-file", name, _NOT_MAPPED, evidence=f"{size:#x} bytes at {load.mapstart:#x} to map")
    if load.allocend <= load.dataend:
        return
    end = (bias + load.allocend) & _MASK
    page = ((bias + load.dataend + host.page_size - 1) & ~(host.page_size - 1)) & _MASK
    zeros = end - page
    if zeros > 0 and (end > _TASK_SIZE or (load.writable and zeros > host.memory)):
        raise _refused("malformed-file", name, "cannot map zero-fill pages", evidence=f"{zeros:#x} bytes of zeros")


def _check_dynamic_info(facts: SharedObject, dynamic: DynamicInfo, host: Host, path: str) -> None:
    """Reading PT_DYNAMIC: `elf_get_dynamic_info` of elf/get-dynamic-info.h with its assertions."""
    if fault := facts.fault("dynamic"):
        raise die(fault, path, "PT_DYNAMIC does not lie in the mapping")
    if fault := facts.fault("dynamic-write"):
        # From 2.35 on a PT_DYNAMIC that is marked read-only is left as it is (`dl_relocate_ld`).
        segment = [s for s in facts.segments if s.type == PT_DYNAMIC and s.filesz][-1]
        if host.libc.version < (2, 35) or segment.flags & _PF_W:
            raise die(fault, path, "PT_DYNAMIC lies in memory that is not writable")
    malformed = LoadError(kind="malformed-file", text="", object=path)
    for present, size, tag, record, width in (
        (dynamic.plt_rel is not None, dynamic.plt_rel, "DT_PLTREL", "DT_RELA", _DT_RELA),
        (dynamic.has_rela, dynamic.rela_entry, "DT_RELAENT", "sizeof (ElfW(Rela))", 24),
        (dynamic.has_relr and host.libc.version >= (2, 36), dynamic.relr_entry, "DT_RELRENT", "sizeof (ElfW(Relr))", 8),
    ):
        if present and size is None:
            raise die(Fault("dynamic", "SIGSEGV"), path, f"{tag} is missing")
        if present and size != width:
            condition = f"info[{tag}]->d_un.d_val == {record}"
            raise assertion("get-dynamic-info.h", "elf_get_dynamic_info", condition, malformed)


def _check_flags(dynamic: DynamicInfo, host: Host, name: str) -> None:
    if dynamic.flags_1 & _DF_1_PIE and host.libc.version >= (2, 30):
        raise _refused(
            "not-a-library", name, "cannot dynamically load position-independent executable", evidence="DF_1_PIE is set"
        )
    if dynamic.flags_1 & _DF_1_NOOPEN:
        raise _refused("not-a-library", name, "shared object cannot be dlopen()ed", evidence="DF_1_NOOPEN is set")


def wants_executable_stack(facts: SharedObject, host: Host) -> bool:
    """Does the object ask for an executable stack? Without PT_GNU_STACK the machine's default counts (stackinfo.h)."""
    stack = facts.segment(PT_GNU_STACK)
    return bool(stack.flags & _PF_X) if stack is not None else host.arch == "x86_64"


def execstack_mode(host: Host) -> int:
    """The tunable glibc.rtld.execstack: 0 never, 1 at start-up only (the default), 2 from the start; 1 where there is none."""
    return tunable(host, "glibc.rtld.execstack", 1, (0, host.loader.execstack_tunable_max))


def check_stack(facts: SharedObject, host: Host, name: str, *, at_start: bool) -> None:
    """Raise when the stack can't be made executable for `facts`; returns when it can (and then is, for the whole process).

    glibc 2.41 refuses that to dlopen (commit 0ca8785a28); the tunable glibc.rtld.execstack rules it from then on.
    """
    stack = facts.segment(PT_GNU_STACK)
    evidence = f"PT_GNU_STACK has the flags {_flags(stack)}" if stack else "PT_GNU_STACK is missing, which counts as executable"
    text = "cannot enable executable stack as shared object requires"
    if host.libc.version >= (2, 41) and not (at_start and execstack_mode(host) == 1):
        raise _refused("exec-stack-refused", name, text, _EINVAL, evidence)
    if host.policy.exec_stack:
        raise _refused("exec-stack-denied", name, text, host.policy.exec_stack, evidence)


def _flags(segment: Segment) -> str:
    return "".join(letter for letter, bit in (("R", 4), ("W", 2), ("E", 1)) if segment.flags & bit) or "none"


#: What the loader touches once the object is mapped and accepted, in this order, by which glibcs, and what it finds there.
_AFTER_MAPPING: tuple[tuple[Stage, tuple[int, int], tuple[int, int], str], ...] = (
    ("program-headers", (2, 33), (3, 0), "PT_PHDR does not lie in the mapping"),
    ("older-notes", (2, 33), (2, 39), "a note segment does not lie in the mapping"),
    ("notes", (2, 39), (3, 0), "a note segment does not lie in the mapping"),
    ("hash", (2, 17), (3, 0), "the symbol hash table does not lie in the mapping"),
)


def check_tables(facts: SharedObject, host: Host, path: str) -> None:
    """Raise when the loader dies while it reads the notes or sets up the symbol hash table."""
    if host.protection_keys and (fault := facts.fault("execute-only")):
        raise die(fault, path, "tables lie in a segment that can only be executed; this CPU's protection keys forbid to read it")
    for stage, since, before, evidence in _AFTER_MAPPING:
        fault = facts.fault(stage)
        if fault is not None and since <= host.libc.version < before:
            raise die(fault, path, evidence)
    if facts.bad_bloom:
        condition = "(bitmask_nwords & (bitmask_nwords - 1)) == 0"
        file = "dl-setup_hash.c" if host.libc.version >= (2, 34) else "dl-lookup.c"
        raise assertion(file, "_dl_setup_hash", condition, LoadError(kind="malformed-file", text="", object=path))


def check_relro(facts: SharedObject, host: Host, path: str) -> Missing | None:
    """Raise when the pages of PT_GNU_RELRO can't be made read-only because they are not all mapped (`_dl_protect_relro`).

    Just above the object there often is another; whether there is, is a missing fact.
    """
    relro = facts.segment(PT_GNU_RELRO)
    if relro is None or not relro.memsz:
        return None
    page = ~(host.page_size - 1)
    start, end = relro.vaddr & page, (relro.vaddr + relro.memsz) & page & _MASK
    loads = load_commands(facts, host.page_size)
    # A last segment that lies before another one makes what is reserved too short for that, which is mapped all the same.
    first, last = loads[0].mapstart, (max(load.allocend for load in loads) + host.page_size - 1) & page
    if start == end or first <= start < end <= last:
        return None
    if first <= start < end <= last + _NEAR:
        return Missing("memory", f"PT_GNU_RELRO of {path} ends {end - last:#x} bytes above it")
    text = "cannot apply additional memory protection after relocation"
    raise _refused("malformed-file", path, text, _ENOMEM, f"PT_GNU_RELRO covers {start:#x} to {end:#x}", certain=False)

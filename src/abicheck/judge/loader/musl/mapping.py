"""What can go wrong while musl maps a file: `map_library` of ldso/dynlink.c."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.judge.loader.musl.state import unsure
from abicheck.judge.loader.state import die, require_known
from abicheck.model.elf import Fault, Malformed

if TYPE_CHECKING:
    from abicheck.judge.loader.musl.state import Space
    from abicheck.model.elf import ElfFile, Segment, SharedObject
    from abicheck.model.process import ErrorKind

_PT_LOAD, _PT_DYNAMIC = 1, 2
_PF_X, _PF_W = 1, 2
_ET_EXEC, _ET_DYN = 2, 3
_DT_TEXTREL = 22
_PHENTSIZE = 56
_MASK = (1 << 64) - 1
_ENOEXEC, _ENOMEM, _EBUSY, _EISDIR, _EINVAL, _EOVERFLOW = 8, 12, 16, 21, 22, 75
#: The largest hole in a fresh address space of 47 bits (below the program, which lies at 0x55…); mmap of more is ENOMEM.
_LARGEST_HOLE = 0x5555_0000_0000
#: A file offset is a signed number: a mapping that reaches beyond its range is EOVERFLOW.
_LARGEST_OFFSET = (1 << 63) - 1
#: Nothing may be mapped below it (vm.mmap_min_addr).
_LOWEST = 1 << 16


class MapError(Exception):
    """A library cannot be opened or mapped: musl sets errno and gives it up."""

    def __init__(self, kind: ErrorKind, errno: int, evidence: str = "") -> None:
        super().__init__(evidence)
        self.kind: ErrorKind = kind
        self.errno = errno
        self.evidence = evidence


def map_library(space: Space, file: ElfFile, path: str) -> SharedObject:
    """The facts of a file that musl maps; raises `MapError`, or `DiedError` where the process dies."""
    require_known(file, path)
    facts = _check_headers(file.beneath or file)
    loads = [segment for segment in facts.segments if segment.type == _PT_LOAD]
    if not loads:
        raise MapError("malformed-file", _ENOMEM, "it has no PT_LOAD")
    page = -space.host.page_size
    low, high = extent(facts, space.host.page_size)
    first = min(loads, key=lambda load: load.vaddr)
    _check_mmap(space, first, (high - low + (first.offset & page)) & _MASK, path)
    if facts.header.type == _ET_EXEC and low and (low < _LOWEST or _is_taken(space, low, high)):
        raise MapError("not-a-library", _EBUSY, f"e_type is ET_EXEC, and its addresses from {low:#x} on are taken")
    for load in loads:
        length = -(-(load.vaddr + load.memsz) & page) - (load.vaddr & page) & _MASK
        # An empty segment is left alone from 1.2.3 on (`mmap_fixed`).
        if load.vaddr & page != low and (length or space.host.libc.version < (1, 2, 3)):
            _check_mmap(space, load, length, path)
    if fault := facts.fault("mapping"):
        raise die(fault, path, f"the file ends at byte {facts.size}, before the data of its segments does")
    _check_tables(space, facts, path)
    return facts


def extent(facts: SharedObject, page_size: int) -> tuple[int, int]:
    """The first page of the lowest PT_LOAD and the end of the last page of the highest, as addresses in the file."""
    loads = [segment for segment in facts.segments if segment.type == _PT_LOAD]
    low = min(load.vaddr for load in loads)
    high = max(load.vaddr + load.memsz & _MASK for load in loads)
    return low & -page_size, -(-high & -page_size) & _MASK


def _check_headers(file: ElfFile) -> SharedObject:
    """The ELF header and the program headers; musl looks neither at e_ident nor at e_machine."""
    if isinstance(file, Malformed):
        if file.reason in ("is-a-directory", "unreadable"):
            raise MapError("not-elf", file.errno or _EISDIR, "it cannot be read")
        if file.reason == "bad-program-header-offset":
            raise MapError("malformed-file", _EINVAL, "e_phoff is no file offset")
        if file.reason == "not-elf" or not file.size:
            raise MapError("not-elf", _ENOEXEC, "it is no ELF file")
        raise MapError("truncated-file", _ENOEXEC, f"the file ends at byte {file.size}, before its headers do")
    if file.foreign:
        raise MapError("wrong-class", _ENOEXEC, "it is made for another class or byte order")
    if file.header.type not in (_ET_EXEC, _ET_DYN):
        raise MapError("malformed-file", _ENOEXEC, f"e_type is {file.header.type}")
    dynamic = file.segment(_PT_DYNAMIC)
    if dynamic is None or not dynamic.vaddr or file.header.phentsize != _PHENTSIZE:
        raise MapError("malformed-file", _ENOEXEC, "it has no PT_DYNAMIC")
    return file


def _check_mmap(space: Space, load: Segment, length: int, path: str) -> None:
    """One mmap of `length` bytes from the file for `load`."""
    evidence = f"{length:#x} bytes to map for the PT_LOAD at {load.vaddr:#x}"
    writable = load.flags & _PF_W and length > space.host.memory
    if not length:
        raise MapError("malformed-file", _EINVAL, evidence)
    if length > _LARGEST_HOLE:
        raise MapError("malformed-file", _ENOMEM, evidence)
    if (load.offset & -space.host.page_size) + length > _LARGEST_OFFSET:
        raise MapError("malformed-file", _EOVERFLOW, evidence)
    policy = space.host.policy
    errno = policy.exec_mapping_errno(space.host.files.resolve(path)) if load.flags & _PF_X and policy.exec_mapping else 0
    if errno:
        raise MapError("exec-mapping-denied", errno, f"{path} lies on a file system mounted noexec")
    if writable:
        raise MapError("malformed-file", _ENOMEM, evidence)


def _is_taken(space: Space, low: int, high: int) -> bool:
    """True where a loaded object that lies at fixed addresses covers one of these."""
    fixed = [extent(item.facts, space.host.page_size) for item in space.maps if item.facts.header.type == _ET_EXEC]
    return any(start < high and low < end for start, end in fixed)


def _check_tables(space: Space, facts: SharedObject, path: str) -> None:
    """Reading PT_DYNAMIC, and what the first look-up of a symbol in the object meets."""
    dynamic = facts.dynamic
    if dynamic is None:
        raise unsure(die(Fault("dynamic", "SIGSEGV"), path, "its segments cannot be mapped as they stand"))
    if fault := facts.fault("dynamic"):
        raise die(fault, path, "PT_DYNAMIC does not lie in the mapping")
    if _DT_TEXTREL in dynamic.tags and (errno := space.host.policy.text_relocation):
        raise MapError("text-relocation-denied", errno, "DT_TEXTREL: its text cannot be made writable")
    if fault := facts.fault("hash"):
        raise die(fault, path, "the symbol hash table does not lie in the mapping")
    if not (dynamic.has_hash or dynamic.has_gnu_hash):
        raise die(Fault("hash", "SIGSEGV"), path, "it has neither DT_GNU_HASH nor DT_HASH")

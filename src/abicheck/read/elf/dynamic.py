"""The dynamic section as the loader walks it in memory (glibc: elf/get-dynamic-info.h)."""

from __future__ import annotations

from struct import iter_unpack
from typing import TYPE_CHECKING

from abicheck.model.elf import DynamicInfo, Fault
from abicheck.read.elf.header import PT_DYNAMIC
from abicheck.read.elf.image import MemoryAccessError
from abicheck.read.elf.window import Window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from abicheck.model.elf import Segment, Stage
    from abicheck.read.elf.image import Image

DT_NEEDED, DT_PLTRELSZ, DT_PLTGOT, DT_HASH, DT_STRTAB, DT_SYMTAB, DT_RELA, DT_RELASZ, DT_RELAENT, DT_STRSZ = range(1, 11)
DT_SONAME, DT_RPATH, DT_SYMBOLIC, DT_REL, DT_RELENT, DT_PLTREL, DT_TEXTREL, DT_JMPREL = 14, 15, 16, 17, 19, 20, 22, 23
DT_BIND_NOW, DT_RUNPATH, DT_FLAGS, DT_RELRSZ, DT_RELR, DT_RELRENT = 24, 29, 30, 35, 36, 37
DT_GNU_HASH, DT_DEPAUDIT, DT_AUDIT = 0x6FFFFEF5, 0x6FFFFEFB, 0x6FFFFEFC
DT_VERSYM, DT_RELACOUNT, DT_FLAGS_1, DT_VERDEF, DT_VERNEED = 0x6FFFFFF0, 0x6FFFFFF9, 0x6FFFFFFB, 0x6FFFFFFC, 0x6FFFFFFE
DT_X86_64_PLT, DT_AUXILIARY, DT_FILTER = 0x70000000, 0x7FFFFFFD, 0x7FFFFFFF
_DF_SYMBOLIC, _DF_TEXTREL, _DF_BIND_NOW, _DF_1_NOW = 2, 4, 8, 1
#: The pointers to which the loader adds the load address in place. DT_RELR is left out: older loaders do not know it, and where
#: this entry cannot be written the others cannot either.
_ADJUSTED = (DT_HASH, DT_PLTGOT, DT_STRTAB, DT_SYMTAB, DT_RELA, DT_JMPREL, DT_VERSYM, DT_GNU_HASH)
_ENTRY, _RELA = 16, 24
_CHUNK = 64 * _ENTRY


def string_table(image: Image, values: Mapping[int, int]) -> Window:
    """The strings at DT_STRTAB, each up to its NUL, however far that is: the loader knows no DT_STRSZ.

    What DT_STRSZ promises is at hand if all of it is there and ends in a NUL.
    """
    address = values.get(DT_STRTAB)
    raw = None if address is None else image.file_slice(address, values.get(DT_STRSZ, 0))
    return Window(raw if raw and raw[-1] == 0 else b"", address, image)


def decode(name: bytes) -> str:
    """A name as text; bytes that are no UTF-8 come as surrogates, as in file names."""
    return name.decode("utf-8", "surrogateescape")


class Dynamic:
    """The entries of a dynamic section: in their order, and by tag the last one."""

    __slots__ = ("address", "entries", "values")

    def __init__(self, address: int, entries: Sequence[tuple[int, int]]) -> None:
        self.address = address
        self.entries = entries
        self.values: dict[int, int] = dict(entries)

    def write_fault(self, image: Image) -> Fault | None:
        """The fault of adding the load address to the pointers of the section."""
        if not self.entries or not image.write_fault(self.address, len(self.entries) * _ENTRY):
            return None
        last = {tag: index for index, (tag, _) in enumerate(self.entries)}
        for tag in _ADJUSTED:
            if tag in last:
                signal = image.write_fault(self.address + last[tag] * _ENTRY + 8, 8)
                if signal:
                    return Fault("dynamic-write", signal)
        return None


def dynamic_address(segments: Sequence[Segment]) -> int:
    """The address of the dynamic section, 0 for none; a debuginfo file's empty one does not count."""
    address = 0
    for segment in segments:
        if segment.type == PT_DYNAMIC and segment.filesz:
            address = segment.vaddr
    return address


def read_dynamic(image: Image, address: int) -> tuple[Dynamic, Fault | None]:
    """Walk from `address` to DT_NULL, wherever that is."""
    entries: list[tuple[int, int]] = []
    at = address
    while True:
        piece, signal = image.take(at, _CHUNK)
        for tag, value in iter_unpack("<QQ", piece[: len(piece) - len(piece) % _ENTRY]):
            if tag == 0:
                return Dynamic(address, entries), None
            entries.append((tag, value))
        if signal:
            return Dynamic(address, ()), Fault("dynamic", signal)
        at += _CHUNK


class _Reader:
    """Reads the strings that dynamic entries point to, noting the first fault of each stage."""

    def __init__(self, dynamic: Dynamic, strings: Window) -> None:
        self._dynamic = dynamic
        self._strings = strings
        self.faults: list[Fault] = []

    def one(self, tag: int, stage: Stage | None) -> str | None:
        """The string of the entry that counts; `stage` None for one that the loader does not read."""
        offset = self._dynamic.values.get(tag)
        texts = self._texts(() if offset is None else (offset,), stage)
        return texts[0] if texts else None

    def every(self, stage: Stage | None, *tags: int) -> tuple[str, ...]:
        """The strings of all entries of `tags`, in their order, up to the first that cannot be read."""
        if not any(tag in self._dynamic.values for tag in tags):
            return ()
        return self._texts([value for tag, value in self._dynamic.entries if tag in tags], stage)

    def _texts(self, offsets: Sequence[int], stage: Stage | None) -> tuple[str, ...]:
        texts: list[str] = []
        try:
            for offset in offsets:
                texts.append(decode(self._strings.string(offset)))  # noqa: PERF401 - what precedes a fault is kept
        except MemoryAccessError as error:
            if stage and all(fault.stage != stage for fault in self.faults):
                self.faults.append(Fault(stage, error.signal))
        return tuple(texts)


def describe(dynamic: Dynamic, strings: Window) -> tuple[DynamicInfo, list[Fault]]:
    """The section's facts, and the faults of reading its strings. The names before a DT_NEEDED that cannot be read are kept."""
    values = dynamic.values
    reader = _Reader(dynamic, strings)
    flags, flags_1 = values.get(DT_FLAGS, 0), values.get(DT_FLAGS_1, 0)
    info = DynamicInfo(
        needed=reader.every("needed", DT_NEEDED),
        soname=reader.one(DT_SONAME, "soname"),
        rpath=reader.one(DT_RPATH, None if DT_RUNPATH in values else "search-path"),  # never looked at beside DT_RUNPATH
        runpath=reader.one(DT_RUNPATH, "search-path"),
        flags=flags,
        flags_1=flags_1,
        textrel=DT_TEXTREL in values or bool(flags & _DF_TEXTREL),
        symbolic=DT_SYMBOLIC in values or bool(flags & _DF_SYMBOLIC),
        bind_now=DT_BIND_NOW in values or bool(flags & _DF_BIND_NOW or flags_1 & _DF_1_NOW),
        has_relr=DT_RELR in values,
        has_rela=DT_RELA in values,
        null_rela=-(-values.get(DT_RELASZ, 0) // _RELA) if values.get(DT_RELA) == 0 else 0,
        has_rel=DT_REL in values,
        has_jmprel=DT_JMPREL in values,
        rela_entry=values.get(DT_RELAENT),
        rel_entry=values.get(DT_RELENT),
        relr_entry=values.get(DT_RELRENT),
        plt_rel=values.get(DT_PLTREL),
        has_strtab=DT_STRTAB in values,
        has_symtab=DT_SYMTAB in values,
        has_hash=DT_HASH in values,
        has_gnu_hash=DT_GNU_HASH in values,
        has_versym=DT_VERSYM in values,
        has_verneed=DT_VERNEED in values,
        has_verdef=DT_VERDEF in values,
        filters=reader.every("needed", DT_FILTER),
        auxiliaries=reader.every("needed", DT_AUXILIARY),
        audits=reader.every(None, DT_AUDIT, DT_DEPAUDIT),
        x86_64_plt=DT_X86_64_PLT in values,
        relacount=values.get(DT_RELACOUNT, 0),
        tags=tuple(tag for tag, _ in dynamic.entries),
    )
    return info, reader.faults

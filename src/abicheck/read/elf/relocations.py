"""Which relocations the loader applies, in which order, and whether it can write where they point (glibc: elf/do-rel.h)."""

from __future__ import annotations

from bisect import bisect_left
from struct import iter_unpack
from typing import TYPE_CHECKING, NamedTuple

from abicheck.read.elf.dynamic import (
    DT_JMPREL,
    DT_PLTREL,
    DT_PLTRELSZ,
    DT_RELA,
    DT_RELACOUNT,
    DT_RELASZ,
    DT_RELR,
    DT_RELRSZ,
    DT_SYMTAB,
)
from abicheck.read.elf.header import MASK
from abicheck.read.elf.image import MemoryAccessError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from abicheck.read.elf.image import Image
    from abicheck.read.elf.machines import Machine

RELA_SIZE = 24
_CHUNK = RELA_SIZE * 4096
#: Larger tables are read piece by piece; the largest libraries have about 30 MB.
_LARGEST = 1 << 26
#: A table of this size ends beyond the end of the address space: the loop over it ends before it begins.
_WRAPS = 2**64 - 2**47


class Run(NamedTuple):
    """Relocations that are applied one after the other; the loader takes those of a `relative` run for RELATIVE unseen."""

    address: int
    size: int
    relative: bool = False
    in_plt: bool = False

    @property
    def length(self) -> int:
        """The bytes that are read: a last relocation cut short by the size is applied all the same."""
        return self.size + -self.size % RELA_SIZE


def _required(values: Mapping[int, int], tag: int) -> int:
    value = values.get(tag)
    if value is None:
        raise MemoryAccessError("SIGSEGV")  # the loader follows a null pointer in l_info
    return value


def relocation_runs(values: Mapping[int, int]) -> list[Run]:
    """The runs as `_ELF_DYNAMIC_DO_RELOC` in elf/dynamic-link.h makes them: DT_JMPREL may be the tail of DT_RELA."""
    start = size = relative = 0
    if values.get(DT_RELA):
        start, size, relative = values[DT_RELA], _required(values, DT_RELASZ), values.get(DT_RELACOUNT, 0) * RELA_SIZE & MASK
        if relative >= _WRAPS:
            relative -= 2**64
    runs: list[Run] = []
    if DT_PLTREL in values:
        plt, plt_size = _required(values, DT_JMPREL), _required(values, DT_PLTRELSZ)
        if start + size & MASK == plt + plt_size & MASK:
            size -= plt_size
        if start and start + size & MASK == plt and (size < relative or size % RELA_SIZE):
            size += plt_size  # one loop over both, which starts behind what DT_RELACOUNT counts
        else:
            runs = [Run(plt, plt_size, in_plt=True)]
    rela = [Run(start, relative, relative=True), Run(start + relative & MASK, size - relative)]
    return [run for run in (*rela, *runs) if 0 < run.size < _WRAPS]


class Tables(NamedTuple):
    """Relocations that can all be read and written: by run, whether it is DT_JMPREL, and the `r_info` of each as bytes."""

    runs: tuple[tuple[bool, bytes], ...]
    #: How many symbols they need.
    symbols: int


class Relocations(NamedTuple):
    """The relocations of one object. `text` is true for an object with DT_TEXTREL; `tables` is None if they need walking."""

    machine: Machine
    runs: list[Run]
    tables: Tables | None
    text: bool


def read_relocations(image: Image, machine: Machine, values: Mapping[int, int], *, text: bool) -> Relocations:
    """The object's DT_RELA and DT_JMPREL; raises where the loader dies before the first of them."""
    _required(values, DT_SYMTAB)  # looked up first, even if no relocation follows
    runs = relocation_runs(values)
    return Relocations(machine, runs, _read_tables(image, machine, runs, text=text), text)


def _read_tables(image: Image, machine: Machine, runs: list[Run], *, text: bool) -> Tables | None:
    """The relocations at one glance, None where only walking them shows how far the loader gets."""
    stretches = image.writable(text=text)
    infos: list[tuple[bool, bytes]] = []
    symbols = 0
    for run in runs:
        table = image.file_slice(run.address, run.length) if run.length <= _LARGEST else None
        if table is None:
            return None
        words = memoryview(table).cast("Q")
        if not _all_writable(words[::3].tolist(), stretches):
            return None
        if not run.relative:
            infos.append((run.in_plt, words[1::3].tobytes()))
            # The upper half of `r_info` is the symbol.
            symbols = max(symbols, max(memoryview(table).cast("I")[3::6].tolist()) + 1)
        elif machine.checks_relative and not _all_relative(table, machine):
            return None
    return Tables(tuple(infos), symbols)


def _all_relative(table: bytes, machine: Machine) -> bool:
    """True if all types (the low half of `r_info`) are the machine's ordinary RELATIVE."""
    relative = min(machine.relative).to_bytes(4, "little")
    count = len(table) // RELA_SIZE
    return all(table[8 + place :: RELA_SIZE] == relative[place : place + 1] * count for place in range(4))


def _all_writable(offsets: list[int], stretches: list[tuple[int, int]]) -> bool:
    """True if the 64-bit words at all `offsets` lie in these stretches of memory."""
    offsets.sort()  # most are in order, and then this is the fastest way to the lowest and the highest
    if any(start <= offsets[0] and offsets[-1] + 8 <= end for start, end in stretches):
        return True
    inside = sum(max(bisect_left(offsets, end - 7) - bisect_left(offsets, start), 0) for start, end in stretches)
    return inside == len(offsets)


def walk_run(image: Image, run: Run) -> Iterator[tuple[int, int]]:
    """`r_offset` and `r_info` of each relocation, as far as the loader gets."""
    for piece in image.chunks(run.address, run.length, _CHUNK):
        for offset, info, _ in iter_unpack("<QQQ", piece[: len(piece) - len(piece) % RELA_SIZE]):
            yield offset, info


def apply_relr(image: Image, values: Mapping[int, int], *, text: bool) -> None:
    """Write where DT_RELR says, as `ELF_DYNAMIC_DO_RELR` in elf/dynamic-link.h does; raises where the loader would die."""
    if DT_RELR not in values:
        return
    size = _required(values, DT_RELRSZ)
    stretches = image.writable(text=text)
    at: int | None = None
    for piece in image.chunks(values[DT_RELR], size if size < _WRAPS else 0, _CHUNK):
        for (entry,) in iter_unpack("<Q", piece[: len(piece) - len(piece) % 8]):
            if entry & 1:
                words, length = entry >> 1, 63 * 8
            else:
                at, words, length = entry, 1, 8
            if at is None or not any(start <= at and at + length <= end for start, end in stretches):
                _write_words(image, at, words, text=text)
            if at is not None:
                at = at + length & MASK


def _write_words(image: Image, at: int | None, words: int, *, text: bool) -> None:
    """Write the words from `at` whose bits are set; without an address the loader writes near a null pointer."""
    for bit in range(words.bit_length()):
        if words >> bit & 1:
            if at is None:
                raise MemoryAccessError("SIGSEGV")
            image.write(at + 8 * bit & MASK, 8, text=text)

"""The few facts of a sound 64-bit little-endian ELF file that an edit needs, read with plain `struct`.

It shares no code with abicheck's reader, on purpose: what makes the corpus must not agree with what is tested by construction.
"""

from __future__ import annotations

import struct
from functools import cached_property
from typing import NamedTuple

PT_LOAD, PT_DYNAMIC, PT_NOTE, PT_TLS = 1, 2, 4, 7
PT_GNU_STACK, PT_GNU_RELRO, PT_GNU_PROPERTY = 0x6474E551, 0x6474E552, 0x6474E553
DT_NULL, DT_NEEDED, DT_PLTRELSZ, DT_HASH, DT_STRTAB, DT_SYMTAB, DT_RELA, DT_RELASZ = 0, 1, 2, 4, 5, 6, 7, 8
DT_STRSZ, DT_SONAME, DT_RPATH, DT_DEBUG, DT_JMPREL, DT_RUNPATH = 10, 14, 15, 21, 23, 29
DT_GNU_HASH, DT_VERSYM, DT_VERDEF, DT_VERDEFNUM = 0x6FFFFEF5, 0x6FFFFFF0, 0x6FFFFFFC, 0x6FFFFFFD
DT_VERNEED, DT_VERNEEDNUM = 0x6FFFFFFE, 0x6FFFFFFF


class Segment(NamedTuple):
    """One program header and where it stands in the file."""

    position: int
    type: int
    flags: int
    offset: int
    vaddr: int
    filesz: int
    memsz: int
    align: int


class Entry(NamedTuple):
    """One entry of the dynamic section and where it stands in the file."""

    position: int
    tag: int
    value: int


class Symbol(NamedTuple):
    """One dynamic symbol, where it stands and where its name does; `number` is its index."""

    position: int
    number: int
    name: bytes
    name_position: int
    info: int
    section: int


class Relocation(NamedTuple):
    """One RELA entry, where it stands, and the table it is in."""

    position: int
    table: str
    type: int
    symbol: int


class Aux(NamedTuple):
    """One Vernaux: where it stands and where its name does."""

    position: int
    name: bytes
    name_position: int


class Need(NamedTuple):
    """One Verneed: where it stands, the file it names, and what it wants from that."""

    position: int
    file: bytes
    versions: tuple[Aux, ...]


class Image:
    """A file and its tables, each read when it is asked for."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    @property
    def size(self) -> int:
        return len(self.data)

    def unpack(self, form: str, position: int) -> tuple[int, ...]:
        """The integers that lie at `position`."""
        return struct.unpack_from("<" + form, self.data, position)

    @cached_property
    def phoff(self) -> int:
        return self.unpack("Q", 32)[0]

    @cached_property
    def segments(self) -> list[Segment]:
        """The program headers."""
        found = []
        for index in range(self.unpack("H", 56)[0]):
            position = self.phoff + 56 * index
            kind, flags, offset, vaddr, _, filesz, memsz, align = self.unpack("IIQQQQQQ", position)
            found.append(Segment(position, kind, flags, offset, vaddr, filesz, memsz, align))
        return found

    def of_type(self, kind: int) -> list[Segment]:
        """The program headers of one type."""
        return [segment for segment in self.segments if segment.type == kind]

    def offset(self, address: int) -> int:
        """The file position of what is mapped at `address`."""
        for load in self.of_type(PT_LOAD):
            if load.vaddr <= address < load.vaddr + load.filesz:
                return address - load.vaddr + load.offset
        raise ValueError(f"{address:#x} is mapped from no part of the file")

    @cached_property
    def dynamic(self) -> list[Entry]:
        """The entries up to the first DT_NULL, which is the last one here."""
        found: list[Entry] = []
        for segment in self.of_type(PT_DYNAMIC):
            for position in range(segment.offset, segment.offset + segment.filesz, 16):
                found.append(Entry(position, *self.unpack("QQ", position)))
                if found[-1].tag == DT_NULL:
                    break
        return found

    @cached_property
    def spare(self) -> list[int]:
        """The positions of entries after the first DT_NULL but one: linkers leave some, and an edit may fill them."""
        (segment,) = self.of_type(PT_DYNAMIC)
        return list(range(self.dynamic[-1].position, segment.offset + segment.filesz - 16, 16))

    def values(self, tag: int) -> list[int]:
        """The values of every entry with `tag`."""
        return [entry.value for entry in self.dynamic if entry.tag == tag]

    def value(self, tag: int) -> int:
        """The value of the entry with `tag`, 0 where there is none."""
        return next(iter(self.values(tag)), 0)

    @cached_property
    def strings(self) -> int:
        """The file position of .dynstr."""
        return self.offset(self.value(DT_STRTAB))

    def string(self, position: int) -> bytes:
        """The bytes at `position` up to the next zero."""
        return self.data[position : self.data.index(b"\0", position)]

    @cached_property
    def symbols(self) -> list[Symbol]:
        """Every dynamic symbol but the first."""
        start = self.offset(self.value(DT_SYMTAB))
        found = []
        for index in range(1, self._symbol_count()):
            name, info, _, section = self.unpack("IBBH", start + 24 * index)
            where = self.strings + name
            found.append(Symbol(start + 24 * index, index, self.string(where), where, info, section))
        return found

    def _symbol_count(self) -> int:
        """What the hash table or the relocations reach: no table tells the number itself."""
        referenced = max((relocation.symbol + 1 for relocation in self.relocations), default=1)
        if self.value(DT_HASH):
            return max(referenced, self.unpack("I", self.offset(self.value(DT_HASH)) + 4)[0])
        if not self.value(DT_GNU_HASH):
            return referenced
        start = self.offset(self.value(DT_GNU_HASH))
        buckets, first, words, _ = self.unpack("IIII", start)
        table = start + 16 + 8 * words
        last = max(self.unpack(f"{buckets}I", table), default=0)
        if last < first:
            return max(referenced, first)
        while not self.unpack("I", table + 4 * (buckets + last - first))[0] & 1:
            last += 1
        return max(referenced, last + 1)

    @cached_property
    def relocations(self) -> list[Relocation]:
        """The entries of DT_RELA and DT_JMPREL."""
        found = []
        for table, tag, size in (("rela", DT_RELA, DT_RELASZ), ("jmprel", DT_JMPREL, DT_PLTRELSZ)):
            if self.value(tag):
                start = self.offset(self.value(tag))
                for position in range(start, start + self.value(size), 24):
                    kind, symbol = self.unpack("II", position + 8)
                    found.append(Relocation(position, table, kind, symbol))
        return found

    @cached_property
    def needs(self) -> list[Need]:
        """The version needs."""
        found: list[Need] = []
        position = self.offset(self.value(DT_VERNEED)) if self.value(DT_VERNEED) else 0
        while position:
            _, _, file, aux, following = self.unpack("HHIII", position)
            found.append(Need(position, self.string(self.strings + file), tuple(self._versions(position + aux))))
            position = position + following if following else 0
        return found

    def _versions(self, position: int) -> list[Aux]:
        found = []
        while position:
            _, _, _, name, following = self.unpack("IHHII", position)
            found.append(Aux(position, self.string(self.strings + name), self.strings + name))
            position = position + following if following else 0
        return found

    @cached_property
    def definitions(self) -> list[int]:
        """The positions of the version definitions."""
        found: list[int] = []
        position = self.offset(self.value(DT_VERDEF)) if self.value(DT_VERDEF) else 0
        while position:
            found.append(position)
            following = self.unpack("I", position + 16)[0]
            position = position + following if following else 0
        return found

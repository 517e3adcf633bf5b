"""The ELF header and the program headers, read from the file as glibc's `open_verify` reads them."""

from __future__ import annotations

import errno
from struct import Struct
from typing import TYPE_CHECKING, TypeAlias

from abicheck.model.elf import Header, Malformed, Segment

if TYPE_CHECKING:
    from mmap import mmap

    Bytes: TypeAlias = bytes | mmap

MASK = 2**64 - 1
#: glibc reads this many bytes of a file before it looks at them (`struct filebuf` in elf/dl-load.c).
BUFFER = 832
PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE, PT_PHDR, PT_GNU_PROPERTY = 1, 2, 3, 4, 6, 0x6474E553
ET_DYN = 3

_EHDR_SIZE = 64
_PHDR = Struct("<IIQQ8xQQQ")
_EHDR = Struct("<16xHHIQQQIHHH")


def read_header(data: Bytes) -> Header | None:
    """The ELF header, decoded as its own class and byte order ask; None where the file is not ELF or too short."""
    if len(data) < _EHDR_SIZE or data[:4] != b"\x7fELF":
        return None
    ident = data[:16]
    if ident[4:6] == b"\2\1":
        layout = _EHDR
    else:
        layout = Struct((">" if ident[5] == 2 else "<") + ("16xHHIIIIIHHH" if ident[4] == 1 else "16xHHIQQQIHHH"))
    kind, machine, version, _entry, phoff, _shoff, _flags, _ehsize, phentsize, phnum = layout.unpack_from(data[:_EHDR_SIZE])
    return Header(ident=ident, type=kind, machine=machine, version=version, phoff=phoff, phentsize=phentsize, phnum=phnum)


def is_foreign(header: Header) -> bool:
    """True for a file that no 64-bit little-endian loader looks into."""
    return header.ident[4:6] != b"\2\1"


def read_segments(data: Bytes, header: Header) -> tuple[Segment, ...] | Malformed:
    """The program headers from where glibc takes them: the first bytes of the file if they lie there, else pread."""
    size = len(data)
    length = header.phnum * _PHDR.size
    end = header.phoff + length & MASK
    if end > min(BUFFER, size):
        if header.phoff >= 2**63:
            return Malformed(reason="bad-program-header-offset", size=size, header=header, errno=errno.EINVAL)
        if length and end > size:
            return Malformed(reason="short-program-headers", size=size, header=header)
    return decode_segments(data[header.phoff : header.phoff + length])


def decode_segments(table: bytes) -> tuple[Segment, ...]:
    """Program headers from their bytes, as many as are whole."""
    table = table[: len(table) - len(table) % _PHDR.size]
    return tuple(map(Segment._make, _PHDR.iter_unpack(table)))


def read_foreign_segments(data: Bytes, header: Header) -> tuple[Segment, ...]:
    """The program headers of another class or byte order, as far as the file holds them."""
    order = ">" if header.data == 2 else "<"
    if header.elf_class == 1:
        layout, fields = Struct(order + "IIIIIIII"), (0, 6, 1, 2, 4, 5, 7)
    else:
        layout, fields = Struct(order + "IIQQQQQQ"), (0, 1, 2, 3, 5, 6, 7)
    table = data[header.phoff : header.phoff + header.phnum * layout.size]
    table = table[: len(table) - len(table) % layout.size]
    return tuple(Segment._make(row[field] for field in fields) for row in layout.iter_unpack(table))

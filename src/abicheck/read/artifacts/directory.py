"""The central directory of a zip archive: what it says of each member (PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3)."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, NamedTuple

from abicheck.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

#: More members than any wheel has (the largest in use hold some ten thousand files).
MAX_MEMBERS = 200_000

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_END64_LOCATOR_SIZE = 20
#: The end records with the longest comment.
_LONGEST_TAIL = (1 << 16) + 128
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_EXTRA = struct.Struct("<2H")
_UTF8 = 0x800
#: In tenths: what Python's zipfile reads at most, and with it every installer (MAX_EXTRACT_VERSION).
_NEWEST_FORMAT = 63
_ZIP64 = 1
_IN_ZIP64 = 0xFFFFFFFF


class Entry(NamedTuple):
    """What the central directory says of a member; `header` is where its local header starts in the file."""

    raw_name: bytes
    name: str
    flags: int
    method: int
    crc: int
    compressed: int
    size: int
    header: int


def read_directory(file: BinaryIO, given: str) -> tuple[list[Entry], int]:
    """All entries in their order, and where the directory starts. Raises `TargetError`."""
    try:
        start, size, shift = _find(file, given)
        file.seek(start)
        return list(_entries(file.read(size), shift, given)), start
    except struct.error:
        raise TargetError("its directory of files is damaged; fetch it again", given) from None
    except UnicodeDecodeError as error:
        raise TargetError(f"the file name {error.object!r} in it is no UTF-8; no installer takes such a wheel", given) from None


def zip64(extra: bytes, *values: int) -> list[int]:
    """Size, compressed size and offset, those that did not fit in 32 bits taken from the extra field."""
    found = list(values)
    at = 0
    while at + _EXTRA.size <= len(extra) and _IN_ZIP64 in found:
        kind, length = _EXTRA.unpack_from(extra, at)
        at += _EXTRA.size
        if kind == _ZIP64:
            field = extra[at : at + length]
            for index, value in enumerate(found):
                if value == _IN_ZIP64 and len(field) >= 8:
                    found[index], field = int.from_bytes(field[:8], "little"), field[8:]
        at += length
    return found


def _find(file: BinaryIO, given: str) -> tuple[int, int, int]:
    """Where the central directory starts, its size, and how many bytes stand before the archive."""
    length = file.seek(0, os.SEEK_END)
    first = max(0, length - _LONGEST_TAIL)
    file.seek(first)
    tail = file.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or at + _END.size > len(tail):
        file.seek(0)
        if file.read(4) == b"PK\3\4":
            raise TargetError("it is cut short: the end of the archive is missing; fetch it again", given)
        raise TargetError("no zip archive, so no wheel; give a .whl", given)
    _, _, _, _, count, size, offset, _ = _END.unpack_from(tail, at)
    end = first + at
    locator = at - _END64_LOCATOR_SIZE
    if locator >= _END64.size and tail[locator : locator + 4] == b"PK\6\7":
        signature, *_, count, size, offset = _END64.unpack_from(tail, locator - _END64.size)
        end -= _END64.size + _END64_LOCATOR_SIZE
        if signature != b"PK\6\6":
            raise struct.error
    # Not all writers count right, so entries are counted again below; this is about memory.
    if count > MAX_MEMBERS or size > MAX_MEMBERS * 4 * _CENTRAL.size:
        raise TargetError(f"it lists {count} files; abicheck reads up to {MAX_MEMBERS}", given)
    if offset + size > end:
        raise struct.error
    return end - size, size, end - size - offset


def _entries(directory: bytes, shift: int, given: str) -> Iterator[Entry]:
    at = count = 0
    while at < len(directory):
        count += 1
        signature, *numbers = _CENTRAL.unpack_from(directory, at)
        _, needed, flags, method, _, _, crc, compressed, size, name, extra, comment, _, _, _, header = numbers
        if signature != b"PK\1\2" or count > MAX_MEMBERS:
            raise struct.error
        if needed & 0xFF > _NEWEST_FORMAT:
            raise TargetError(f"it is of zip format {(needed & 0xFF) / 10}; installers read up to 6.3", given)
        at += _CENTRAL.size
        raw = directory[at : at + name]
        size, compressed, header = zip64(directory[at + name : at + name + extra], size, compressed, header)
        at += name + extra + comment
        yield Entry(raw, raw.decode("utf-8" if flags & _UTF8 else "cp437"), flags, method, crc, compressed, size, header + shift)

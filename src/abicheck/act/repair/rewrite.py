"""A zip archive with other content in some members and every other byte as it was (PKWARE's APPNOTE.TXT 6.3.10, section 4.3)."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

from abicheck.errors import TargetError
from abicheck.read.artifacts.directory import read_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from mmap import mmap
    from typing import BinaryIO, TypeAlias

    from abicheck.read.artifacts.directory import Entry

    #: Opens the new content of a member for as long as it is written.
    Opener: TypeAlias = Callable[[], AbstractContextManager[bytes | bytearray | mmap]]

_BLOCK = 1 << 20
_LOCAL_SIZE, _CENTRAL_SIZE, _END_SIZE = 30, 46, 22
#: Flags, then checksum, size compressed and size, in a local header and in an entry of the directory.
_LOCAL_AT, _CENTRAL_AT = (6, 14), (8, 16)
_CENTRAL_NAME_AT, _CENTRAL_HEADER_AT, _END_START_AT = 28, 42, 16
_SIZES_FOLLOW = 8
_ZIP64 = 1
_DEFLATED = 8
_LIMIT = 0xFFFFFFFF


class _Written(NamedTuple):
    crc: int
    compressed: int
    size: int


def rewrite(source: BinaryIO, target: BinaryIO, changed: Mapping[int, Opener], given: str) -> None:
    """Copy an archive that `read.artifacts.archive` takes, with new content for the members of these numbers.

    Order, names, times and attributes stay; a changed member has its sizes in front, wherever it had them. Raises `TargetError`
    for what is of zip64 where something changes.
    """
    entries, start = read_directory(source, given)
    order = sorted(range(len(entries)), key=lambda number: entries[number].header)
    ends = [*(entries[number].header for number in order[1:]), start]
    shifts: dict[int, int] = {}
    written: dict[int, _Written] = {}
    _copy(source, target, 0, entries[order[0]].header)
    for number, end in zip(order, ends, strict=True):
        entry = entries[number]
        shifts[number] = target.tell() - entry.header
        if number in changed:
            written[number] = _write(source, target, entry, changed[number], given)
        else:
            _copy(source, target, entry.header, end)
    moved = target.tell() - start
    source.seek(start)
    target.write(_directory(bytearray(source.read()), shifts, written, moved, given))


def _copy(source: BinaryIO, target: BinaryIO, start: int, end: int) -> None:
    source.seek(start)
    while start < end and (block := source.read(min(_BLOCK, end - start))):
        target.write(block)
        start += len(block)


def _write(source: BinaryIO, target: BinaryIO, entry: Entry, opener: Opener, given: str) -> _Written:
    """Write a member with its new content; its local header is filled in when its sizes are known."""
    source.seek(entry.header)
    fixed = source.read(_LOCAL_SIZE)
    name, extra = struct.unpack_from("<2H", fixed, 26)
    head = bytearray(fixed + source.read(name + extra))
    if any(kind == _ZIP64 for kind in _extras(head[_LOCAL_SIZE + name :])):
        raise _zip64(given)
    at = target.tell()
    target.write(head)
    with opener() as content:
        target.writelines(_compressed(content, deflated=entry.method == _DEFLATED))
        crc = zlib.crc32(content)
        size = len(content)
    end = target.tell()
    result = _Written(crc, end - at - len(head), size)
    _fill(head, _LOCAL_AT, result, 0, given)
    target.seek(at)
    target.write(head)
    target.seek(end)
    return result


def _compressed(content: bytes | bytearray | mmap, *, deflated: bool) -> Iterator[bytes]:
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    for start in range(0, len(content), _BLOCK):
        piece = content[start : start + _BLOCK]
        yield deflater.compress(piece) if deflated else bytes(piece)
    if deflated:
        yield deflater.flush()


def _fill(record: bytearray, places: tuple[int, int], written: _Written, at: int, given: str) -> None:
    """Put flags, checksum and sizes into a header that starts at `at`."""
    if max(written) > _LIMIT or max(written[1:]) == _LIMIT:
        raise _zip64(given)
    flags_at, numbers_at = places
    (flags,) = struct.unpack_from("<H", record, at + flags_at)
    struct.pack_into("<H", record, at + flags_at, flags & ~_SIZES_FOLLOW)
    struct.pack_into("<3L", record, at + numbers_at, *written)


def _directory(tail: bytearray, shifts: Mapping[int, int], written: Mapping[int, _Written], moved: int, given: str) -> bytearray:
    """The central directory and the end record, with what has moved or changed."""
    at = 0
    for number in range(len(shifts)):
        name, extra, comment = struct.unpack_from("<3H", tail, at + _CENTRAL_NAME_AT)
        (header,) = struct.unpack_from("<L", tail, at + _CENTRAL_HEADER_AT)
        sizes = struct.unpack_from("<2L", tail, at + _CENTRAL_AT[1] + 4)
        if _LIMIT in (header, *sizes) or header + shifts[number] >= _LIMIT:
            raise _zip64(given)
        struct.pack_into("<L", tail, at + _CENTRAL_HEADER_AT, header + shifts[number])
        if number in written:
            _fill(tail, _CENTRAL_AT, written[number], at, given)
        at += _CENTRAL_SIZE + name + extra + comment
    (start,) = struct.unpack_from("<L", tail, at + _END_START_AT)
    if tail[at : at + 4] != b"PK\5\6" or len(tail) < at + _END_SIZE or start + moved >= _LIMIT:
        raise _zip64(given)
    struct.pack_into("<L", tail, at + _END_START_AT, start + moved)
    return tail


def _extras(field: bytearray) -> Iterator[int]:
    at = 0
    while at + 4 <= len(field):
        kind, length = struct.unpack_from("<2H", field, at)
        yield kind
        at += 4 + length


def _zip64(given: str) -> TargetError:
    return TargetError("an archive of the zip64 kind (more than 4 GiB, or made for it), which abicheck does not rewrite", given)

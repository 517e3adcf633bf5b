"""The members of a zip archive as installers see them, inflated one at a time and only on request.

Read here and not by `zipfile`, which makes an object of each of a million entries before anything can be limited, compares no
local header but for its name, hands out no memory that is written in place, and takes as long to import as a small wheel takes
to read. The tests compare with it.
"""

from __future__ import annotations

import mmap
import os
import struct
import zlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from abicheck.errors import TargetError
from abicheck.read.artifacts.directory import read_directory, zip64

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO

    from abicheck.read.artifacts.directory import Entry

#: What is smaller than this once inflated is never taken for a bomb.
HARMLESS = 256 << 20
#: Deflate can shrink zeros a thousandfold. Native code, CUDA's too, shrinks two- to tenfold, and text rarely twentyfold.
MAX_RATIO = 100
#: Of ELF members. The largest in use (CUDA libraries of 1 to 3 GB) are near what one library can address at all.
MAX_ELF_SIZE = 8 << 30
MAX_ELF_TOTAL = 32 << 30

ELF_MAGIC = b"\x7fELF"

_LOCAL = struct.Struct("<4s5H3L2H")
_ENCRYPTED, _SIZES_FOLLOW = 1, 8
_STORED, _DEFLATED = 0, 8
_BLOCK = 1 << 17
#: Up to this size pieces are joined, which takes twice the memory; what is larger is inflated in place.
_SMALL = 16 << 20
#: Beyond the local header: nearly always enough for its extra field and for the compressed form of the first four bytes.
_PEEK = 512


class Member(NamedTuple):
    """One file of the archive; `number` is its place in the directory, `data` where its content starts, sizes are in bytes."""

    number: int
    name: str
    data: int
    size: int
    compressed: int
    crc: int
    deflated: bool
    is_elf: bool


#: What is odd about a member: the kind, its name, and the rest of the sentence.
Oddity: TypeAlias = tuple[Literal["duplicate", "header-mismatch"], str, str]


class Archive:
    """A zip archive on this machine. `members` are its files by name: of two members of one name the last, as pip takes it.

    Raises `TargetError` for what is no zip archive, what an installer would refuse, and what is beyond the limits of this module.
    """

    def __init__(self, path: str, given: str) -> None:
        self.path = path
        self._given = given
        self.members: dict[str, Member] = {}
        self.oddities: list[Oddity] = []
        with self._open() as file:
            entries, end = read_directory(file, given)
            for entry in entries:
                self._check(entry)
            self._check_ratio("it", sum(each.size for each in entries), sum(each.compressed for each in entries))
            self._read_headers(file, entries, end)

    def refusal(self, message: str) -> TargetError:
        """The error that says so of this archive."""
        return TargetError(message, self._given)

    @contextmanager
    def inflated(self, member: Member) -> Iterator[bytes | mmap.mmap]:
        """The content of a member in memory, which is given back afterwards."""
        if member.size <= _SMALL:
            yield b"".join(self.chunks(member))
            return
        try:
            memory = _memory(member.size)
        except (OSError, ValueError, OverflowError):
            raise self.refusal(f"not enough memory for {member.name} ({_size(member.size)})") from None
        with memory:
            for piece in self.chunks(member):
                memory.write(piece)
            yield memory

    def read(self, name: str, limit: int) -> bytes | None:
        """The content of the member `name`; None where there is none or it is larger than `limit` bytes."""
        member = self.members.get(name)
        return None if member is None or member.size > limit else b"".join(self.chunks(member))

    def chunks(self, member: Member) -> Iterator[bytes]:
        """The content of a member piece by piece, its size and checksum compared as an installer does."""
        crc = size = 0
        with self._open() as file:
            file.seek(member.data)
            for piece in (_inflated if member.deflated else _stored)(file, member.compressed, member.size):
                size += len(piece)
                if size > member.size:
                    break
                crc = zlib.crc32(piece, crc)
                yield piece
        if size != member.size or crc != member.crc:
            raise self.refusal(f"{member.name} is damaged: its size or checksum is not what the archive says; fetch it again")

    def _open(self) -> FileIO:
        try:
            return open(self.path, "rb", buffering=0)  # reads are large, and between them are seeks
        except OSError as error:
            raise self.refusal(f"{os.strerror(error.errno or 0)}; give the path of a wheel") from None

    def _check(self, entry: Entry) -> None:
        """Refuse what no installer would unpack, and what nobody should."""
        if entry.flags & _ENCRYPTED:
            raise self.refusal(f"{entry.name} is encrypted; no installer takes such a wheel")
        if entry.method not in (_STORED, _DEFLATED):
            raise self.refusal(f"{entry.name} is compressed by method {entry.method}; wheels are stored or deflated")
        self._check_ratio(entry.name, entry.size, entry.compressed)

    def _check_ratio(self, name: str, size: int, compressed: int) -> None:
        if size > HARMLESS and size > MAX_RATIO * compressed:
            ratio = size // max(compressed, 1)
            raise self.refusal(f"a zip bomb: {name} inflates {ratio}-fold to {_size(size)}; don't install it")

    def _read_headers(self, file: FileIO, entries: list[Entry], limit: int) -> None:
        """The members, in the order in which they lie in the file, which ends for them at `limit`."""
        last = {entry.name: number for number, entry in enumerate(entries)}
        total = end = 0
        for number, entry in sorted(enumerate(entries), key=lambda each: each[1].header):
            member = self._member(file, number, entry) if end <= entry.header < limit else None
            if member is None or (end := member.data + member.compressed) > limit:
                raise self.refusal(f"{entry.name} overlaps with another part of the archive; no installer takes such a wheel")
            if last[entry.name] != number:
                detail = "stands in the archive more than once; pip installs the last one, others may not"
                self.oddities.append(("duplicate", entry.name, detail))
            elif not entry.name.endswith("/"):
                self.members[entry.name] = member
                total += member.size if member.is_elf else 0
        if total > MAX_ELF_TOTAL:
            raise self.refusal(f"its native code is {_size(total)}; abicheck reads up to {_size(MAX_ELF_TOTAL)}")

    def _member(self, file: FileIO, number: int, entry: Entry) -> Member:
        """A member with its local header compared and its first bytes looked at."""
        file.seek(entry.header)
        head = file.read(_LOCAL.size + len(entry.raw_name) + _PEEK)
        if len(head) < _LOCAL.size:
            raise self.refusal("it is cut short; fetch it again")
        signature, _, flags, method, _, _, _, compressed, size, name, extra = _LOCAL.unpack_from(head)
        start = _LOCAL.size + name + extra
        if signature != b"PK\3\4" or head[_LOCAL.size : _LOCAL.size + name] != entry.raw_name:
            raise self.refusal(f"where {entry.name} should lie, another file does; no installer takes such a wheel")
        if len(head) < start:
            head += file.read(start - len(head) + _PEEK)
        sizes = zip64(head[_LOCAL.size + name : start], size, compressed)
        if method != entry.method or (not flags & _SIZES_FOLLOW and sizes != [entry.size, entry.compressed]):
            detail = (
                "has another size or compression in its own header than in the archive's directory; installers differ over it"
            )
            self.oddities.append(("header-mismatch", entry.name, detail))
        deflated = entry.method == _DEFLATED
        is_elf = entry.size >= len(ELF_MAGIC) and _magic(file, head[start:], entry.compressed, deflated=deflated) == ELF_MAGIC
        if is_elf and entry.size > MAX_ELF_SIZE:
            raise self.refusal(f"{entry.name} is {_size(entry.size)}; abicheck reads files up to {_size(MAX_ELF_SIZE)}")
        return Member(number, entry.name, entry.header + start, entry.size, entry.compressed, entry.crc, deflated, is_elf)


def _magic(file: FileIO, head: bytes, compressed: int, *, deflated: bool) -> bytes:
    """The first four bytes of a member whose data starts with `head` and goes on in `file`."""
    if not deflated:
        return head[: min(len(ELF_MAGIC), compressed)]
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    block = head[:compressed]
    left = compressed - len(block)
    found = b""
    try:
        while block and not inflater.eof:
            found += inflater.decompress(block, len(ELF_MAGIC) - len(found))
            if len(found) == len(ELF_MAGIC):
                break
            block = file.read(min(left, _PEEK))
            left -= len(block)
    except zlib.error:
        return b""
    return found


def _stored(file: FileIO, left: int, size: int) -> Iterator[bytes]:
    """`left` bytes of the file: in one piece where they become something small, else in pieces."""
    while left and (block := file.read(left if size <= _SMALL and left <= _SMALL else min(left, _BLOCK))):
        left -= len(block)
        yield block


def _inflated(file: FileIO, left: int, size: int) -> Iterator[bytes]:
    """What a deflated stream holds, in pieces that are never large; it ends where the stream is damaged."""
    limit = size + 1 if size <= _SMALL else 8 * _BLOCK
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    with suppress(zlib.error):
        for block in _stored(file, left, size):
            pending = block
            while pending and not inflater.eof:
                yield inflater.decompress(pending, limit)
                pending = inflater.unconsumed_tail
        if rest := inflater.flush():  # what the last call had no room for: a few hundred bytes
            yield rest


def _memory(size: int) -> mmap.mmap:
    """Memory that is zero. Private and in large pages where there are such, or page faults cost a quarter of inflating."""
    if not hasattr(mmap, "MAP_PRIVATE"):
        return mmap.mmap(-1, size)
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):  # a kernel without them
            memory.madvise(mmap.MADV_HUGEPAGE)
    return memory


def _size(count: int) -> str:
    return f"{count / (1 << 30):.1f} GiB" if count >= 1 << 30 else f"{count / (1 << 20):.0f} MiB"

"""Parts of files, mapped instead of read: memory stays free, whatever the size of an image; and the members of a tar."""

from __future__ import annotations

import hashlib
import io
import mmap
import os
import tarfile
import tempfile
from typing import IO, TYPE_CHECKING, NamedTuple

from abicheck.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: More members than this has no image; an index of them would fill the memory.
MAX_MEMBERS = 2_000_000
#: Long names and the like stand in headers of their own, which tarfile reads whole.
_MAX_HEADER = 1 << 20
_PIECE = 1 << 20


class Section(NamedTuple):
    """`size` bytes of something mapped, from `start` on."""

    data: mmap.mmap | bytes
    start: int
    size: int

    def read(self, limit: int = -1) -> bytes:
        """The first `limit` bytes, or all."""
        return self.data[self.start : self.start + (self.size if limit < 0 else min(limit, self.size))]

    def part(self, start: int, size: int) -> Section:
        """A section of this section; it may not reach beyond its end."""
        if min(start, size) < 0 or start + size > self.size:
            raise HostError("damaged: a member reaches beyond its end; save the image again")
        return Section(self.data, self.start + start, size)

    def pieces(self) -> Iterator[bytes]:
        """All of it, piece by piece."""
        end = self.start + self.size
        for at in range(self.start, end, _PIECE):
            yield self.data[at : min(at + _PIECE, end)]

    def stream(self) -> IO[bytes]:
        """A file to read it from."""
        return io.BufferedReader(_Raw(self), _PIECE)

    def digest(self) -> str:
        """`sha256:` and its SHA-256."""
        state = hashlib.sha256()
        for piece in self.pieces():
            state.update(piece)
        return f"sha256:{state.hexdigest()}"


def mapped(file: IO[bytes] | str) -> Section:
    """All of a file, mapped; it may be closed or unlinked then."""
    if isinstance(file, str):
        with open(file, "rb") as opened:
            return mapped(opened)
    size = os.fstat(file.fileno()).st_size
    return Section(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b"", 0, size)


def spool() -> IO[bytes]:
    """A temporary file without a name."""
    return tempfile.TemporaryFile(prefix="abicheck-")


def members(section: Section) -> Iterator[tarfile.TarInfo]:
    """The members of a tar. Raises `HostError` for one that is damaged, or made to do damage."""
    try:
        # The names are bytes to the kernel; so are they here.
        with tarfile.open(fileobj=_Forward(section), mode="r:", encoding="utf-8", errors="surrogateescape") as archive:  # type: ignore[call-overload] # reads, seeks and tells
            for _ in range(MAX_MEMBERS):
                member = archive.next()
                if member is None:
                    return
                archive.members = []  # else it keeps them all
                yield member
    except (tarfile.TarError, ValueError, OverflowError, RecursionError, EOFError) as error:
        what = str(error) or type(error).__name__
        raise HostError(f"no tar archive, or a damaged one ({what}); save the image again") from None
    raise HostError(f"more than {MAX_MEMBERS} members in one tar; give an image that has fewer")


class _Raw(io.RawIOBase):
    """A section as a file."""

    def __init__(self, section: Section) -> None:
        self._section, self._at = section, 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # what BufferedReader gives it
        """The next bytes."""
        count = min(len(buffer), self._section.size - self._at)
        at = self._section.start + self._at
        buffer[:count] = self._section.data[at : at + count]
        self._at += count
        return count


class _Forward:
    """A section as tarfile reads its headers: never back, since numbers below zero would make it turn in circles."""

    def __init__(self, section: Section) -> None:
        self._section, self._at = section, 0

    def tell(self) -> int:
        """Where it stands."""
        return self._at

    def seek(self, position: int) -> int:
        """Go on there; tarfile looks at the byte before it, too."""
        if position < self._at - 1:
            raise tarfile.ReadError("it leads back")
        self._at = position
        return position

    def read(self, size: int) -> bytes:
        """The next bytes."""
        if not 0 <= size <= _MAX_HEADER:
            raise tarfile.ReadError("a header too large")
        at = self._section.start + self._at
        data = self._section.data[at : max(at, min(at + size, self._section.start + self._section.size))]
        self._at += len(data)
        return data

"""The parts of an image file: an OCI layout or what `docker save` wrote, as a directory or a tar, with or without gzip."""

from __future__ import annotations

import hashlib
import io
import mmap
import os
import posixpath
import tarfile
import tempfile
from typing import IO, TYPE_CHECKING, NamedTuple, Protocol

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


class Source(Protocol):
    """What an image file holds, by names with slashes."""

    def get(self, name: str) -> Section | None:
        """The content of a file; None where there is none."""


def open_source(path: str) -> Source:
    """The parts of the image at `path`. Raises `HostError` for what is no image, and `OSError` for what cannot be opened."""
    if os.path.isdir(path):
        return _Directory(path)
    if not os.path.isfile(path):
        raise HostError("no such file or directory; give what `docker save` or `podman save` wrote, or an OCI layout")
    section = mapped(path)
    if section.read(2) == b"\x1f\x8b":
        from abicheck.read.images.compression import plain  # noqa: PLC0415 -- most archives are not compressed as a whole

        section = plain(section, "the archive")
    return _Archive(section)


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


class _Directory:
    """An OCI layout, or what `docker save` wrote, unpacked."""

    def __init__(self, path: str) -> None:
        self._path = path

    def get(self, name: str) -> Section | None:
        """The content of a file."""
        path = os.path.join(self._path, _inside(name))
        return mapped(path) if os.path.isfile(path) else None


class _Archive:
    """The same in a tar. Docker writes a layer that stands there twice as a link."""

    def __init__(self, section: Section) -> None:
        self._files: dict[str, Section] = {}
        self._links: dict[str, str] = {}
        for member in members(section):
            name = _inside(member.name)
            if member.isreg() and not member.issparse():
                self._files[name] = section.part(member.offset_data, member.size)
            elif member.issym():
                self._links[name] = _inside(posixpath.join(posixpath.dirname(name), member.linkname))
            elif member.islnk():
                self._links[name] = _inside(member.linkname)

    def get(self, name: str) -> Section | None:
        """The content of a file."""
        name = _inside(name)
        for _ in range(8):
            if name not in self._links:
                return self._files.get(name)
            name = self._links[name]
        return None


def _inside(name: str) -> str:
    """A name in its directory, whatever it says: `../x` and `/x` are `x`."""
    return posixpath.normpath(f"/{name}").lstrip("/")


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

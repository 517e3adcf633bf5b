"""What an image file holds: an OCI layout or what `docker save` wrote, as a directory or a tar, with or without gzip."""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING, Protocol

from abicheck.errors import HostError
from abicheck.read.images.blobs import mapped, members
from abicheck.read.images.compression import plain

if TYPE_CHECKING:
    from abicheck.read.images.blobs import Section


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
        section = plain(section, "the archive")
    return _Archive(section)


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

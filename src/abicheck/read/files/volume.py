"""Where the entries of a root come from: a directory of this machine, or whatever else keeps a tree of files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple, Protocol

from abicheck.read.files.store import opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abicheck.model.elf import ElfFile
    from abicheck.model.files import FileId
    from abicheck.read.files.store import FactStore


class Status(NamedTuple):
    """What a tree that is no directory of this machine says of an entry, as `os.stat_result` names it; sizes in bytes."""

    st_mode: int
    st_ino: int
    st_size: int
    st_dev: int = -2
    st_mtime_ns: int = 0
    st_ctime_ns: int = 0


class Volume(Protocol):
    """A tree of files by real paths: no component but the last one is a link, and links are not followed.

    The root is the empty path, all others begin with a slash. Each method raises `OSError` for what is not there.
    """

    def lstat(self, path: str) -> os.stat_result | Status:
        """The entry itself."""

    def readlink(self, path: str) -> str:
        """Where a link leads."""

    def names(self, path: str) -> Sequence[str]:
        """The entries of a directory."""

    def opened(self, path: str, status: os.stat_result | Status) -> FileId | int:
        """What `open(path, O_RDONLY)` leads to where `lstat` said `status`: the file, or the errno of the refusal."""

    def read(self, path: str, limit: int = -1) -> bytes:
        """The first `limit` bytes of a file, or all."""

    def facts(self, path: str, file: FileId) -> ElfFile:
        """The facts of the file `path`, which was opened as `file`."""


class Directory:
    """A directory of this machine as a volume; with the empty path, all of this machine."""

    def __init__(self, path: str, store: FactStore) -> None:
        self.path = "" if path == os.sep else path
        self._store = store

    def lstat(self, path: str) -> os.stat_result:
        """The entry itself."""
        return os.lstat(self.path + path if path else self.path or os.sep)

    def readlink(self, path: str) -> str:
        """Where a link leads."""
        return os.readlink(self.path + path)

    def names(self, path: str) -> Sequence[str]:
        """The entries of a directory."""
        return os.listdir(self.path + path or os.sep)

    def opened(self, path: str, status: os.stat_result | Status) -> FileId | int:
        """The file, or the errno of the refusal."""
        assert isinstance(status, os.stat_result)
        return opened(self.path + path, status)

    def read(self, path: str, limit: int = -1) -> bytes:
        """The first `limit` bytes of a file, or all."""
        with open(self.path + path, "rb") as file:
            return file.read(limit)

    def facts(self, path: str, file: FileId) -> ElfFile:
        """The facts of a file, read once for all roots that see it."""
        return self._store.facts(file, self.path + path)

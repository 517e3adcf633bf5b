"""A tree of files that is kept in no directory of this machine: of an image, a profile, or made of what is known of a host."""

from __future__ import annotations

import stat
from errno import EACCES, EINVAL, EISDIR, ENOENT, ENOTDIR
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from abicheck.model.elf import Malformed
from abicheck.model.files import FileId
from abicheck.read.files.volume import Status

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    from abicheck.model.elf import ElfFile


class Entry(NamedTuple):
    """A file, or a link to `link`. `load` reads its facts and `read` its first bytes (-1: all), where there are any.

    `same` tells names of one file from files of their own: entries with one number are one inode. `content` does so in whatever
    tree: files that are equal have one number, others never.
    """

    link: str | None = None
    size: int = 0
    mode: int = 0o644
    load: Callable[[], ElfFile] | None = None
    read: Callable[[int], bytes] | None = None
    same: int | None = None
    content: int | None = None


#: The device of files that are known by their content; no other is between those of trees and of packages.
_BY_CONTENT = -3


class Memory:
    """A volume of entries by absolute path without links; the directories on the way are there, and further `directories`.

    `identity` follows from the content: two runs that see the same tree give its files the same `FileId`.
    """

    def __init__(self, entries: Mapping[str, Entry], identity: int, directories: Sequence[str] = ()) -> None:
        self._entries = entries
        self._device = _BY_CONTENT - 1 - abs(identity)
        self._names: dict[str, dict[str, None]] = {"": {}}
        for path in directories:
            self._make(path.rstrip("/"))
        for path in entries:
            head, _, name = path.rpartition("/")
            self._make(head)
            self._names[head][name] = None
        self._numbers = {path: number for number, path in enumerate([*self._names, *entries], 1)}
        self._facts: dict[int, ElfFile] = {}

    def lstat(self, path: str) -> Status:
        """The entry itself."""
        entry = self._entries.get(path)
        if entry is None:
            if path in self._names:
                return Status(stat.S_IFDIR | 0o755, self._numbers[path], 0, self._device)
            raise OSError(self._reason(path), path)
        kind = stat.S_IFREG if entry.link is None else stat.S_IFLNK
        if entry.content is not None:
            return Status(kind | entry.mode, entry.content, entry.size, _BY_CONTENT)
        number = self._numbers[path] if entry.same is None else len(self._numbers) + 1 + entry.same
        return Status(kind | entry.mode, number, entry.size, self._device)

    def readlink(self, path: str) -> str:
        """Where a link leads."""
        entry = self._entries.get(path)
        if entry is None or entry.link is None:
            raise OSError(EINVAL, path)
        return entry.link

    def names(self, path: str) -> Sequence[str]:
        """The entries of a directory."""
        return tuple(self._names.get(path, ()))

    def opened(self, path: str, status: os.stat_result | Status) -> FileId | int:
        """The file; it can be read by who owns it or all, as its mode says."""
        if not stat.S_ISDIR(status.st_mode) and not status.st_mode & 0o444:
            return EACCES
        if stat.S_ISDIR(status.st_mode):
            # That it is one is all that anybody may ask of it, in whatever tree.
            return FileId(_BY_CONTENT, -1 - crc32(path.encode("utf-8", "surrogateescape")), 0, 0, 0)
        return FileId(status.st_dev, status.st_ino, status.st_size, 0, 0)

    def read(self, path: str, limit: int = -1) -> bytes:
        """The first `limit` bytes of a file, or all."""
        entry = self._entries.get(path)
        if entry is None or entry.read is None:
            raise OSError(ENOENT, path)
        return entry.read(limit)

    def facts(self, path: str, file: FileId) -> ElfFile:
        """The facts of a file, read once."""
        found = self._facts.get(file.inode)
        if found is None:
            entry = self._entries.get(path)
            if entry is None or entry.load is None:
                directory = path in self._names
                return Malformed("is-a-directory", 0, errno=EISDIR) if directory else Malformed("not-elf", file.size)
            found = self._facts[file.inode] = entry.load()
        return found

    def _make(self, path: str) -> None:
        if path not in self._names:
            head, _, name = path.rpartition("/")
            self._make(head)
            self._names[path] = {}
            self._names[head][name] = None

    def _reason(self, path: str) -> int:
        head = path.rpartition("/")[0]
        return ENOTDIR if head in self._entries else ENOENT

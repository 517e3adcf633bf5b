"""A host's files with those of packages on top, as if they had been installed there."""

from __future__ import annotations

import os
from errno import EISDIR, ENOENT, ENOTDIR
from typing import TYPE_CHECKING
from zlib import crc32

from abicheck.model.elf import Malformed
from abicheck.model.files import FileId

if TYPE_CHECKING:
    from abicheck.model.artifact import Layer
    from abicheck.model.elf import ElfFile
    from abicheck.model.files import Files

#: Directories that only packages bring have this device, which no file system has.
_DEVICE = -1
#: PATH_MAX of Linux, the terminating NUL included.
_LONGEST_PATH = 4096


class Walked:
    """The files of a host, with every answer kept: for overlays that look at the same host."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._answers: dict[str, FileId | int] = {}
        self._places: dict[str, tuple[str, FileId | int] | None] = {}
        self._directories: dict[str, str | None] = {}
        self._resolved: dict[str, str] = {}
        self.facts = files.facts

    def stat(self, path: str) -> FileId | int:
        """The file that `open` would lead to, or its errno."""
        answer = self._answers.get(path)
        if answer is None:
            answer = self._answers[path] = self._files.stat(path)
        return answer

    def resolve(self, path: str) -> str:
        """`path` without symbolic links; `path` itself where it leads nowhere."""
        if path not in self._resolved:
            self._resolved[path] = self._files.resolve(path)
        return self._resolved[path]

    def place(self, path: str) -> tuple[str, FileId | int] | None:
        """`path` with the links on the way to its last component resolved, and what is there; None without such a directory."""
        if path not in self._places:
            head, _, name = path.rpartition("/")
            parent = self.directory(head) if name not in ("", ".", "..") else None
            self._places[path] = None if parent is None else (f"{parent}/{name}", self.stat(path))
        return self._places[path]

    def directory(self, path: str) -> str | None:
        """The directory `path` with all links resolved ("" for the root); None where there is none."""
        if path not in self._directories:
            there = not isinstance(self.stat(path + "/."), int)
            self._directories[path] = self.resolve(path or "/").rstrip("/") if there else None
        return self._directories[path]


class Overlay:
    """The `Files` of a host in which `packages` are installed too; a file of a later package replaces that of an earlier one.

    Links of the host are followed as the host does, on the way to where the packages lie as well. Not followed is a link of the
    host to what only a package brings.
    """

    def __init__(self, base: Files, *packages: Layer) -> None:
        self._base = base if isinstance(base, Walked) else Walked(base)
        self._entered: dict[str, str | int] = {"": ""}
        self._files: dict[str, FileId] = {}
        self._owners: dict[FileId, Layer] = {}
        #: No file of a package takes the place of a directory: every way that there is on the host is there still.
        self._is_plain = True
        self._directories: dict[str, FileId] = {}
        for package in packages:
            entries = package.entries()
            made = {head: self._make(head) for head in {path.rpartition("/")[0]: None for path in entries}}
            if any(head != real for head, real in made.items()):
                parts = ((path.rpartition("/"), file) for path, file in entries.items())
                entries = {f"{made[head]}/{name}": file for (head, _, name), file in parts}
            self._files.update(entries)
            self._owners.update(dict.fromkeys(entries.values(), package))
            shared = {real for real in made.values() if real not in self._directories}
            if any(p.rpartition("/")[0] in shared and not isinstance(self._base.stat(p + "/."), int) for p in entries if shared):
                self._is_plain = False
        self._is_plain &= self._files.keys().isdisjoint(self._directories)
        self._entered = {"": "", **{path: path for path in self._directories}}
        self._answers: dict[str, FileId | int] = {}

    def stat(self, path: str) -> FileId | int:
        """The file that `open` would lead to, or its errno."""
        answer = self._answers.get(path)
        if answer is None:
            answer = self._answers[path] = self._stat(path)
        return answer

    def facts(self, file: FileId) -> ElfFile:
        """The facts of a file that `stat` returned."""
        owner = self._owners.get(file)
        if owner is not None:
            return owner.facts(file)
        if file.device == _DEVICE:
            return Malformed(reason="is-a-directory", size=0, errno=EISDIR)
        return self._base.facts(file)

    def resolve(self, path: str) -> str:
        """`path` with every symbolic link resolved; `path` itself where it leads nowhere."""
        real = self._real(path) if _is_walked(path) else ENOENT
        if isinstance(real, int):
            return self._base.resolve(path)
        return real if real in self._files or real in self._directories else self._base.resolve(real or "/")

    def _stat(self, path: str) -> FileId | int:
        if not _is_walked(path):
            return self._base.stat(path)
        answer = self._stat_plainly(path) if self._is_plain else None
        if answer is not None:
            return answer
        real = self._real(path)
        if isinstance(real, int):
            return real
        return self._files.get(real) or self._directories.get(real) or self._base.stat(real or "/")

    def _stat_plainly(self, path: str) -> FileId | int | None:
        """The same for most paths, at a glance; None for any other."""
        head, _, name = path.rpartition("/")
        if not name:
            if head in self._directories:
                return self._directories[head]
            return self._base.stat(path) if self._base.directory(head) is not None else None
        if head in self._directories and name not in (".", ".."):
            return self._files.get(path) or self._directories.get(path) or self._base.stat(path)
        place = self._base.place(path)
        return None if place is None else self._files.get(place[0]) or self._directories.get(place[0]) or place[1]

    def _real(self, path: str) -> str | int:
        """`path` with the links on the way to its last component resolved, or the errno of getting there."""
        head, _, name = path.rpartition("/")
        if name in ("", ".", ".."):
            return self._enter(path)
        directory = self._enter(head)
        return directory if isinstance(directory, int) else f"{directory}/{name}"

    def _enter(self, path: str) -> str | int:
        """The directory `path` with all links resolved ("" for the root), or the errno of entering it."""
        pending = []
        while (known := self._entered.get(path)) is None:
            pending.append(path)
            path = path.rpartition("/")[0]
        for path in reversed(pending):
            if not isinstance(known, int):
                known = self._step(known, path.rpartition("/")[2])
            self._entered[path] = known
        return known

    def _step(self, parent: str, name: str) -> str | int:
        if name in ("", "."):
            return parent
        if name == "..":
            return parent.rpartition("/")[0]
        path = f"{parent}/{name}"
        if path in self._directories:
            return path
        if path in self._files:
            return ENOTDIR
        answer = self._base.stat(path + "/.")
        return answer if isinstance(answer, int) else self._base.resolve(path).rstrip("/")

    def _make(self, path: str) -> str:
        """The directory `path`, made where the host has none; without links."""
        known = self._entered.get(path)
        if isinstance(known, str):
            return known
        there = self._base.directory(path)
        if there is not None:
            self._entered[path] = there
            return there
        head, _, name = path.rpartition("/")
        parent = self._make(head)
        real = f"{parent}/{name}"
        if name in ("", ".", ".."):
            stepped = self._step(parent, name)
            assert isinstance(stepped, str)
            real = stepped
        elif real not in self._directories:
            self._directories[real] = FileId(_DEVICE, crc32(real.encode("utf-8", "surrogateescape")), 0, 0, 0)
        self._entered[path] = real
        return real


def _is_walked(path: str) -> bool:
    """False for what leads to no package, whatever lies where: relative, empty and overlong paths."""
    return path.startswith("/") and (len(path) < _LONGEST_PATH // 4 or len(os.fsencode(path)) < _LONGEST_PATH)

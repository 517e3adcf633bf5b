"""How the loader sees a file system: names that lead to files, and the facts of each file."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from abicheck.model.elf import ElfFile


class FileId(NamedTuple):
    """One file's identity and state: equal ids are the same unchanged file.

    `device` and `inode` identify the file as the loader does (two names of one inode are one object). Times are in nanoseconds.
    Sources without inodes (a wheel, an image layer) number their files themselves, with a `device` of their own.
    """

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


class Files(Protocol):
    """A file system as the loader asks it: open a name, read the facts of what was opened.

    Both methods answer the same for the same question during a run.
    """

    def stat(self, path: str) -> FileId | int:
        """What `open(path, O_RDONLY)` leads to, links resolved inside this file system; or its errno (ENOENT, EACCES, ...)."""

    def facts(self, file: FileId) -> ElfFile:
        """The facts of a file that `stat` returned."""

    def resolve(self, path: str) -> str:
        """`path` with every symbolic link resolved, as `realpath` gives it; `path` itself where it leads nowhere."""

"""The facts of every file that a run looks at, each read once, and what `open` would say about a file."""

from __future__ import annotations

import os
import stat
from errno import EACCES, EIO, ENOENT, ENXIO
from typing import TYPE_CHECKING

from abicheck.model.files import FileId

if TYPE_CHECKING:
    from abicheck.model.elf import ElfFile
    from abicheck.model.wasm import Deployed, Served
    from abicheck.read.files.root import Root
    from abicheck.read.hosts.system import System
    from abicheck.read.images import Image


class FactStore:
    """Reads each file once a run, whatever the number of hosts and roots that see it. `paths` says where each lies here.

    `images` keeps what was made of image files and `modules` that of WebAssembly, by their paths, and `systems` that of
    distributions, by their names; `served` what servers sent, by its address.
    """

    def __init__(self) -> None:
        self._facts: dict[FileId, ElfFile] = {}
        self.paths: dict[FileId, str] = {}
        self.images: dict[str, Image] = {}
        self.modules: dict[str, Deployed] = {}
        self.served: dict[str, Served] = {}
        self.systems: dict[str, tuple[System, Root]] = {}

    def facts(self, file: FileId, path: str) -> ElfFile:
        """The facts of `file`, which lies at `path` on this machine."""
        found = self._facts.get(file)
        if found is None:
            found = self._facts[file] = _read(path, file.size)
            self.paths[file] = path
        return found


def _read(path: str, size: int) -> ElfFile:
    # Imported here because a run that finds all its verdicts stored reads no file, and is over in the time that this takes.
    from abicheck.model.elf import Malformed  # noqa: PLC0415
    from abicheck.read.elf import read_elf  # noqa: PLC0415

    try:
        return read_elf(path)
    except OSError as error:  # it went away, or its permissions did, since it was found
        return Malformed(reason="unreadable", size=size, errno=open_errno(error))


def open_errno(error: OSError | ValueError) -> int:
    """The errno of a failed system call; a NUL in a path, which no system call can carry, names nothing."""
    return (error.errno or EIO) if isinstance(error, OSError) else ENOENT


def opened(path: str, status: os.stat_result) -> FileId | int:
    """What `open(path, O_RDONLY)` leads to where `stat` said `status`: the file, or the errno of the refusal.

    Nothing is opened: a FIFO would block and a device may do something. Where every read bit is set the file can be read,
    otherwise the kernel is asked, because it knows about owners, capabilities and access lists.
    """
    if stat.S_ISSOCK(status.st_mode):
        return ENXIO
    if status.st_mode & 0o444 != 0o444 and not os.access(path, os.R_OK, effective_ids=_EFFECTIVE):
        return EACCES
    if stat.S_ISDIR(status.st_mode):
        # A directory is no other file when an entry comes or goes: only that it can be opened counts.
        return FileId(status.st_dev, status.st_ino, 0, 0, 0)
    return FileId(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


_EFFECTIVE = os.access in os.supports_effective_ids

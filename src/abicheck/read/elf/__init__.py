"""Reads ELF files as a dynamic loader sees them: `read_elf` for a path, `parse_elf` for bytes."""

from __future__ import annotations

import errno
import mmap
import os
import stat
from typing import TYPE_CHECKING

from abicheck.model.elf import Malformed
from abicheck.read.elf.reader import read

if TYPE_CHECKING:
    from abicheck.model.elf import ElfFile

__all__ = ["parse_elf", "read_elf"]

#: A loader waits for the other end of a pipe; a reader of facts does not.
_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_FIRST_READ = 832
#: Up to this size reading is faster than mapping.
_SMALL = 1 << 16


def parse_elf(data: bytes | mmap.mmap) -> ElfFile:
    """The facts of a file whose whole content is `data`; the result keeps no reference to it."""
    return read(data)


def _read_all(descriptor: int, size: int) -> bytes:
    data = os.read(descriptor, size)
    while len(data) < size and (more := os.read(descriptor, size - len(data))):
        data += more
    return data


def read_elf(path: str) -> ElfFile:
    """The facts of the file at `path`. An OSError of opening it is the caller's; what comes after that is in the result."""
    descriptor = os.open(path, _FLAGS)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            return Malformed(reason="is-a-directory", size=0, errno=errno.EISDIR)
        if not stat.S_ISREG(status.st_mode):
            return parse_elf(os.read(descriptor, _FIRST_READ))
        if status.st_size <= _SMALL:
            return parse_elf(_read_all(descriptor, status.st_size))
        with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as data:
            return parse_elf(data)
    except OSError as error:
        return Malformed(reason="unreadable", size=0, errno=error.errno or errno.EIO)
    finally:
        os.close(descriptor)

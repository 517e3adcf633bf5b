"""Edits of bytes, and files that are there either as they were or as they are to be."""

from __future__ import annotations

import io
import os
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from abicheck.errors import TargetError
from abicheck.model.repair import Edit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from mmap import mmap
    from typing import BinaryIO

_BLOCK = 1 << 20


def patch(content: bytearray | mmap, edits: Iterable[Edit]) -> None:
    """Make edits that keep their length in memory that can be written."""
    for edit in edits:
        content[edit.offset : edit.offset + len(edit.new)] = edit.new


def spliced(content: bytes, edits: Iterable[Edit]) -> bytes:
    """The content with the edits made."""
    return b"".join(pieces(io.BytesIO(content), edits))


def pieces(source: BinaryIO, edits: Iterable[Edit]) -> Iterator[bytes]:
    """The content of a file with the edits made. Raises `TargetError` where it holds something else than they replace."""
    for edit in sorted(edits):
        while block := source.read(min(_BLOCK, edit.offset - source.tell())):
            yield block
        if source.read(len(edit.old)) != edit.old:
            raise TargetError("it has changed while it was read; start again")
        yield edit.new
    while block := source.read(_BLOCK):
        yield block


def inverse(edits: Iterable[Edit]) -> list[Edit]:
    """The edits that undo these."""
    undoing, shift = [], 0
    for edit in sorted(edits):
        undoing.append(Edit(edit.offset + shift, edit.new, edit.old))
        shift += len(edit.new) - len(edit.old)
    return undoing


@contextmanager
def replacing(path: str) -> Iterator[BinaryIO]:
    """A file to be written that takes the place of `path` once it is whole.

    It takes over mode, owner and attributes; what else leads to the old file (hard links from an installer's cache, the target of
    a symbolic link) keeps what it has. An OSError is the caller's; then nothing has changed.
    """
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with suppress(FileNotFoundError):
            os.unlink(temporary)  # of a process that died and had the same number, as all of containers have
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if os.path.exists(path):
            _take_over(path, temporary)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _take_over(path: str, temporary: str) -> None:
    """Mode, owner and extended attributes; the times are those of now, by which caches see that the file has changed."""
    old, new = os.stat(path), os.stat(temporary)
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        os.chown(temporary, old.st_uid, old.st_gid)
    shutil.copystat(path, temporary)
    os.utime(temporary)

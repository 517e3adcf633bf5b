"""Layers made plain: gzip, and zstd where this Python or an extra can; into a file that has no name and goes with the run."""

from __future__ import annotations

import errno
import gzip
import tempfile
import zlib
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any, Protocol

from abicheck.errors import HostError
from abicheck.read.images.blobs import mapped, spool

if TYPE_CHECKING:
    from abicheck.read.images.blobs import Section

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
#: A layer of zstd:chunked may begin with a skippable frame (RFC 8878, 3.1.2).
_SKIPPABLE = b"\x2a\x4d\x18"
_OTHERS = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x04\x22\x4d\x18": "lz4"}
#: Code shrinks to a third; more than this is made to fill a disk. Small layers may hold zeros alone.
MAX_RATIO = 100
SMALL = 64 << 20
MAX_SIZE = 1 << 36
_PIECE = 1 << 20


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def plain(layer: Section, name: str) -> Section:
    """The content of `layer`, which is called `name`, without its compression; itself where it has none.

    Raises `HostError` for another compression, for damage, and for what becomes too large.
    """
    head = layer.read(6)
    for magic, other in _OTHERS.items():
        if head.startswith(magic):
            raise HostError(f"{name} is compressed with {other}, which abicheck does not read; save it with gzip or zstd")
    if head.startswith(_GZIP):
        with layer.stream() as packed, gzip.GzipFile(fileobj=packed) as stream:
            return _spooled(stream, layer.size, name)
    if head.startswith(_ZSTD) or head[1:4] == _SKIPPABLE:
        with layer.stream() as packed:
            return _spooled(_zstd(packed, name), layer.size, name)
    return layer


def _zstd(packed: IO[bytes], name: str) -> _Readable:
    """What decompresses zstd: Python's own module (3.14) or its backport, which are the same, else another."""
    for module in ("compression.zstd", "backports.zstd"):
        try:
            opened: _Readable = import_module(module).open(packed, "rb")
        except ImportError:
            continue
        return opened
    try:
        zstandard: Any = import_module("zstandard")
    except ImportError:
        needed = "Python 3.14 or the extra: pip install 'abicheck-env[images]'"
        raise HostError(f"{name} is compressed with zstd, which needs {needed}") from None
    reader: _Readable = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True)
    return reader


def _spooled(stream: _Readable, packed: int, name: str) -> Section:
    limit = min(max(packed * MAX_RATIO, SMALL), MAX_SIZE)
    size = 0
    with spool() as file:
        while piece := _read(stream, name):
            size += len(piece)
            if size > limit:
                raise HostError(f"{name} becomes more than {limit} bytes from {packed}; give an image that was not made to do so")
            _write(file, piece)
        _write(file, b"")
        return mapped(file)


def _read(stream: _Readable, name: str) -> bytes:
    try:
        return stream.read(_PIECE)
    except Exception as error:
        # Each module has errors of its own, of no common kind; what else can be wrong is raised as it is.
        if isinstance(error, (EOFError, OSError, zlib.error)) or "zst" in type(error).__name__.lower():
            raise HostError(f"{name} is damaged or cut off ({error}); save the image again") from None
        raise


def _write(file: IO[bytes], piece: bytes) -> None:
    try:
        file.write(piece)
        if not piece:
            file.flush()
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise HostError(f"no space left in {tempfile.gettempdir()} for its layers; set TMPDIR to a larger place") from None

"""ld.so.cache as the host's loader reads it: for each name the one path that the loader would take from it."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from abicheck.model.host import Arch
    from abicheck.read.hosts.cpu import Cpu

# The formats are described in sysdeps/generic/dl-cache.h of glibc.
_OLD_MAGIC = b"ld.so-1.7.0"
_NEW_MAGIC = b"glibc-ld.so.cache1.1"
_OLD_HEADER = struct.Struct("<12sI")
_OLD_ENTRY = struct.Struct("<iII")
_NEW_HEADER = struct.Struct("<20sIIB3xI12x")
_NEW_ENTRY = struct.Struct("<iIIIQ")
_EXTENSION_MAGIC = 0xEAA42174
_TAG_HWCAPS = 1
_LITTLE_ENDIAN = 2

#: FLAG_ELF_LIBC6 with the architecture's own flag: the only entries that a 64-bit loader takes.
_FLAGS = {"x86_64": 0x0303, "aarch64": 0x0A03}

_HWCAP_EXTENSION = 1 << 62
_HWCAP_TLS = 1 << 63
_HWCAP_PLATFORM = 0xF << 48  # x86 only
_PLATFORM_BITS = {"haswell": 1 << 50, "xeon_phi": 1 << 51}


class CacheReader(NamedTuple):
    """What decides which entries a loader takes.

    `named` are the glibc-hwcaps subdirectories that it searches, best first; without `knows_named` it is too old for them.
    """

    arch: Arch
    version: tuple[int, ...]
    kernel: tuple[int, int, int]
    cpu: Cpu
    named: tuple[str, ...]
    knows_named: bool

    def takes(self, os_version: int, hwcap: int) -> bool:
        """True for an entry without a named subdirectory that this CPU and kernel can take."""
        if self.version >= (2, 37):
            return hwcap == 0
        platform = hwcap & _HWCAP_PLATFORM if self.arch == "x86_64" else 0
        if hwcap & ~(self.cpu.hwcap | _HWCAP_TLS | platform):
            return False
        if platform and platform != _PLATFORM_BITS.get(self.cpu.platform):
            return False
        kernel = self.kernel[0] << 16 | self.kernel[1] << 8 | min(self.kernel[2], 255)
        return self.version >= (2, 36) or os_version <= kernel

    def reaches(self, isa: int) -> bool:
        """True when the CPU has the ISA level of an entry (a bit's number, 0 for the baseline)."""
        return self.arch != "x86_64" or isa < self.cpu.level


def parse_cache(data: bytes, reader: CacheReader) -> dict[str, tuple[str, ...]] | None:
    """The path that `reader` would take for each name, None where it would not accept the cache at all."""
    try:
        return _parse(data, reader)
    except (struct.error, IndexError, ValueError):
        return None


def _parse(data: bytes, reader: CacheReader) -> dict[str, tuple[str, ...]] | None:
    start = 0
    if data.startswith(_OLD_MAGIC):
        count = _OLD_HEADER.unpack_from(data)[1]
        end = _OLD_HEADER.size + count * _OLD_ENTRY.size
        start = -(-end // 8) * 8
        if not data.startswith(_NEW_MAGIC, start):
            if end > len(data):
                return None
            old = _OLD_ENTRY.iter_unpack(data[_OLD_HEADER.size : end])
            return _choose(data, end, ((*entry, 0, 0) for entry in old), reader, {})
    elif not data.startswith(_NEW_MAGIC):
        return None
    _, count, _, flags, extensions = _NEW_HEADER.unpack_from(data, start)
    first = start + _NEW_HEADER.size
    if len(data) <= first or count > (len(data) - first) // _NEW_ENTRY.size:
        return None
    if reader.knows_named and flags and flags & 3 != _LITTLE_ENDIAN:
        return None
    entries = _NEW_ENTRY.iter_unpack(data[first : first + count * _NEW_ENTRY.size])
    priorities = _priorities(data, start, extensions, reader) if reader.knows_named else {}
    return _choose(data, start, entries, reader, priorities)


def _priorities(data: bytes, start: int, offset: int, reader: CacheReader) -> dict[int, int]:
    """For each index in the cache's list of subdirectories that the loader searches: its place in the loader's own order."""
    if not offset or offset % 4 or offset + 8 > len(data):
        return {}
    magic, count = struct.unpack_from("<II", data, offset)
    if magic != _EXTENSION_MAGIC:
        return {}
    names: tuple[int, ...] = ()
    for index in range(count):
        tag, _, where, size = struct.unpack_from("<IIII", data, offset + 8 + 16 * index)
        if where + size > len(data):
            return {}
        if tag == _TAG_HWCAPS and size % 4 == 0 and where % 4 == 0:
            names = struct.unpack_from(f"<{size // 4}I", data, where)
    order = {name: place for place, name in enumerate(reader.named)}
    found = {index: order.get(_string(data, start + name)) for index, name in enumerate(names)}
    return {index: place for index, place in found.items() if place is not None}


def _choose(
    data: bytes,
    strings: int,
    entries: Iterable[tuple[int, int, int, int, int]],
    reader: CacheReader,
    priorities: dict[int, int],
) -> dict[str, tuple[str, ...]]:
    """As `search_cache` (elf/dl-cache.c): the best named subdirectory, else the first plain entry that is acceptable."""
    wanted = _FLAGS[reader.arch]
    best: dict[str, tuple[int, int]] = {}
    for flags, key, value, os_version, hwcap in entries:
        if flags != wanted:
            continue
        if reader.knows_named and hwcap >> 42 == _HWCAP_EXTENSION >> 42:
            place = priorities.get(hwcap & 0xFFFFFFFF)
            if place is None or not reader.reaches(hwcap >> 32 & 0x3FF):
                continue
        elif reader.takes(os_version, hwcap):
            place = len(reader.named)
        else:
            continue
        name = _string(data, strings + key)
        if name not in best or place < best[name][0]:
            best[name] = (place, value)
    return {name: (_string(data, strings + value),) for name, (_, value) in best.items()}


def _string(data: bytes, offset: int) -> str:
    return os.fsdecode(data[offset : data.index(b"\0", offset)])

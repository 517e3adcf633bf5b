"""What a host's own loader and C library say about themselves, read from their bytes: nothing of the host is run."""

from __future__ import annotations

import os
import re
import struct
from typing import NamedTuple

# trusted-dirs.h: the directories stand one after the other, each with a slash and a NUL at its end.
_SYSTEM_DIRS = re.compile(rb"\0/[^\0\s]*/\0(?:/[^\0\s]*/\0)*")
# Debian's own `$LIB` (debian/patches/any/local-ldso-multilib...) keeps the triplet; upstream's is the last part of slibdir.
_MULTIARCH_LIB = re.compile(rb"\0(lib/[a-z0-9_]+-linux-gnu)\0")
_HWCAPS = re.compile(rb"\0(x86-64-v\d(?::x86-64-v\d)*)\0")
_BANNER = re.compile(rb"GNU C Library \(([^)\n]*)\)[^\n]*? version (\d+)\.(\d+)")
_GLIBC_NODE = re.compile(rb"\0GLIBC_2\.(\d+)(?=\0)")
_MUSL_VERSION = re.compile(rb"\0(\d+)\.(\d+)\.(\d+)(?:[-_.]git[^\0]*)?\0")
# An ELF note of type 1 named GNU with four words: NT_GNU_ABI_TAG.
_ABI_TAG = b"\x04\0\0\0\x10\0\0\0\x01\0\0\0GNU\0"
_TUNABLE = re.compile(rb"\0(glibc\.[a-z]+\.[a-z0-9_]+)(?=\0)")
_EXECSTACK = b"\0glibc.rtld.execstack\0"

MUSL_PATH = "/lib:/usr/local/lib:/usr/lib"


class Glibc(NamedTuple):
    """What is built into one ld.so of glibc; `hwcaps` are its own glibc-hwcaps subdirectories, best first."""

    system_dirs: tuple[str, ...]
    lib: str
    hwcaps: tuple[str, ...]
    execstack_tunable_max: int
    tunables: frozenset[str] = frozenset()


class Banner(NamedTuple):
    """What libc.so.6 says about itself; `vendor` is empty for upstream's own build."""

    version: tuple[int, ...]
    vendor: str
    min_kernel: tuple[int, int, int]


def parse_glibc_loader(data: bytes) -> Glibc | None:
    """What is built into the ld.so `data`; None when it has no directories of its own and so is no ld.so of glibc."""
    runs = [match.group() for match in _SYSTEM_DIRS.finditer(data)]
    if not runs:
        return None
    system = tuple(os.fsdecode(each) for each in max(runs, key=len).split(b"\0") if each)
    lib = _MULTIARCH_LIB.search(data)
    hwcaps = _HWCAPS.search(data)
    return Glibc(
        system_dirs=system,
        lib=lib.group(1).decode() if lib else system[0].rstrip("/").rpartition("/")[2],
        hwcaps=tuple(hwcaps.group(1).decode().split(":")) if hwcaps else (),
        execstack_tunable_max=_execstack_max(data),
        tunables=frozenset(name.decode() for name in _TUNABLE.findall(data)),
    )


def _min_kernel(data: bytes) -> tuple[int, int, int]:
    """The kernel that this C library was configured for (.note.ABI-tag)."""
    note = data.find(_ABI_TAG)
    if note < 0 or note + 32 > len(data):
        return (0, 0, 0)
    _, major, minor, patch = struct.unpack_from("<IIII", data, note + 16)
    return (major, minor, patch)


def _execstack_max(data: bytes) -> int:
    """The largest value of the tunable glibc.rtld.execstack: 2 where Debian and 2.42 allow it, 1 in 2.41, 0 without it.

    In `struct _tunable` (elf/dl-tunable-types.h) the name is followed by its type (0, a 32-bit number), the least value (0) and
    the largest, so that is the first byte after the name which is not zero.
    """
    name = data.find(_EXECSTACK)
    if name < 0:
        return 0
    rest = data[name + len(_EXECSTACK) : name + 128].lstrip(b"\0")
    return rest[0] if rest else 0


def parse_glibc_banner(data: bytes) -> Banner | None:
    """The banner of libc.so.6, a line like `GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36` in its data.

    Without one the newest version node is taken, which no later release can lack.
    """
    banner = _BANNER.search(data)
    if banner is not None:
        vendor = banner.group(1).decode(errors="replace").partition(" ")[0]
        version = (int(banner.group(2)), int(banner.group(3)))
        return Banner(version, "" if vendor == "GNU" else vendor, _min_kernel(data))
    nodes = [int(minor) for minor in _GLIBC_NODE.findall(data)]
    return Banner((2, max(nodes)), "", _min_kernel(data)) if nodes else None


def parse_musl_version(data: bytes) -> tuple[int, ...] | None:
    """The version of the musl `data`: the string `__libc_version`."""
    if b"musl libc" not in data:
        return None
    version = _MUSL_VERSION.search(data)
    return tuple(int(part) for part in version.groups()) if version else None


def musl_dirs(path_file: bytes | None) -> tuple[str, ...]:
    """The directories that musl searches: those of its path file, else the ones built in (ldso/dynlink.c)."""
    text = MUSL_PATH if path_file is None else os.fsdecode(path_file)
    # One slash is put behind each, whether or not it has one: texts show that.
    return tuple(each + "/" for each in re.split("[:\n]", text) if each)

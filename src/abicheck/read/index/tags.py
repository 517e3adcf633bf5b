"""What pip on the target would accept: wheel tags, best first, and the values of markers."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from abicheck.model.host import Arch, Libc
    from abicheck.model.index import Target

#: The Pythons that are tried where a host may have any, newest first.
PYTHONS = tuple((3, minor) for minor in range(14, 7, -1))

#: A minor version of glibc and of musl that none has reached.
_NEWEST_MINOR = 60

#: Stands for the patch release that is not known: later than any, since that is what a maintained host has.
LATEST_PATCH = 99

#: PEP 600's names of older manylinux tags, by the glibc 2.x that they stand for.
_LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}


def platforms(arch: Arch, libc: Libc) -> tuple[str, ...]:
    """The platform tags of a machine, best first (PEP 600, PEP 656).

    What was built on such a machine itself comes first, as in pip from 26.3 on (`packaging.tags`); older ones take it last.
    """
    if libc.kind == "musl":
        named = [f"musllinux_{libc.version[0]}_{minor}" for minor in range(libc.version[1], -1, -1)]
    else:
        oldest = 5 if arch == "x86_64" else 17
        named = []
        for minor in range(libc.version[1], oldest - 1, -1):
            named.append(f"manylinux_2_{minor}")
            if minor in _LEGACY:
                named.append(_LEGACY[minor])
    return tuple(f"{name}_{arch}" for name in ["linux", *named])


def abi(target: Target) -> str:
    """The ABI tag of the target's Python: `cp313`, or `cp313t` where it is free-threaded."""
    return f"cp{target.python[0]}{target.python[1]}" + ("t" if target.free_threaded else "")


def full_version(target: Target) -> str:
    """The version with a patch release."""
    return ".".join(map(str, (*target.python, LATEST_PATCH)[:3]))


@lru_cache(maxsize=1 << 10)
def tags(target: Target) -> tuple[str, ...]:
    """All tags of wheels that pip accepts there, best first."""
    from packaging.tags import compatible_tags, cpython_tags  # noqa: PLC0415 -- costs 15 ms

    major, minor = target.libc.version[:2]
    if minor < _NEWEST_MINOR:
        # The tags of any C library are those of the newest, in that order, without those of newer platforms.
        newest = target._replace(libc=target.libc._replace(version=(major, _NEWEST_MINOR)))
        here = {*platforms(target.arch, target.libc), "any"}
        return tuple(tag for tag in tags(newest) if tag.rpartition("-")[2] in here)
    version = target.python[:2]
    machine = platforms(target.arch, target.libc)
    specific = cpython_tags(version, [abi(target)], machine)
    common = compatible_tags(version, f"cp{version[0]}{version[1]}", machine)
    return tuple(map(str, (*specific, *common)))


@lru_cache(maxsize=1 << 10)
def tag_set(target: Target) -> frozenset[str]:
    """All tags of wheels that pip accepts there."""
    return frozenset(tags(target))


def markers(target: Target) -> dict[str, str]:
    """The environment in which markers are evaluated (PEP 508), without `extra`.

    The kernel's release is that of a `Host` of which nothing is known; hardly a distribution asks for it on Linux.
    """
    full = full_version(target)
    return {
        "implementation_name": "cpython",
        "implementation_version": full,
        "os_name": "posix",
        "platform_machine": target.arch,
        "platform_python_implementation": "CPython",
        "platform_release": "6.1.0",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": full,
        "python_version": ".".join(map(str, target.python[:2])),
        "sys_platform": "linux",
    }

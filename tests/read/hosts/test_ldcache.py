from __future__ import annotations

import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abicheck.read.hosts.cpu import Cpu, baseline
from abicheck.read.hosts.ldcache import CacheReader, parse_cache

NAMED = 1 << 62
X86_64 = 0x0303
I386 = 0x0003


def _reader(
    version: tuple[int, int] = (2, 36), named: tuple[str, ...] = ("x86-64-v3", "x86-64-v2"), level: int = 3
) -> CacheReader:
    return CacheReader(
        arch="x86_64",
        version=version,
        kernel=(5, 10, 0),
        cpu=Cpu(level, "haswell", 1 << 1),
        named=named,
        knows_named=version >= (2, 33),
    )


def _cache(*entries: tuple[str, str, int, int, int], hwcaps: tuple[str, ...] = (), flags: int = 2, old: bool = False) -> bytes:
    """A cache of (name, path, flags, OS version, hwcap), as ldconfig writes it."""
    strings = b""
    places: dict[str, int] = {}
    first = 48 + 24 * len(entries)
    for text in (*hwcaps, *(entry[1] for entry in entries)):
        places[text] = first + len(strings)
        strings += text.encode() + b"\0"
    # The name is the end of the path, so the same name stands in several places.
    body = b"".join(
        struct.pack("<iIIIQ", kind, places[path] + len(path) - len(name), places[path], os, cap)
        for name, path, kind, os, cap in entries
    )
    extension = first + len(strings) + -(first + len(strings)) % 4
    header = struct.pack("<20sIIB3xI12x", b"glibc-ld.so.cache1.1", len(entries), len(strings), flags, extension if hwcaps else 0)
    data = header + body + strings
    if hwcaps:
        data = data.ljust(extension, b"\0")
        data += struct.pack("<IIIIII", 0xEAA42174, 1, 1, 0, extension + 24, 4 * len(hwcaps))
        data += b"".join(struct.pack("<I", places[name]) for name in hwcaps)
    if old:
        prefix = struct.pack("<12sI", b"ld.so-1.7.0", 1) + struct.pack("<iII", I386, 0, 0)
        data = prefix.ljust(-(-len(prefix) // 8) * 8, b"\0") + data
    return data


PLAIN = ("liba.so.1", "/lib/liba.so.1", X86_64, 0, 0)


@pytest.mark.parametrize("old", [False, True])
def test_both_formats_are_read(*, old: bool) -> None:
    assert parse_cache(_cache(PLAIN, old=old), _reader()) == {"liba.so.1": ("/lib/liba.so.1",)}


def test_a_cache_of_the_old_format_alone_is_read() -> None:
    strings = b"liba.so.1\0/lib/liba.so.1\0"
    data = struct.pack("<12sIiII", b"ld.so-1.7.0", 1, X86_64, 0, 10) + strings
    assert parse_cache(data, _reader()) == {"liba.so.1": ("/lib/liba.so.1",)}


def test_other_architectures_are_left_out() -> None:
    other = ("liba.so.1", "/lib32/liba.so.1", I386, 0, 0)
    assert parse_cache(_cache(other, PLAIN), _reader()) == {"liba.so.1": ("/lib/liba.so.1",)}
    assert parse_cache(_cache(other), _reader()) == {}


def test_the_best_named_subdirectory_wins() -> None:
    entries = (
        ("liba.so.1", "/lib/v2/liba.so.1", X86_64, 0, NAMED | 1 << 32 | 0),
        ("liba.so.1", "/lib/v3/liba.so.1", X86_64, 0, NAMED | 2 << 32 | 1),
        ("liba.so.1", "/lib/v4/liba.so.1", X86_64, 0, NAMED | 3 << 32 | 2),
        PLAIN,
    )
    cache = _cache(*entries, hwcaps=("x86-64-v2", "x86-64-v3", "x86-64-v4"))

    def found(**kind: object) -> str:
        parsed = parse_cache(cache, _reader(**kind))  # type: ignore[arg-type]
        assert parsed is not None
        return parsed["liba.so.1"][0]

    assert found() == "/lib/v3/liba.so.1"
    assert found(named=("x86-64-v2",), level=2) == "/lib/v2/liba.so.1"
    assert found(named=(), level=1) == "/lib/liba.so.1"
    assert found(version=(2, 31)) == "/lib/liba.so.1"
    # The subdirectory is searched, yet the library in it needs more than the CPU has.
    assert found(level=1) == "/lib/liba.so.1"


@pytest.mark.parametrize(
    ("hwcap", "os_version", "version", "taken"),
    [
        (1 << 50, 0, (2, 36), True),  # haswell, which the CPU is
        (1 << 51, 0, (2, 36), False),  # xeon_phi
        (1 << 2, 0, (2, 36), False),  # avx512_1
        (1 << 63, 0, (2, 36), True),  # tls
        (1 << 50, 0, (2, 37), False),  # from 2.37 on there are no such entries
        (0, 0x060000, (2, 35), False),  # for kernel 6.0, and it runs on 5.10
        (0, 0x050A00, (2, 35), True),
        (0, 0x060000, (2, 36), True),  # from 2.36 on nobody asks
    ],
)
def test_entries_for_other_cpus_and_kernels_are_left_out(
    hwcap: int, os_version: int, version: tuple[int, int], *, taken: bool
) -> None:
    special = ("liba.so.1", "/special/liba.so.1", X86_64, os_version, hwcap)
    expected = "/special/liba.so.1" if taken else "/lib/liba.so.1"
    assert parse_cache(_cache(special, PLAIN), _reader(version)) == {"liba.so.1": (expected,)}


@pytest.mark.parametrize("data", [b"", b"ld.so-1.7.0", b"not a cache", _cache(PLAIN)[:60], _cache(PLAIN, flags=3)])
def test_what_the_loader_would_not_accept_is_no_cache(data: bytes) -> None:
    assert parse_cache(data, _reader()) is None


def test_an_old_loader_knows_no_byte_order_mark() -> None:
    assert parse_cache(_cache(PLAIN, flags=3), _reader((2, 31))) is not None


@given(st.data())
def test_no_bytes_raise_anything(data: st.DataObject) -> None:
    cache = bytearray(_cache(PLAIN, hwcaps=("x86-64-v2",), old=data.draw(st.booleans())))
    for _ in range(data.draw(st.integers(0, 4))):
        cache[data.draw(st.integers(0, len(cache) - 1))] = data.draw(st.integers(0, 255))
    parse_cache(bytes(cache[: data.draw(st.integers(0, len(cache)))]), _reader())


@pytest.mark.skipif(not shutil.which("ldconfig", path="/sbin:/usr/sbin"), reason="this machine has no ldconfig")
def test_this_machines_cache_reads_as_ldconfig_prints_it() -> None:
    """`ldconfig -p` prints every entry; of each name the loader would take the first without a condition."""
    ldconfig = shutil.which("ldconfig", path="/sbin:/usr/sbin")
    assert ldconfig is not None
    printed = subprocess.run([ldconfig, "-p"], capture_output=True, text=True, check=True).stdout
    expected: dict[str, tuple[str, ...]] = {}
    for name, path in re.findall(r"^\t(\S+) \(libc6,x86-64\) => (.*)$", printed, re.MULTILINE):
        expected.setdefault(name, (path,))
    if not expected:
        pytest.skip("this machine's cache has no entry for x86-64")
    reader = CacheReader(arch="x86_64", version=(2, 36), kernel=(6, 0, 0), cpu=baseline("x86_64"), named=(), knows_named=True)
    assert parse_cache(Path("/etc/ld.so.cache").read_bytes(), reader) == expected

from __future__ import annotations

import struct

import pytest

from abicheck.read.hosts.ldso import musl_dirs, parse_glibc_banner, parse_glibc_loader, parse_musl_version

DEBIAN_DIRS = b"\0/lib/x86_64-linux-gnu/\0/usr/lib/x86_64-linux-gnu/\0/lib/\0/usr/lib/\0"


def _tunable(most: int) -> bytes:
    """One entry of the table of tunables: name, type and bounds, default."""
    return b"\0glibc.rtld.execstack".ljust(43, b"\0") + struct.pack("<Qqq", 0, 0, most) + struct.pack("<q", 1)


def test_a_loader_of_debian() -> None:
    data = b"\x7fELF\0/etc/ld.so.cache\0" + DEBIAN_DIRS + b"\0lib/x86_64-linux-gnu\0x86-64-v4:x86-64-v3:x86-64-v2\0" + _tunable(2)
    found = parse_glibc_loader(data)
    assert found is not None
    assert found.system_dirs == ("/lib/x86_64-linux-gnu/", "/usr/lib/x86_64-linux-gnu/", "/lib/", "/usr/lib/")
    assert found.lib == "lib/x86_64-linux-gnu"
    assert found.hwcaps == ("x86-64-v4", "x86-64-v3", "x86-64-v2")
    assert found.execstack_tunable_max == 2


def test_a_loader_of_another_distribution() -> None:
    found = parse_glibc_loader(b"\x7fELF\0/proc/\0x\0/lib64/\0/usr/lib64/\0" + _tunable(1))
    assert found is not None
    assert (found.system_dirs, found.lib, found.hwcaps, found.execstack_tunable_max) == (
        ("/lib64/", "/usr/lib64/"),
        "lib64",
        (),
        1,
    )


def test_a_file_that_is_no_loader() -> None:
    assert parse_glibc_loader(b"\x7fELF and nothing else") is None
    assert parse_glibc_loader(b"") is None


@pytest.mark.parametrize(
    ("banner", "version", "vendor"),
    [
        (b"GNU C Library (Debian GLIBC 2.41-12+deb13u4) stable release version 2.41.\n", (2, 41), "Debian"),
        (b"GNU C Library (Ubuntu GLIBC 2.35-0ubuntu3.8) stable release version 2.35.\n", (2, 35), "Ubuntu"),
        (b"GNU C Library (GNU libc) stable release version 2.17, by Roland McGrath et al.\n", (2, 17), ""),
        (b"GNU C Library (GNU libc) development release version 2.42.9000.\n", (2, 42), ""),
    ],
)
def test_banners(banner: bytes, version: tuple[int, int], vendor: str) -> None:
    note = struct.pack("<III4sIIII", 4, 16, 1, b"GNU", 0, 3, 2, 0)
    found = parse_glibc_banner(b"\0GLIBC_2.2.5\0GLIBC_2.99\0" + note + banner)
    assert found is not None
    assert (found.version, found.vendor, found.min_kernel) == (version, vendor, (3, 2, 0))


def test_without_a_banner_the_newest_node_tells() -> None:
    found = parse_glibc_banner(b"\0GLIBC_2.2.5\0GLIBC_2.9\0GLIBC_2.34\0GLIBC_PRIVATE\0")
    assert found is not None
    assert (found.version, found.min_kernel) == ((2, 34), (0, 0, 0))
    assert parse_glibc_banner(b"nothing") is None


def test_musl() -> None:
    assert parse_musl_version(b"\0\0musl libc (x86_64)\nVersion %s\n\x001.2.5\0") == (1, 2, 5)
    assert parse_musl_version(b"musl libc\x001.2.4_git20230717\0") == (1, 2, 4)
    assert parse_musl_version(b"\x001.2.5\0") is None
    assert musl_dirs(None) == ("/lib/", "/usr/local/lib/", "/usr/lib/")
    assert musl_dirs(b"/opt/lib\n/lib:/usr/lib/\n") == ("/opt/lib/", "/lib/", "/usr/lib//")

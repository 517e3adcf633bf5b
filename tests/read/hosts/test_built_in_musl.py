"""Built-in hosts with musl: the table of its symbols, Alpine, and what is not known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abicheck.api.absent import with_python
from abicheck.judge.loader import dlopen, start
from abicheck.model.elf import SharedObject
from abicheck.read.files import Root, View
from abicheck.read.hosts import open_host
from abicheck.read.hosts.catalogue import catalogue, nearest
from abicheck.read.hosts.musl import exports
from abicheck.read.index.tags import platforms
from tests.elfparts import Relocation, Symbol
from tests.elfwriter import write_elf
from tools.make_musl_table import listed, main

if TYPE_CHECKING:
    from pathlib import Path

    from abicheck.model.host import Arch
    from abicheck.model.process import LinkMap

ALPINES = [name for name in catalogue() if name.startswith("alpine:")]


def test_it_is_as_its_input_makes_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().out


def test_zigs_list_is_read_for_a_machine() -> None:
    text = """
#ifdef PTR64
#define WEAK64 .weak
#else
.globl only32
.type only32, %function;
#endif
#if !defined(ARCH_riscv64) && !defined(ARCH_aarch64)
.globl here
.type here, %object;
#endif
WEAK64 time
.type time, %function;
.globl _dlstart
.type _dlstart, %function;
"""
    assert listed(text, "x86_64") == {"here": "1 1", "time": "2 2"}
    assert listed(text, "aarch64") == {"time": "2 2"}


@pytest.mark.parametrize(
    ("releases", "name", "known"),
    [
        (("1.2.3",), "malloc", True),
        (("1.2.3",), "fopen64", True),  # since 1.2.4 its loader finds these names, and no table does
        (("1.2.4", "1.2.5"), "fopen64", False),
        (("1.2.3",), "statx", False),
        (("1.2.4", "1.2.5"), "statx", None),
        (("1.2.5",), "statx", True),
        (("1.2.5",), "posix_getdents", False),
        (("1.2.5", "1.2.6"), "posix_getdents", None),
        # Upstream has it, Debian's 1.2.3 has not.
        (("1.2.3",), "crypt", True),
        # What Debian adds another may add, too.
        (("1.2.5",), "fts_open", None),
        (("1.2.5",), "renameat2", None),
        (("1.2.3",), "renameat2", False),
    ],
)
@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_what_a_release_defines(arch: Arch, releases: tuple[str, ...], name: str, known: bool | None) -> None:  # noqa: FBT001
    found = exports(arch, releases)
    assert (None if name in found.maybe else name in found.certain) is known


def test_machines_differ() -> None:
    assert "arch_prctl" in exports("x86_64", ("1.2.5",)).certain
    assert "arch_prctl" not in exports("aarch64", ("1.2.5",)).certain


def opened(tmp_path: Path, spec: str, *needed: str, wants: str = "malloc") -> LinkMap:
    """What opening an object says on a host."""
    data = write_elf(needed=needed, symbols=[Symbol(wants)], relocations=[Relocation("glob_dat", wants)])
    (tmp_path / "a.so").write_bytes(data)
    host = open_host(spec)
    assert isinstance(host.files, Root)
    assert host.python is not None
    view = View(directory="/", local="/", only="", places=(("/x", str(tmp_path)),))
    path = host.python.path
    host = with_python(host._replace(files=host.files.showing(view)))
    _, process = start(host, path)
    return dlopen(process, "/x/a.so", host)[0]


def outcome(link_map: LinkMap) -> str:
    """`loads`, or what is missing, or the loader's text."""
    return link_map.predicted or next((each.reason for each in link_map.missing), "loads")


NOT_FOUND = "Error loading shared library {}: No such file or directory (needed by /x/a.so)"


@pytest.mark.parametrize(
    ("spec", "needed", "wants", "expected"),
    [
        ("alpine:3.16", "libc.musl-x86_64.so.1", "malloc", "loads"),
        ("alpine:3.22", "libm.so.6", "malloc", "loads"),
        ("alpine:3.22", "libz.so.1", "deflate", "loads"),
        ("alpine:3.22", "ld-linux-x86-64.so.2", "malloc", NOT_FOUND.format("ld-linux-x86-64.so.2")),
        ("alpine:3.22", "libstdc++.so.6", "malloc", NOT_FOUND.format("libstdc++.so.6")),
        ("python:3.12-alpine3.22", "libgcc_s.so.1", "malloc", NOT_FOUND.format("libgcc_s.so.1")),
        ("alpine:3.22", "libffi.so.8", "malloc", NOT_FOUND.format("libffi.so.8")),
        ("python:3.12-alpine", "libffi.so.8", "malloc", "whether libffi.so.8 is installed on python:3.12-alpine"),
        ("alpine:3.22", "libssl.so.3", "SSL_new", "what libssl.so.3 on alpine:3.22 defines, of which no file was read"),
        ("alpine:3.16", "libssl.so.3", "SSL_new", NOT_FOUND.format("libssl.so.3")),
        ("alpine:3.22", "libc.so", "__vsnprintf_chk", "Error relocating /x/a.so: __vsnprintf_chk: symbol not found"),
        ("alpine:3.17", "libc.so", "statx", "Error relocating /x/a.so: statx: symbol not found"),
        ("alpine:3.19", "libc.so", "statx", "whether /lib/ld-musl-x86_64.so.1 defines statx"),
        ("alpine:3.20", "libc.so", "statx", "loads"),
        ("alpine:3.20", "libc.so", "fopen64", "loads"),
        ("alpine:3.23", "libc.so", "posix_fallocate64", "Error relocating /x/a.so: posix_fallocate64: symbol not found"),
        ("alpine:3.24", "libc.so", "posix_fallocate64", "whether /lib/ld-musl-x86_64.so.1 defines posix_fallocate64"),
    ],
)
def test_what_opening_says(tmp_path: Path, spec: str, needed: str, wants: str, expected: str) -> None:
    link_map = opened(tmp_path, spec, needed, wants=wants)
    assert outcome(link_map) == expected


def test_its_libz_is_known_by_that_of_others(tmp_path: Path) -> None:
    (error,) = opened(tmp_path, "alpine:3.22", "libz.so.1", wants="deflated").errors
    assert (error.kind, error.certain) == ("symbol-missing", False)


@pytest.mark.parametrize("path", ["/lib/ld-musl-x86_64.so.1", "/lib/libc.musl-x86_64.so.1"])
def test_the_c_library_by_its_path_is_the_one_that_runs(path: str) -> None:
    host = with_python(open_host("alpine:3.22"))
    assert host.python is not None
    _, process = start(host, host.python.path)
    link_map, _ = dlopen(process, path, host)
    assert (link_map.predicted, link_map.objects) == (None, ())


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
@pytest.mark.parametrize("name", ALPINES)
def test_every_release_takes_wheels_for_musl(name: str, arch: Arch) -> None:
    host = open_host(f"{name}/{arch}")
    assert platforms(host.arch, host.libc)[1:] == (f"musllinux_1_2_{arch}", f"musllinux_1_1_{arch}", f"musllinux_1_0_{arch}")
    assert (host.any_python, host.loader.path) == (True, f"/lib/ld-musl-{arch}.so.1")
    facts = host.files.facts(host.files.stat(host.loader.path))  # type: ignore[arg-type]
    assert isinstance(facts, SharedObject)
    assert {"__libc_start_main", "stdin", "dlopen"} <= set(facts.definitions)


def test_the_images_of_python_have_theirs_only() -> None:
    host = open_host("python:3.13-alpine3.23")
    assert host.python is not None
    assert (host.python.path, host.any_python, host.libc.version) == ("/usr/local/bin/python3.13", False, (1, 2, 5))


def test_an_unknown_release() -> None:
    assert "alpine:3.22" in nearest("alpine:3.222")

"""The built-in table of glibc, its making, and this machine's own C library beside it."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import pytest

from abicheck.errors import DataError
from abicheck.read.hosts import packed
from abicheck.read.hosts.glibc import exports
from tools.make_glibc_table import main

if TYPE_CHECKING:
    from abicheck.model.host import Arch

LIBC, PTHREAD = "libc.so.6", "libpthread.so.0"


def test_it_is_as_its_input_makes_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    ("arch", "minor", "soname", "node", "symbol", "there"),
    [
        # 2.34 moved libpthread into libc.so.6; what was linked before still names libpthread.so.0, whose nodes stay.
        ("x86_64", 33, PTHREAD, "GLIBC_2.2.5", "pthread_create", True),
        ("x86_64", 34, PTHREAD, "GLIBC_2.2.5", "pthread_create", False),
        ("x86_64", 34, PTHREAD, "GLIBC_2.2.5", "__libpthread_version_placeholder", True),
        ("x86_64", 33, LIBC, "GLIBC_2.2.5", "pthread_create", False),
        ("x86_64", 34, LIBC, "GLIBC_2.2.5", "pthread_create", True),
        ("aarch64", 33, LIBC, "GLIBC_2.34", "pthread_create", False),
        ("aarch64", 34, LIBC, "GLIBC_2.34", "pthread_create", True),
        # A symbol is there from its node's version on, and old versions of it stay.
        ("x86_64", 28, "libm.so.6", "GLIBC_2.29", "exp", False),
        ("x86_64", 29, "libm.so.6", "GLIBC_2.29", "exp", True),
        ("x86_64", 43, "libm.so.6", "GLIBC_2.2.5", "exp", True),
        ("x86_64", 37, LIBC, "GLIBC_2.38", "strlcpy", False),
        ("x86_64", 38, LIBC, "GLIBC_2.38", "strlcpy", True),
        ("aarch64", 17, PTHREAD, "GLIBC_2.17", "pthread_atfork", True),
        ("aarch64", 18, PTHREAD, "GLIBC_2.17", "pthread_atfork", False),
        # Data, alone in its group and among others.
        ("x86_64", 17, "ld-linux-x86-64.so.2", "GLIBC_2.2.5", "_r_debug", True),
        ("aarch64", 43, "ld-linux-aarch64.so.1", "GLIBC_2.17", "__stack_chk_guard", True),
        # Libraries that came and went.
        ("x86_64", 38, "libcrypt.so.1", "GLIBC_2.2.5", "crypt", True),
        ("x86_64", 39, "libcrypt.so.1", "GLIBC_2.2.5", "crypt", False),
        ("aarch64", 37, "libmvec.so.1", "GLIBC_2.38", "_ZGVnN2v_cos", False),
        ("aarch64", 38, "libmvec.so.1", "GLIBC_2.38", "_ZGVnN2v_cos", True),
        ("x86_64", 43, "libm.so.6", "GLIBC_2.44", "sinh", False),
        ("x86_64", 44, "libm.so.6", "GLIBC_2.44", "sinh", True),
        ("x86_64", 44, "libm.so.6", "GLIBC_2.2.5", "sinh", True),
        ("aarch64", 44, "libmvec.so.1", "GLIBC_2.44", "_ZGVsMxvv_powr", True),
    ],
)
def test_what_defines_what(arch: Arch, minor: int, soname: str, node: str, symbol: str, there: bool) -> None:  # noqa: FBT001
    assert (symbol in exports(arch, minor).get(soname, {}).get(node, frozenset())) is there


@pytest.mark.parametrize("minor", [16, 45])
def test_a_version_that_is_not_in_it(minor: int) -> None:
    assert exports("x86_64", minor) == {}


def test_every_version_has_its_own_node_or_none_and_none_that_is_newer() -> None:
    for minor in range(17, 45):
        nodes = {node for libraries in exports("x86_64", minor).values() for node in libraries}
        assert max(int(node.split(".")[1]) for node in nodes) <= minor


@pytest.mark.parametrize("content", [b"", b"no zlib", zlib.compress(b"no JSON"), zlib.compress(b"\xff")])
def test_a_damaged_table_is_one_clear_line(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    class Loader:
        def get_data(self, path: str) -> bytes:
            assert path.endswith("hosts/data/glibc.json.z")
            return content

    monkeypatch.setattr(packed, "__loader__", Loader())
    with pytest.raises(DataError, match=r"^glibc\.json\.z: .*; install abicheck anew$"):
        exports("x86_64", 41)

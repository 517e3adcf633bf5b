"""Files to read: real ones of the running machine, and one written for the purpose."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from tests.elfparts import FUNC, Relocation, Symbol, abi_tag, build_id, gnu_property
from tests.elfwriter import Elf

PUTS = Symbol("puts", version="GLIBC_2.2.5", file="libc.so.6", type=FUNC)


@pytest.fixture
def library() -> Elf:
    """An object with something in every table."""
    return Elf(
        soname="libx.so.1",
        needed=["libc.so.6"],
        runpath="$ORIGIN",
        symbols=[PUTS, Symbol("answer", defined=True), Symbol("old", defined=True, version="V1", default=False)],
        version_definitions=["V1", "V2"],
        relocations=[Relocation("relative"), Relocation("jump_slot", "puts"), Relocation("glob_dat", "answer")],
        notes=[build_id(b"\x01\x02"), abi_tag(0, 3, 2, 0), gnu_property({0xC0000002: 3, 0xC0008002: 1})],
        hashes=("gnu", "sysv"),
        tls_size=16,
        bss=5000,
    )


def real_files() -> list[Path]:
    """The extension modules of the running Python and the C library beside them."""
    modules = sorted(Path(sysconfig.get_config_var("DESTSHARED") or "").glob("*.so"))
    system = [Path(name) for name in ("/lib/x86_64-linux-gnu/libc.so.6", "/lib/x86_64-linux-gnu/libm.so.6", "/lib64/libc.so.6")]
    return modules[:40] + [path for path in system if path.exists()]

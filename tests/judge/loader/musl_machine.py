"""A small machine with musl, built by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abicheck.model.host import Host, Libc, LoaderConfig
from tests.judge.loader.machine import PROGRAM, Shelf, defined, library, load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abicheck.model.elf import ElfFile

LDSO = "/lib/ld-musl-x86_64.so.1"
LIBC = library(
    exports={name: defined() for name in ("__libc_start_main", "stdin", "malloc", "fopen", "posix_fallocate", "readdir_r")}
)
PYTHON = library(["libc.musl-x86_64.so.1"], exports={"PyLong_FromLong": defined()}, interpreter=LDSO)


def musl_host(files: Mapping[str, ElfFile | str | int], version: tuple[int, ...] = (1, 2, 5), **more: Any) -> Host:
    made = Host(
        name="test",
        kind="rootfs",
        arch="x86_64",
        libc=Libc(kind="musl", version=version),
        files=Shelf({LDSO: LIBC, PROGRAM: PYTHON, **files}),
        loader=LoaderConfig(path=LDSO, system_dirs=("/lib/", "/usr/local/lib/", "/usr/lib/")),
    )
    return made._replace(**more)


def said(files: Mapping[str, ElfFile | str | int], version: tuple[int, ...] = (1, 2, 5), **more: Any) -> str | None:
    return load("/x/a.so", musl_host(files, version, **more)).predicted

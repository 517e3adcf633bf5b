"""Wheels and installed distributions whose shared objects need a repair, as the tests of `repair` want them."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import TYPE_CHECKING

from abicheck.read.artifacts.metadata import record_hash
from tests.elfwriter import write_elf
from tests.wheelwriter import INFO, basic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: Asks for an executable stack; the other one has a search path that counts from the current directory.
MARKED = write_elf(soname="libdemo.so", stack=7)
RELATIVE = write_elf(soname="libshim.so", rpath="demo.libs", needed=["libdemo.so"])
FINE = write_elf(soname="libfine.so", stack=6)
LIB, SHIM = "demo.libs/libdemo.so", "demo.libs/libshim.so"
NAME = "demo-1.0-cp312-cp312-linux_x86_64.whl"


def hashed(files: Mapping[str, bytes], ending: str = "\r\n") -> bytes:
    """A RECORD of `files` with their hashes, and of itself."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=ending)
    writer.writerows((name, record_hash("sha256", [content]), len(content)) for name, content in files.items())
    writer.writerow((f"{INFO}/RECORD", "", ""))
    return text.getvalue().encode()


def demo(more: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """The files of a wheel with one object that is marked, RECORD as the last."""
    files = basic({LIB: MARKED, SHIM: RELATIVE, "demo.libs/libfine.so": FINE, **(more or {})})
    return {**files, f"{INFO}/RECORD": hashed(files)}


def demo_wheel(directory: Path, more: Mapping[str, bytes] | None = None, name: str = NAME, method: int = 8) -> str:
    """A wheel of them, its members with times and modes of their own."""
    path = directory / name
    with zipfile.ZipFile(path, "w") as archive:
        archive.comment = b"a comment"
        for number, (member, content) in enumerate(demo(more).items()):
            info = zipfile.ZipInfo(member, (2001, 2, 3, 4, 5, number * 2 % 60))
            info.external_attr, info.compress_type = (0o100644 + number) << 16, method
            archive.writestr(info, content)
    return str(path)


def install(directory: Path, more: Mapping[str, bytes] | None = None) -> Path:
    """The same distribution as it lies in a site-packages directory, which is returned."""
    library = directory / "lib" / "python3.12" / "site-packages"
    for name, content in demo(more).items():
        (library / name).parent.mkdir(parents=True, exist_ok=True)
        (library / name).write_bytes(content)
    return library

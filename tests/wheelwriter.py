"""Writes wheels as tests want them, well-formed or not."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from abicheck.model.artifact import Scheme

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEME = Scheme("/v/lib/python3.12/site-packages", "/v/bin", "/v")
INFO = "demo-1.0.dist-info"
METADATA = b"Metadata-Version: 2.1\nName: De.Mo\nVersion: 1.0\nRequires-Dist: numpy\nRequires-Python: >=3.9\n\nName: no field\n"
WHEEL = b"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp312-cp312-linux_x86_64\n"


def basic(more: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """The files of a small wheel, without RECORD."""
    return {"demo/__init__.py": b"", f"{INFO}/METADATA": METADATA, f"{INFO}/WHEEL": WHEEL, **(more or {})}


def record(files: Mapping[str, bytes]) -> bytes:
    """A RECORD of `files` and of itself, without hashes."""
    lines = [f"{name},,{len(content)}" for name, content in files.items()]
    return "\n".join([*lines, f"{INFO}/RECORD,,", ""]).encode()


def write_wheel(path: Path, files: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> str:
    """A wheel of `files` at `path`, with a RECORD that lists them unless there is one among them."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        if f"{INFO}/RECORD" not in files and any(name.startswith(INFO) for name in files):
            archive.writestr(f"{INFO}/RECORD", record(files))
    return str(path)

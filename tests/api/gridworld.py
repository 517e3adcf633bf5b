"""A shelf of wheels for grids, which is the only index that pip asks, and a cache of one's own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.wheelwriter import write_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest

TAG = "cp312-cp312-manylinux_2_17_x86_64"


def isolate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is all that pip sees; nothing of this machine's configuration is."""
    shelf = tmp_path / "shelf"
    shelf.mkdir(exist_ok=True)
    for name in list(os.environ):
        if name.upper().startswith("PIP_") or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    given = {"ABICHECK_CACHE": tmp_path / "cache", "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": shelf}
    for name, value in {**given, "PIP_CACHE_DIR": tmp_path / "pip", "HOME": tmp_path}.items():
        monkeypatch.setenv(name, str(value))
    return shelf


def put(shelf: Path, name: str, version: str, files: Mapping[str, bytes], tag: str = TAG, requires: str = "") -> None:
    """A wheel of these files."""
    info = f"{name}-{version}.dist-info"
    line = f"Requires-Dist: {requires}\n" if requires else ""
    metadata = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{line}\n".encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nTag: {tag}\n".encode(),
    }
    record = "".join(f"{each},,\n" for each in (*files, *metadata, f"{info}/RECORD")).encode()
    write_wheel(shelf / f"{name}-{version}-{tag}.whl", {**files, **metadata, f"{info}/RECORD": record})

"""Modules that people install: what they use and how much memory they take, read from the packages themselves."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from abicheck.model.wasm import Limits, Module
from abicheck.read.wasm import open_modules, read_wasm

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.network, pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm here")]

FIRST = {"threads", "bulk-memory", "simd", "sign-extension"}
LATER = FIRST | {"saturating-float-to-int", "bigint"}
REAL = [
    ("whisper.cpp@1.0.3", "whisper.js", FIRST, Limits(256, 32768, shared=True)),
    ("whisper-web-transcriber@0.2.5", "dist/libstream.js", FIRST, Limits(16384, 16384, shared=True)),
    ("@transcribe/shout@1.0.7", "src/shout/shout.wasm.js", LATER, Limits(8192, 32768, shared=True)),
    ("@transcribe/shout@1.0.7", "src/shout/shout.wasm_no-simd.js", LATER - {"simd"}, Limits(8192, 32768, shared=True)),
    ("@timur00kh/whisper.wasm@0.1.1", "dist/index.umd.js", LATER, Limits(8192, 32000, shared=True)),
    ("@remotion/whisper-web@4.0.529", "main.js", LATER, Limits(8192, 32000, shared=True)),
    ("sherpa-onnx@1.13.8", "sherpa-onnx-wasm-nodejs.wasm", LATER - {"threads"}, Limits(8192, 32768)),
]


@pytest.mark.parametrize(("package", "path", "features", "memory"), REAL)
def test_real_modules(package: str, path: str, features: set[str], memory: Limits, tmp_path: Path) -> None:
    subprocess.run(["npm", "pack", package, "--silent"], cwd=tmp_path, check=True, capture_output=True)
    (archive,) = tmp_path.glob("*.tgz")
    with tarfile.open(archive) as opened:
        member = opened.extractfile(f"package/{path}")
        assert member is not None
        file = tmp_path / path.replace("/", "-")
        file.write_bytes(member.read())
    (data,) = open_modules(str(file))
    found = read_wasm(data)
    assert isinstance(found, Module)
    assert ({use.feature for use in found.uses}, found.memories, found.unknown) == (features, (memory,), None)

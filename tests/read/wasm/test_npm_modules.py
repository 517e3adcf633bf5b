"""Modules that people install: what they use, how much memory they take, and whether their scripts fit."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from abicheck.judge.runtime import judge
from abicheck.judge.runtime.glue import with_glue
from abicheck.model.wasm import Deployed, Limits, Module
from abicheck.read.runtimes import open_runtime
from abicheck.read.wasm.deployed import read_deployed

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


#: The script of each build; that of sherpa-onnx has its module beside it.
SCRIPTS = [*((package, path) for package, path, *_ in REAL[:-1]), (REAL[-1][0], "sherpa-onnx-wasm-nodejs.js")]


def _unpacked(package: str, folder: Path) -> Path:
    subprocess.run(["npm", "pack", package, "--silent"], cwd=folder, check=True, capture_output=True)
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    archive.unlink()
    return folder / "package"


@pytest.mark.parametrize(("package", "path", "features", "memory"), REAL)
def test_real_modules(package: str, path: str, features: set[str], memory: Limits, tmp_path: Path) -> None:
    ((_, _, found),) = read_deployed(str(_unpacked(package, tmp_path) / path)).modules
    assert isinstance(found, Module)
    assert ({use.feature for use in found.uses}, found.memories, found.unknown) == (features, (memory,), None)


def test_real_scripts_and_modules_of_other_builds(tmp_path_factory: pytest.TempPathFactory) -> None:
    builds = [read_deployed(str(_unpacked(package, tmp_path_factory.mktemp("package")) / path)) for package, path in SCRIPTS]
    fits = [[_fits(script, module) for module in builds] for script in builds]
    assert all(fits[number][number] for number in range(len(builds)))
    # The two builds of shout differ in SIMD only; shout's script gives as many names as whisper.cpp's module imports.
    alike = {(2, 0), (3, 0), (2, 3), (3, 2)}
    seen = {(row, column) for row, line in enumerate(fits) for column, fit in enumerate(line) if fit and row != column}
    assert seen <= alike


def _fits(script: Deployed, other: Deployed) -> bool:
    runtime = open_runtime("node:20")
    ((_, _, module),) = other.modules
    assert isinstance(module, Module)
    assert script.glue is not None
    found = with_glue(judge(module, runtime, "m"), module, script.glue, runtime, "s")
    return found.verdict == "loads"

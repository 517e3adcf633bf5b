from __future__ import annotations

import base64
import sys
from typing import TYPE_CHECKING

import pytest

from abicheck.errors import TargetError
from abicheck.read.wasm import syntax
from abicheck.read.wasm.deployed import read_deployed
from tests.wasmwriter import program

if TYPE_CHECKING:
    from pathlib import Path

MODULE = program(b"")


def test_the_module_beside_a_script(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "y.wasm").write_bytes(MODULE)
    (tmp_path / "glue.mjs").write_text("load('x.wasm'); new URL('./lib/y.wasm', import.meta.url)")
    ((path, _, _),) = read_deployed(str(tmp_path / "glue.mjs")).modules
    assert path == str(tmp_path / "lib" / "y.wasm")


def test_workers_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "there.js").write_text("")
    (tmp_path / "glue.js").write_text(
        f"var x='{base64.b64encode(MODULE).decode()}'; new Worker('there.js'); new Worker('a/../gone.js'); new Worker('gone.js')"
    )
    assert read_deployed(str(tmp_path / "glue.js")).absent == (str(tmp_path / "gone.js"),)


@pytest.mark.parametrize(
    ("text", "message"),
    [("export default {}", "no WebAssembly module in this script"), ("f('x.wasm')", "it loads x.wasm, which is not beside it")],
)
def test_no_module(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "glue.js").write_text(text)
    with pytest.raises(TargetError, match=message):
        read_deployed(str(tmp_path / "glue.js"))


@pytest.mark.parametrize("path", ["gone.wasm", ".", "\0.wasm"])
def test_a_file_that_cannot_be_read(tmp_path: Path, path: str) -> None:
    with pytest.raises(TargetError):
        read_deployed(f"{tmp_path}/{path}")


def test_without_the_parser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syntax._parser.cache_clear()
    monkeypatch.setitem(sys.modules, "tree_sitter_javascript", None)
    (tmp_path / "glue.js").write_text(f"var x='{base64.b64encode(MODULE).decode()}'")
    found = read_deployed(str(tmp_path / "glue.js"))
    assert (len(found.modules), found.glue) == (1, None)
    assert found.unread.endswith("pip install 'abicheck-env[wasm]'")
    (tmp_path / "glue.js").write_text("f('x.wasm')")
    with pytest.raises(TargetError, match="abicheck-env"):
        read_deployed(str(tmp_path / "glue.js"))

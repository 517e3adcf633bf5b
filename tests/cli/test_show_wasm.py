from __future__ import annotations

import base64
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from abicheck.cli.main import main
from tests.wasmwriter import SHARED, custom, module, name, program, section, signature, vector

if TYPE_CHECKING:
    from pathlib import Path

SIMD = b"\xfd\x0c" + bytes(16) + b"\x1a"
MADE = custom("producers", vector(name("language") + vector(name("C++<b>") + name("17")))) + custom(
    "target_features", vector(b"+" + name("simd128"))
)
IMPORTING = module(
    section(1, vector(signature(b"\x7e"))),
    section(2, vector(name("env") + name("tell|x") + b"\x00\x00", name("env") + name("memory") + b"\x02" + SHARED)),
    section(7, vector(*(name(f"f{each}") + b"\x00\x00" for each in range(20)))),
)


def _show(*arguments: str) -> int:
    with pytest.raises(SystemExit) as leaving:
        main(["show", *arguments])
    assert isinstance(leaving.value.code, int)
    return leaving.value.code


@pytest.fixture(autouse=True)
def _modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "simd.wasm").write_bytes(program(SIMD, extra=MADE))
    (tmp_path / "importing.wasm").write_bytes(IMPORTING)
    (tmp_path / "plain.js").write_text(f"load('{base64.b64encode(program(b'')).decode()}')")
    (tmp_path / "beside.js").write_text("load('simd.wasm')")
    (tmp_path / "new.wasm").write_bytes(program(b"\x27"))
    (tmp_path / "page.wasm").write_bytes(b"<!doctype html>")


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("simd.wasm", ["simd.wasm loads on Node.js 16.4, Chrome 91, Firefox 89, Safari 16.4 or newer",
                       "    SIMD, first in function 0 at byte ", "    64 KiB", "    language: C++<b> 17", "    +simd128"]),
        ("importing.wasm", ["importing.wasm loads on Node.js 16.4, ",
                            "    64 KiB, at most 128 KiB, shared; a browser gives that to ",
                            "; it loads without, and the calls that need it fail", "  Imports (2)", "    env: 1 function tell|x",
                            "    env: memory memory", "    20 functions f0, f1, f2, ", ", and 8 more"]),
        ("plain.js", ["plain.js loads on every runtime of WebAssembly"]),
        ("beside.js", ["beside.js loads on Node.js 16.4", "    simd.wasm"]),
        ("new.wasm", ["new.wasm loads on no runtime that is certain: it uses "]),
    ],
)  # fmt: skip
def test_the_card(target: str, told: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert _show(target) == 0
    card = capsys.readouterr().out
    assert all(each in card for each in told), card
    assert card.startswith(told[0])


def test_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    assert _show("--format", "markdown", "importing.wasm", "simd.wasm") == 0
    card = capsys.readouterr().out
    assert "### What importing.wasm needs\n\nIt loads on **Node.js 16.4, " in card
    assert "`tell\\|x`" in card
    assert "`C++<b> 17`" in card


def test_json_is_what_the_schema_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert _show("--format", "json", "importing.wasm", "simd.wasm", "plain.js", "new.wasm") == 0
    document = json.loads(capsys.readouterr().out)
    schema = json.loads((files("abicheck.report") / "schema/show.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(document)
    importing, simd, plain, new = document["modules"]
    assert importing["imports"][0] == {"kind": "function", "name": "tell|x", "module": "env"}
    assert importing["memories"] == [{"initial": 1, "maximum": 2, "shared": True, "address64": False}]
    assert _since(simd) == {"simd": {"Node.js": "16.4", "Chrome": "91", "Firefox": "89", "Safari": "16.4"}}
    assert simd["floors"] == _since(simd)["simd"]
    assert simd["producers"] == {"language": ["C++<b> 17"]}
    assert (plain["floors"], plain["artifact"]["file"]) == ({}, "plain.js")
    assert new["unknown"] is not None


def _since(card: dict[str, Any]) -> dict[str, dict[str, str | None]]:
    return {each["feature"]: each["since"] for each in card["features"]}


def test_what_is_no_module(capsys: pytest.CaptureFixture[str]) -> None:
    assert _show("page.wasm", "gone.wasm", "simd.wasm") == 4
    told = capsys.readouterr()
    assert told.out.startswith("simd.wasm loads on ")
    assert [each.partition(", ")[0] for each in told.err.splitlines()] == [
        "abicheck: page.wasm: no WebAssembly module that could be loaded: it is a page of HTML",
        "abicheck: gone.wasm: no such file or directory; give a module that is there and may be read",
    ]

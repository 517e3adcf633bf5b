from __future__ import annotations

import base64
import json
import sys
from importlib.resources import files
from typing import TYPE_CHECKING

import jsonschema
import pytest

from abicheck.cli.main import main
from abicheck.read.wasm import syntax
from tests import wasmwriter as wasm
from tests.read.runtimes.test_serving import serving_here
from tests.wasmwriter import FEATURES, SHARED, program

if TYPE_CHECKING:
    from pathlib import Path

SIMD = FEATURES["simd"]


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as leaving:
        main([*arguments])
    assert isinstance(leaving.value.code, int)
    return leaving.value.code


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "simd.wasm").write_bytes(SIMD)
    (tmp_path / "shared.wasm").write_bytes(program(b"", memories=(SHARED,)))
    (tmp_path / "page.wasm").write_bytes(b"<!doctype html><title>404</title>")
    return tmp_path


@pytest.mark.parametrize(
    ("target", "host", "code", "first"),
    [
        ("simd.wasm", "safari:16.3", 1, "✗ simd.wasm does not load on safari:16.3"),
        ("simd.wasm", "safari:16.4", 0, "✓ simd.wasm loads on safari:16.4"),
        ("shared.wasm", "chrome:120", 3, "? shared.wasm may or may not load on chrome:120"),
        ("shared.wasm", "node:16", 0, "✓ shared.wasm loads on node:16"),
        ("page.wasm", "node:20", 1, "✗ page.wasm does not load on node:20"),
        ("simd.wasm", "chrome:999", 3, "? simd.wasm may or may not load on chrome:999"),
    ],
)
@pytest.mark.usefixtures("modules")
def test_the_verdict_comes_first(target: str, host: str, code: int, first: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("check", target, "--host", host) == code
    assert capsys.readouterr().out.splitlines()[0] == first


@pytest.mark.usefixtures("modules")
def test_the_runtimes_own_text(capsys: pytest.CaptureFixture[str]) -> None:
    _run("check", "page.wasm", "--host", "node:20")
    text = "CompileError: WebAssembly.Module(): expected magic word 00 61 73 6d, found 3c 21 64 6f @+0"
    assert capsys.readouterr().out.splitlines()[2] == f"  {text}"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["simd.wasm"], 4, "simd.wasm: a WebAssembly module needs a runtime as its host; give --host node:20, "),
        (["libx.so", "--host", "node:20"], 4, "libx.so: node:20 runs WebAssembly modules only; "),
        (["gone.wasm", "--host", "node:20"], 4, "gone.wasm: no such file or directory; "),
        (["glue.js", "--host", "node:20"], 4, "glue.js: no WebAssembly module in this script; "),
        (["simd.wasm", "--host", "chrome"], 2, "unknown host 'chrome': Chrome by its version, as in chrome:1"),
        (["simd.wasm", "--host", "deno:1"], 4, "simd.wasm: a WebAssembly module needs a runtime as its host; "),
    ],
)
def test_bad_input_is_one_line(
    modules: Path, arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (modules / "glue.js").write_text("export default {}")
    assert _run("check", *arguments) == code
    assert message in capsys.readouterr().err


@pytest.mark.usefixtures("modules")
def test_the_headers_of_a_server(capsys: pytest.CaptureFixture[str]) -> None:
    hosts = ["--host", "chrome:120", "--host", "firefox:120"]
    with serving_here() as address:
        assert _run("check", "shared.wasm", *hosts, "--url", f"{address}/", "--url", f"{address}/worker.js") == 0
        assert _run("check", "shared.wasm", *hosts, "--url", f"{address}/") == 3
        assert _run("check", "shared.wasm", *hosts, "--url", f"{address}/bare", "--format", "json") == 1
        assert "sends no Cross-Origin-Opener-Policy; it must be same-origin" in capsys.readouterr().out
        assert _run("check", "shared.wasm", *hosts, "--url", f"{address}/gone") == 4
    told = capsys.readouterr()
    assert told.out.startswith("? shared.wasm may or may not load on chrome:120")
    assert told.err.splitlines() == [
        f"abicheck: {address}/gone: the server answers 404 Not Found; give the address of what it serves"
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["shared.wasm", "--url", "example.org"], "--url example.org: not an address of a server"),
        (["libx.so", "--url", "https://example.org"], "--url is about WebAssembly modules"),
        (["shared.wasm", "--offline", "--url", "https://example.org"], "leave out --offline"),
    ],
)
@pytest.mark.usefixtures("modules")
def test_an_address_in_vain(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("check", *arguments, "--host", "chrome:120") == 2
    assert message in capsys.readouterr().err


GLUE = """var given = {"b": _f, "c": _g}, info = {"a": given};
WebAssembly.instantiate(read("lib.wasm"), info).then(function (got) { start(got["instance"]["exports"]); });
function start(exports) { _run = exports["d"]; }
"""


def _library(imports: str, export: str) -> bytes:
    given = (wasm.name("a") + wasm.name(each) + b"\x00\x00" for each in imports)
    return wasm.module(
        wasm.section(1, wasm.vector(wasm.signature())),
        wasm.section(2, wasm.vector(*given)),
        wasm.section(7, wasm.vector(wasm.name(export) + b"\x00\x00")),
    )


@pytest.mark.parametrize(
    ("library", "code", "told"),
    [
        (_library("bc", "d"), 0, "✓ glue.js loads on node:20"),
        (_library("bce", "d"), 1, "It does not give the module what that imports: a.e."),
        (_library("bc", "e"), 0, "✓ glue.js loads on node:20"),  # what the script takes has nothing in common with it
        (_library("b", "d"), 1, "It gives the module what that does not import: c."),
    ],
)
def test_a_script_and_the_module_beside_it(
    modules: Path, library: bytes, code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (modules / "glue.js").write_text(GLUE)
    (modules / "lib.wasm").write_bytes(library)
    assert _run("check", "glue.js", "--host", "node:20") == code
    assert told in capsys.readouterr().out


def test_without_the_parser_the_module_inside_is_judged_alone(
    modules: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    syntax._parser.cache_clear()
    monkeypatch.setitem(sys.modules, "tree_sitter_javascript", None)
    (modules / "single.js").write_text(f"load('{base64.b64encode(SIMD).decode()}')")
    assert _run("check", "single.js", "--host", "node:20", "--host", "safari:17") == 4
    told = capsys.readouterr()
    assert "✓ single.js loads on node:20" in told.out
    (line,) = told.err.splitlines()
    assert line.startswith("abicheck: single.js: its names were not compared with the module's: tree_sitter_javascript, which ")
    assert line.endswith("pip install 'abicheck-env[wasm]'")


@pytest.mark.usefixtures("modules")
def test_no_host_to_describe(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("host", "node:20") == 2
    assert "node:20 is a runtime for WebAssembly modules" in capsys.readouterr().err


@pytest.mark.usefixtures("modules")
def test_json_is_as_the_schema_says(capsys: pytest.CaptureFixture[str]) -> None:
    hosts = ("node:14.21.3", "node:16", "chrome:120", "safari:28")
    options = [each for host in hosts for each in ("--host", host)]
    assert _run("check", "simd.wasm", "shared.wasm", "page.wasm", *options, "--format", "json") == 1
    document = json.loads(capsys.readouterr().out)
    schema = json.loads(files("abicheck.report").joinpath("schema/check.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(document)
    first = document["results"][0]
    assert first["artifact"]["kind"] == "module"
    assert first["host"] == {"name": "node:14.21.3", "kind": "runtime", "arch": None, "libc": None, "libc_version": None}
    assert first["predicted"].startswith("CompileError: WebAssembly.Module(): Compiling function #0 failed: Invalid opcode")
    assert [each["assumptions"] for each in document["results"][:2]] == [
        [],
        [{"fact": "release", "value": "the newest of node:16"}],
    ]


@pytest.mark.parametrize("style", ["terminal", "sarif", "junit", "github", "markdown", "html"])
@pytest.mark.usefixtures("modules")
def test_every_format_tells_rule_and_host(style: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("check", "simd.wasm", "shared.wasm", "--host", "node:14", "--host", "chrome:120", "--format", style) == 1
    told = capsys.readouterr().out
    assert "None" not in told
    assert "SIMD" in told
    assert "node:14" in told

"""Modules that are instantiated for real, in the Node.js of this machine if it has one."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from abicheck.cli.main import main
from tests.wasmwriter import (
    END,
    FEATURES,
    FUNCREF,
    I32,
    I64,
    SHARED,
    V128,
    bodies,
    module,
    name,
    program,
    section,
    signature,
    vector,
)

NODE = shutil.which("node")
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="it confirms on Linux"),
    pytest.mark.skipif(NODE is None, reason="there is no Node.js here"),
]


def _imports(*each: bytes) -> bytes:
    return section(2, vector(*(name("env") + name(str(number)) + one for number, one in enumerate(each))))


def _starting(code: bytes, *imports: bytes) -> bytes:
    """A module whose only function of its own, of these instructions, is called when it is instantiated."""
    own = sum(one[0] == 0 for one in imports)
    return module(
        section(1, vector(signature(), signature(results=I64), signature(I32))),
        _imports(*imports),
        section(3, vector(b"\x00")),
        section(8, bytes([own])),
        bodies(code),
    )


#: A function, a table, a shared memory and two globals, whose start function passes on what the first gives.
EVERY_KIND = _starting(
    b"\x10\x00\x1a",
    b"\x00\x01",
    b"\x01" + FUNCREF + b"\x00\x02",
    b"\x02" + SHARED,
    b"\x03" + I64 + b"\x01",
    b"\x03" + b"\x6f" + b"\x00",
)
ENDLESS = _starting(b"\x03\x40\x0c\x00" + END)
TRAPS = _starting(b"\x00")
VECTOR = module(_imports(b"\x03" + V128 + b"\x00"))
#: No type checker would let it pass, which is none of our business until it runs.
ILL_TYPED = program(b"\x1a")


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing but Node.js, and the modules where the commands are run."""
    assert NODE is not None
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "node").symlink_to(os.path.realpath(NODE))
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.chdir(tmp_path)
    plain = {"every-kind": EVERY_KIND, "endless": ENDLESS, "traps": TRAPS, "vector": VECTOR, "ill-typed": ILL_TYPED}
    for title, data in {**plain, "simd": FEATURES["simd"], "wide": FEATURES["wide-arithmetic"]}.items():
        Path(f"{title}.wasm").write_bytes(data)
    Path("page.wasm").write_bytes(b"<!doctype html><title>404</title>")
    return programs


def _confirm(*arguments: str) -> int:
    with pytest.raises(SystemExit) as leaving:
        main(["confirm", *arguments])
    assert isinstance(leaving.value.code, int)
    return leaving.value.code


def test_an_instance_with_stand_ins_for_all_imports(capsys: pytest.CaptureFixture[str]) -> None:
    assert _confirm("every-kind.wasm", "simd.wasm") == 0
    told = capsys.readouterr().out
    assert "✓ every-kind.wasm on node:" in told
    assert "2 cells compared · 2 agree (2 load, 0 fail) · 0 not as predicted · " in told
    assert "transcribed" not in told


def test_what_fails_as_predicted_to_the_letter(capsys: pytest.CaptureFixture[str]) -> None:
    assert _confirm("page.wasm", "wide.wasm") == 0
    told = capsys.readouterr().out
    text = "CompileError: WebAssembly.Module(): expected magic word 00 61 73 6d, found 3c 21 64 6f @+0"
    assert f"  predicted: {text}\n  observed:  {text}\n" in told
    assert "  predicted: fails\n  observed:  CompileError: WebAssembly.Module(): " in told, "a text that is not known"


def test_what_is_not_as_predicted(capsys: pytest.CaptureFixture[str]) -> None:
    assert _confirm("ill-typed.wasm") == 1
    told = capsys.readouterr().out
    assert "  differs:   predicted: loads; observed: CompileError: WebAssembly.Module(): Compiling function #0 failed: " in told
    assert "node -e 'new WebAssembly.Module(fs.readFileSync(\"ill-typed.wasm\"))'\n" in told


def test_a_start_function_without_end(capsys: pytest.CaptureFixture[str]) -> None:
    assert _confirm("endless.wasm", "--limit", "1") == 1
    assert "  observed:  no end after 1 s\n" in capsys.readouterr().out


def test_a_start_function_that_traps_is_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    """It was loaded; what a start function says of stand-ins is no verdict."""
    assert _confirm("traps.wasm", "--format", "json") == 0
    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert result["observed"]["verdict"] == "loads"
    assert result["observed"]["output"] == "its start function: RuntimeError: unreachable"


def test_an_import_that_no_script_can_make(capsys: pytest.CaptureFixture[str]) -> None:
    assert _confirm("vector.wasm", "simd.wasm", "--format", "junit") == 4
    captured = capsys.readouterr()
    assert "abicheck: vector.wasm in node:" in captured.err
    assert "an import that only its own script can make (TypeError: " in captured.err
    assert 'name="simd.wasm"' in captured.out


def test_all_modules_of_a_script(capsys: pytest.CaptureFixture[str]) -> None:
    texts = [base64.b64encode(data).decode() for data in (EVERY_KIND, ILL_TYPED)]
    Path("glue.js").write_text(f'f("{texts[0]}"); f("data:application/wasm;base64,{texts[1]}")', encoding="ascii")
    assert _confirm("glue.js", "--format", "json") == 1
    results = json.loads(capsys.readouterr().out)["results"]
    assert [each["agree"] for each in results] == [True, False]
    assert results[1]["cell"].endswith("/glue.js[1]")


def test_a_module_beside_its_script(capsys: pytest.CaptureFixture[str]) -> None:
    Path("glue.js").write_text('var file = "ill-typed.wasm";', encoding="ascii")
    assert _confirm("glue.js") == 1
    assert 'new WebAssembly.Module(fs.readFileSync("' in capsys.readouterr().out


def test_the_command_by_hand_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    Path("glue.js").write_text(f'f("{base64.b64encode(ILL_TYPED).decode()}")', encoding="ascii")
    for target in ("ill-typed.wasm", "glue.js"):
        _confirm(target, "--format", "json")
        (result,) = json.loads(capsys.readouterr().out)["results"]
        said = subprocess.run(["/bin/sh", "-c", result["reproduce"]], capture_output=True, text=True, check=False).stderr
        assert result["observed"]["text"] in said


@pytest.mark.parametrize("style", ["json", "junit", "markdown", "html", "terminal"])
def test_every_format(style: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _confirm("every-kind.wasm", "page.wasm", "traps.wasm", "--format", style) == 0
    told = capsys.readouterr().out
    assert "page.wasm" in told
    assert "None" not in told
    if style == "json":
        schema = json.loads(files("abicheck.report").joinpath("schema/confirm.json").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator(schema).validate(json.loads(told))


def test_without_node(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (path / "node").unlink()
    assert _confirm("simd.wasm") == 4
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "abicheck: node: there is no Node.js on the PATH; install it, or name a version as in node:20\n"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["simd.wasm", "m.toml"], 2, "m.toml: one matrix, or modules (.wasm, .js)"),
        (["simd.wasm", "--host", "node:16"], 2, "--host node:16: a module is confirmed in what is here: node or chrome"),
        (["simd.wasm", "--jobs", "2"], 2, "--jobs is for a matrix, not for modules"),
        (["simd.wasm", "--threads", "2"], 2, "--threads is for this machine, not for modules"),
        (["simd.wasm", "--canary"], 2, "--canary simd.wasm: the script that loads the module is needed; give that (.js)"),
        (["--canary"], 2, "--canary is for modules, not for this machine"),
        (["gone.wasm"], 4, "gone.wasm: no such file or directory; give a module that is there and may be read"),
        (["empty.js"], 4, "empty.js: no WebAssembly module in this script; give the .wasm file that it loads"),
        (["simd.wasm", "--host", "chrome"], 4, "chrome: there is no Chromium on the PATH; install it "),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty.js").touch()
    assert _confirm(*arguments) == code
    captured = capsys.readouterr()
    assert message in captured.err
    assert len(captured.err.splitlines()) == 1

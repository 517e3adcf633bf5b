from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files
from typing import TYPE_CHECKING

import jsonschema
import pytest

from abicheck.cli.main import main
from tests.elfwriter import write_elf

if TYPE_CHECKING:
    from pathlib import Path


def _show(*arguments: str) -> int:
    with pytest.raises(SystemExit) as leaving:
        main(["show", *arguments])
    assert isinstance(leaving.value.code, int)
    return leaving.value.code


@pytest.fixture
def library(tmp_path: Path) -> Path:
    path = tmp_path / "liba.so.1"
    path.write_bytes(write_elf(needed=["libc.so.6"], stack=7))
    return path


def test_terminal(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _show(str(library)) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("liba.so.1 runs on glibc 2.40 or older, x86_64\n")
    assert captured.out.endswith("1 object · 1 root · 1 library of the host\n\n")
    assert captured.err == ""


def test_markdown(library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _show("--format", "markdown", "-o", str(tmp_path / "card.md"), str(library)) == 0
    assert (tmp_path / "card.md").read_text(encoding="utf-8").startswith("### What liba.so.1 needs\n\n")
    assert capsys.readouterr().out == ""


def test_json_is_what_the_schema_says(library: Path, extension: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _show("--format", "json", "--every", str(extension), str(library), str(library.parent)) == 0
    document = json.loads(capsys.readouterr().out)
    schema = json.loads((files("abicheck.report") / "schema/show.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(document)
    assert [card["artifact"]["kind"] for card in document["cards"]] == ["directory", "files"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone.so", "No such file or directory; "),
        ("text.so", "not an ELF file; "),
        ("short.so", "cut short or damaged; "),
        ("gone-1-py3-none-any.whl", "No such file or directory; "),
        ("bad-1-py3-none-any.whl", "no zip archive, so no wheel; "),
        ("empty", "no ELF file in it; "),
    ],
)
def test_bad_input_is_one_clear_line(name: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    for each, content in (("text.so", b"text"), ("short.so", write_elf()[:30]), ("bad-1-py3-none-any.whl", b"PK")):
        (tmp_path / each).write_bytes(content)
    assert _show(str(tmp_path / name)) == 4
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"abicheck: {tmp_path / name}: {message}")
    assert captured.err.count("\n") == 1


def test_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert (_show(), _show("--format", "xml", "a.so")) == (2, 2)
    assert "Error: " in capsys.readouterr().err


def test_json_needs_no_rich(library: Path) -> None:
    program = (
        "import sys, atexit; from abicheck.cli.main import main;"
        "atexit.register(lambda: print('rich' in sys.modules, file=sys.stderr));"
        f"main(['show', '--format', 'json', {str(library)!r}])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stderr == "False\n"

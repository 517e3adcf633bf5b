from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from abicheck.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

REPORT = b"""\
Host: Ubuntu 24.04, image python:3.10-slim
> ImportError: libctranslate2-d3638643.so.4.4.0: cannot enable executable
> stack as shared object requires: Invalid argument
"""


def _triage(*arguments: str) -> int:
    with pytest.raises(SystemExit) as leaving:
        main(["triage", *arguments])
    assert isinstance(leaving.value.code, int)
    return leaving.value.code


def _stdin(monkeypatch: pytest.MonkeyPatch, data: bytes, *, terminal: bool = False) -> None:
    stream = io.TextIOWrapper(io.BytesIO(data))
    monkeypatch.setattr(stream, "isatty", lambda: terminal)
    monkeypatch.setattr("sys.stdin", stream)


def test_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "report.txt").write_bytes(REPORT)
    assert _triage(str(tmp_path / "report.txt"), "--no-replay") == 0
    out = capsys.readouterr().out
    assert out.startswith("✗ exec-stack-refused · libctranslate2-d3638643.so.4.4.0\n")
    assert "host: debian 13 (container python:3.10-slim) on ubuntu 24.04" in out
    assert "replay" not in out


@pytest.mark.parametrize("arguments", [("-",), ()])
def test_standard_input(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _stdin(monkeypatch, REPORT)
    assert _triage(*arguments, "--no-replay", "--format", "json") == 0
    document = json.loads(capsys.readouterr().out)
    assert [each["class"] for each in document["causes"]] == ["exec-stack-refused"]
    assert document["replay"] is None


def test_nothing_recognised_is_an_answer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _stdin(monkeypatch, b"\x00\xff hello")
    assert _triage("-") == 0
    assert capsys.readouterr().out.startswith("? Nothing in the report was recognised\n")


def test_markdown_into_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _stdin(monkeypatch, REPORT)
    assert _triage("--no-replay", "--format", "markdown", "-o", str(tmp_path / "reply.md")) == 0
    assert (tmp_path / "reply.md").read_text(encoding="utf-8").startswith("**exec-stack-refused")


def test_no_report_at_all(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _stdin(monkeypatch, b"", terminal=True)
    assert _triage() == 2
    assert capsys.readouterr().err == "abicheck: no report: name a file, or pipe the report into it\n"


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _triage(str(tmp_path / "none")) == 4
    assert capsys.readouterr().err.endswith("none: No such file or directory; name a file that holds the report\n")
    assert _triage(str(tmp_path)) == 4

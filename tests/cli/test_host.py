from __future__ import annotations

import json
import sys
from importlib.resources import files
from typing import TYPE_CHECKING

import jsonschema
import pytest

from abicheck.cli.main import main
from tests.imagewriter import saved

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = json.loads(files("abicheck.report").joinpath("schema", "host.json").read_text())


def _host(*arguments: str) -> int:
    with pytest.raises(SystemExit) as leaving:
        main(["host", *arguments])
    assert isinstance(leaving.value.code, int)
    return leaving.value.code


@pytest.mark.skipif(sys.platform != "linux", reason="the host local is a Linux machine")
def test_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert _host() == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("local: ")
    assert "\n  Self-check        " in captured.out
    assert captured.err == ""


def test_json(machine_root: Path, tmp_path: Path) -> None:
    output = tmp_path / "host.json"
    assert _host(f"rootfs:{machine_root}", "--format", "json", "-o", str(output)) == 0
    plain = json.loads(output.read_text(encoding="utf-8"))
    jsonschema.validate(plain, SCHEMA)
    assert plain["kind"] == "rootfs"
    assert {"fact": "selinux", "value": "off"} in plain["assumptions"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("nowhere",), 2, "unknown host 'nowhere'; there are: local"),
        (("rootfs:/nowhere",), 4, "rootfs:/nowhere: /nowhere is no directory; give the directory"),
        (("--python", "/nowhere/python"), 4, "local: "),
    ],
)
def test_an_error_is_one_clear_line(
    arguments: tuple[str, ...], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _host(*arguments) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"abicheck: {message}")
    assert captured.err.count("\n") == 1


def test_foreign_text_does_nothing_to_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = saved()
    name = next(each for each in image.parts if each.endswith(".json"))
    image.parts[name] = json.dumps({"os": "\x1b[31mwindows\n"}).encode()
    assert _host(f"image:{image.tar(tmp_path / 'image.tar')}") == 4
    assert "an image for \\x1b[31mwindows\\x0a; abicheck knows hosts with Linux\n" in capsys.readouterr().err


def test_a_saved_host_is_a_host(machine_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "prod.json"
    assert _host(f"rootfs:{machine_root}", "--save", str(path)) == 0
    assert capsys.readouterr().out.startswith(f"{path}: ")
    assert _host(str(path)) == 0
    assert capsys.readouterr().out.startswith(f"{path}: ")
    assert _host("--save", "prod") == 2
    assert "must end in .json" in capsys.readouterr().err


def test_the_script(capsys: pytest.CaptureFixture[str]) -> None:
    assert _host("--script") == 0
    assert capsys.readouterr().out.startswith("#!/bin/sh\n")

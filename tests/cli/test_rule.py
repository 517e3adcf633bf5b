from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING

import jsonschema
import pytest

from abicheck.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = json.loads(files("abicheck.report").joinpath("schema", "rule.json").read_text())


def _rule(*arguments: str) -> int:
    with pytest.raises(SystemExit) as leaving:
        main(["rule", *arguments])
    assert isinstance(leaving.value.code, int)
    return leaving.value.code


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert _rule() == 0
    out = capsys.readouterr().out
    assert out.startswith("What does not load\n  exec-mapping-denied ")
    assert "\n\nWhat loads, but will hurt\n" in out
    assert "\n  exec-stack-enabled " in out


def test_one_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert _rule("exec-stack-refused") == 0
    out = capsys.readouterr().out
    assert out.startswith("exec-stack-refused (error)\n\n  The library asks for an executable stack, ")
    assert "\n  → PACKAGE VERSION or newer loads here: pip install 'PACKAGE>=VERSION'\n" in out
    assert "commit 0ca8785a28" in out


@pytest.mark.parametrize("arguments", [(), ("library-missing",)])
def test_json(arguments: tuple[str, ...], tmp_path: Path) -> None:
    output = tmp_path / "rules.json"
    assert _rule(*arguments, "--format", "json", "-o", str(output)) == 0
    plain = json.loads(output.read_text(encoding="utf-8"))
    jsonschema.validate(plain, SCHEMA)
    assert {"library-missing"} <= {rule["name"] for rule in plain["rules"]}
    assert "{" not in json.dumps([rule["remedies"] for rule in plain["rules"]]).replace('{"kind"', "")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("exec-stak-refused", "there is no rule 'exec-stak-refused'; did you mean exec-stack-refused or "),
        ("xyzzy", "there is no rule 'xyzzy'; `abicheck rule` lists all"),
        ("fixed", "there is no rule 'fixed'; "),
        ("../model/report", "there is no rule '../model/report'; "),
    ],
)
def test_a_wrong_name_is_one_clear_line(name: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _rule(name) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"abicheck: {message}")
    assert captured.err.count("\n") == 1

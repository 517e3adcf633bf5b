from __future__ import annotations

import json
import os
import sys
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from abicheck.api.rules import source_rules
from abicheck.cli.main import main
from abicheck.lint import syntax
from tests.report.sarif_standard import VALIDATOR

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = json.loads(files("abicheck.report").joinpath("schema", "lint.json").read_text())
BAD = source_rules()["pointer-into-thread"].example
STORED = source_rules()["pointer-stored"].example


def _lint(*arguments: str) -> int:
    with pytest.raises(SystemExit) as leaving:
        main(["lint", *arguments])
    assert isinstance(leaving.value.code, int)
    return leaving.value.code


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/bad.cpp").write_text(BAD, encoding="utf-8")
    (tmp_path / "src/stored.hpp").write_text(STORED, encoding="utf-8")
    (tmp_path / "src/notes.md").write_text(BAD, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("tree")
def test_the_terminal_names_place_rule_and_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    assert _lint("src") == 1
    first, second, rest = capsys.readouterr().out.split("\n\n", 2)
    assert first.split("\n")[:2] == [
        "src/bad.cpp:3:23: error · pointer-into-thread",
        (
            "  `params.language` points into `lang`, which ends with this function, "
            "and the thread that is started in line 4 still has it."
        ),
    ]
    assert "\n  → give what runs later a string of its own, " in first
    assert second.startswith("src/stored.hpp:3:24: warning · pointer-stored\n")
    assert rest.startswith("2 files · 10 lines · 1 error · 1 warning · ")


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize(
    ("arguments", "code"), [(["src/stored.hpp"], 0), (["src/stored.hpp", "--fail-on", "warning"], 1), (["src"], 1)]
)
def test_json_follows_its_schema(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert _lint(*arguments, "--format", "json") == code
    document = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert document["exit_code"] == code
    assert {each["file"] for each in document["findings"]} >= {"src/stored.hpp"}


def _sarif(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert _lint("src", "--format", "sarif") == 1
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    VALIDATOR.validate(document)
    run: dict[str, Any] = document["runs"][0]
    return run


def test_sarif_has_place_and_page_and_a_fingerprint_that_outlives_a_move(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = _sarif(capsys)
    where = run["results"][0]["locations"][0]["physicalLocation"]
    assert where["artifactLocation"]["uri"] == "src/bad.cpp"
    assert where["region"] == {"startLine": 3}
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["pointer-into-thread", "pointer-stored"]
    (tree / "src/bad.cpp").write_text("\n\n" + BAD, encoding="utf-8")
    moved = _sarif(capsys)["results"][0]
    assert moved["locations"][0]["physicalLocation"]["region"] == {"startLine": 5}
    assert moved["partialFingerprints"] == run["results"][0]["partialFingerprints"]


def test_an_ignore_needs_a_reason(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, line = tree / "src/bad.cpp", "    // abicheck-lint: ignore[pointer-into-thread]{}\n    params.language"
    source.write_text(BAD.replace("    params.language", line.format(" run() joins")), encoding="utf-8")
    assert _lint("src/bad.cpp") == 0
    assert "0 errors · 0 warnings · 1 ignored" in capsys.readouterr().out
    assert _lint("src/bad.cpp", "--format", "sarif") == 0
    (result,) = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    assert result["suppressions"][0]["justification"] == "run() joins"
    source.write_text(BAD.replace("    params.language", line.format("")), encoding="utf-8")
    assert _lint("src/bad.cpp") == 1
    out = capsys.readouterr().out
    assert "src/bad.cpp:3:8: error · ignore-without-reason\n  The comment says not why; it ignores nothing.\n" in out
    assert "pointer-into-thread\n" in out


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00 c_str() \x80",
        b"\xff\xc0 c_str() \x80",
        b"this is no C++: params.language = lang.c_str(",
        b"(" * 20_000 + b"x.c_str()",
        b"void f() {" + b"{" * 5_000 + b"p.x = s.c_str();" + b"}" * 5_000 + b"}",
    ],
    ids=["empty", "invalid UTF-16", "invalid UTF-8", "text", "parentheses", "blocks"],
)
def test_what_is_no_cpp_is_no_crash(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "odd.cpp").write_bytes(content)
    assert _lint(str(tmp_path / "odd.cpp")) == 0


def test_a_binary_file_is_no_source(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "odd.cpp").write_bytes(b"\x7fELF\n" + bytes(range(256)) * 20 + b".c_str()")
    assert _lint(str(tmp_path / "odd.cpp")) == 4
    assert "odd.cpp: is no source: there is a NUL in line 2; leave it out" in capsys.readouterr().err


@pytest.mark.usefixtures("tree")
def test_utf_16_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "windows.cpp").write_text(BAD, encoding="utf-16")
    assert _lint(str(tmp_path / "windows.cpp")) == 1
    assert "pointer-into-thread" in capsys.readouterr().out


def test_what_is_nested_without_end_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deep = "(" * 9_000 + "lang.c_str()" + ")" * 9_000
    (tmp_path / "deep.cpp").write_text(f"void f(std::string lang) {{ const char *p; p = {deep}; }}", encoding="utf-8")
    assert _lint(str(tmp_path)) == 4
    assert "deep.cpp: nested too deeply to be read; leave it out" in capsys.readouterr().err


def test_what_cannot_be_read_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.symlink("nowhere", tmp_path / "dangling.cpp")
    assert _lint(str(tmp_path)) == 4
    assert "dangling.cpp: cannot be read: No such file or directory; " in capsys.readouterr().err
    assert _lint(str(tmp_path / "absent")) == 4
    assert "absent: there is no such file or directory; name sources or a directory of them" in capsys.readouterr().err


def test_no_source_and_no_path_are_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _lint(str(tmp_path)) == 2
    assert "there is no source, page or script in what was named" in capsys.readouterr().err
    assert _lint() == 2


@pytest.mark.usefixtures("tree")
def test_without_the_extra_the_message_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    syntax._parser.cache_clear()
    monkeypatch.setitem(sys.modules, "tree_sitter_cpp", None)
    assert _lint("src") == 4
    assert "pip install 'abicheck-env[lint]'" in capsys.readouterr().err

"""Grids from the command line: releases by `--versions`, and matrices."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING

import jsonschema
import pytest

from abicheck.cli.main import main
from tests.api.gridworld import isolate, put
from tests.elfparts import Symbol
from tests.elfwriter import write_elf

if TYPE_CHECKING:
    from pathlib import Path

EXT = "demo/ext.cpython-312-x86_64-linux-gnu.so"
MATRIX = """schema_version = 1
[[cells]]
do = "check"
subject = "demo"
versions = [">=1"]
hosts = ["debian:12", "debian:13"]
pythons = ["3.12"]
"""


def _extension(stack: int = 6, *needed: str) -> bytes:
    return write_elf(needed=needed, symbols=[Symbol("PyInit_ext", defined=True)], stack=stack)


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three releases: one that loads, one whose stack newer glibcs refuse, and one that lacks a library."""
    found = isolate(tmp_path, monkeypatch)
    for version, content in (("1.0", _extension()), ("1.1", _extension(7)), ("1.2", _extension(6, "libgone.so"))):
        put(found, "demo", version, {EXT: content})
    return found


@pytest.fixture
def matrix(tmp_path: Path) -> Path:
    path = tmp_path / "grid.toml"
    path.write_text(MATRIX, encoding="utf-8")
    return path


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as leaving:
        main(list(arguments))
    assert isinstance(leaving.value.code, int)
    return leaving.value.code


def _document(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, object]]:
    code = _run("check", "--format", "json", *arguments)
    document = json.loads(capsys.readouterr().out)
    schema = json.loads((files("abicheck.report") / "schema/check.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(document)
    return code, document


def _rows(document: dict[str, object]) -> list[tuple[str, str, str]]:
    results = document["results"]
    assert isinstance(results, list)
    return [(each["artifact"]["version"], each["host"]["name"], each["verdict"]) for each in results]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_releases(jobs: str, capsys: pytest.CaptureFixture[str]) -> None:
    hosts = ("--host", "debian:12", "--host", "debian:13")
    code, document = _document(capsys, "demo", "--versions", ">=1.0", "--python", "3.12", "--jobs", jobs, *hosts)
    assert code == 1
    assert _rows(document) == [
        ("1.0", "debian:12", "loads"),
        ("1.0", "debian:13", "loads"),
        ("1.1", "debian:12", "loads"),
        ("1.1", "debian:13", "fails"),
        ("1.2", "debian:12", "fails"),
        ("1.2", "debian:13", "fails"),
    ]


@pytest.mark.parametrize("more", [(), ("--no-cache",), ("--jobs", "1")])
def test_a_matrix_says_the_same(more: tuple[str, ...], matrix: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, document = _document(capsys, str(matrix), *more)
    hosts = ("--host", "debian:12", "--host", "debian:13")
    expected = _document(capsys, "demo", "--versions", ">=1.0", "--python", "3.12", *hosts)
    assert (code, document["results"]) == (expected[0], expected[1]["results"])
    one = _document(capsys, str(matrix), "--host", "debian:13")[1]["results"]
    assert isinstance(document["results"], list)
    assert one == [each for each in document["results"] if each["host"]["name"] == "debian:13"]


def test_each_python_that_a_release_has_a_wheel_for(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(shelf, "demo", "1.0", {"demo/ext.so": _extension()}, "cp311-cp311-manylinux_2_17_x86_64")
    _, document = _document(capsys, "demo", "--versions", "<1.2", "--python", "*", "--host", "debian:12")
    assert isinstance(document["results"], list)
    assert [(each["artifact"]["version"], each["python"]["version"]) for each in document["results"]] == [
        ("1.0", "3.11"),
        ("1.0", "3.12"),
        ("1.1", "3.12"),
    ]


def test_what_was_added_since_is_seen(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run takes nothing over from an earlier one of the same process, but what lies in the cache."""
    arguments = ("other", "--versions", ">=1", "--host", "debian:12", "--python", "3.12")
    put(shelf, "other", "1.0", {EXT: _extension()})
    assert len(_rows(_document(capsys, *arguments)[1])) == 1
    put(shelf, "other", "1.1", {EXT: _extension()})
    (shelf.parent / "cache/index").rename(shelf.parent / "cache/old")
    assert len(_rows(_document(capsys, *arguments)[1])) == 2


@pytest.mark.parametrize("style", ["terminal", "markdown", "html"])
def test_other_formats(style: str, matrix: Path, tmp_path: Path) -> None:
    assert _run("check", "--format", style, "-o", str(tmp_path / "report"), str(matrix)) == 1
    text = (tmp_path / "report").read_text(encoding="utf-8")
    assert all(told in text for told in ("demo", "1.1", "debian:13", "libgone.so"))


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--versions", ">=1"], 2, "--versions is about distributions; name at least one"),
        (["./demo.so", "--versions", ">=1"], 2, "--versions takes names of distributions, and './demo.so' is none"),
        (["demo==1.0", "--versions", ">=1"], 2, "--versions takes names of distributions, and 'demo==1.0' is none"),
        (["demo", "--versions", "abc"], 2, "--versions 'abc': no version and no specifier such as >=4.0"),
        (["demo", "--versions", "<=>3"], 2, "--versions '<=>3': no version and no specifier such as >=4.0"),
        (["demo", "--versions", "1.0-foo"], 2, "--versions '1.0-foo': no version and no specifier such as >=4.0"),
        (["demo", "--versions", ""], 2, "--versions '': no version and no specifier such as >=4.0"),
        (["demo", "--versions", ">9", "--host", "debian:12"], 4, "demo: no release meets >9; ask for other versions"),
        (["gone", "--versions", ">1", "--host", "debian:12"], 4, "gone: the package index has no such project; "),
        (["demo", "--versions", ">1", "--python", "abc", "--host", "debian:12"], 4, "debian:12: "),
        (["demo", "--python", "*", "--host", "debian:12"], 4, "debian:12: "),
        (["demo", "--versions", ">1", "--env", "x"], 2, "--env: goes not together with --versions"),
        (["demo", "--versions", ">1", "--verify-record"], 2, "--verify-record: goes not together with --versions"),
        (["demo", "--versions", ">1", "--set", "A=1"], 2, "--set: goes not together with --versions"),
        (["demo", "--versions", ">1", "--tree"], 2, "--tree: goes not together with --versions"),
        (["demo", "--versions", ">1", "--why", "x"], 2, "--why: goes not together with --versions"),
        (["demo", "--versions", ">1", "--cross-check"], 2, "--cross-check: goes not together with --versions"),
        (["{matrix}", "--versions", ">1"], 2, "--versions: a matrix says it itself"),
        (["{matrix}", "--python", "3.12"], 2, "--python: a matrix says it itself"),
        (["{matrix}", "--no-deps"], 2, "--no-deps: a matrix says it itself"),
        (["{matrix}", "--prefix", "/x"], 2, "--prefix: a matrix says it itself"),
        (["{matrix}", "--tree"], 2, "--tree: a matrix says it itself"),
        (["{matrix}", "{matrix}"], 2, "a matrix is judged by itself; leave out the other targets"),
        (["{matrix}", "demo"], 2, "a matrix is judged by itself; leave out the other targets"),
        (["{matrix}", "--host", "debian:11"], 2, "--host debian:11: no such host in the matrix; there are debian:12, debian:13"),
        (["{tmp}/gone.toml"], 4, "{tmp}/gone.toml: No such file or directory; give the path of a matrix"),
        (["demo", "--versions", ">1", "--host", "debian:99"], 2, "unknown host 'debian:99'; did you mean debian:"),
        (["demo", "--versions", ">1", "--host", "debian:99", "--python", "*"], 2, "unknown host 'debian:99'; did you mean "),
    ],
)
def test_bad_input_is_one_clear_line(
    arguments: list[str], code: int, message: str, matrix: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"matrix": matrix, "tmp": tmp_path}
    assert _run("check", *(argument.format(**given) for argument in arguments)) == code
    captured = capsys.readouterr()
    assert captured.err.startswith(f"abicheck: {message.format(**given)}")
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_a_host_that_cannot_be_read_leaves_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hosts = ("--host", f"rootfs:{tmp_path}", "--host", "debian:12")
    for python in ("*", "3.12"):
        code, document = _document(capsys, "demo", "--versions", "<1.2", "--python", python, *hosts)
        assert code == 4
        assert _rows(document) == [("1.0", "debian:12", "loads"), ("1.1", "debian:12", "loads")]
        assert isinstance(document["errors"], list)
        assert [each["target"] for each in document["errors"]] == [f"rootfs:{tmp_path}"]


def test_a_matrix_that_is_only_judged_cannot_be_confirmed(matrix: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("confirm", str(matrix)) == 4
    captured = capsys.readouterr()
    assert captured.err == f"abicheck: {matrix}: nothing in it is to be confirmed; judge it with `abicheck check {matrix}`\n"
    assert captured.out == ""

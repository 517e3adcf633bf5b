from __future__ import annotations

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
from abicheck.cli.output import wants_colour


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABICHECK_CACHE", str(tmp_path / "cache"))


def _check(*arguments: str) -> int:
    with pytest.raises(SystemExit) as leaving:
        main(["check", *arguments])
    assert isinstance(leaving.value.code, int)
    return leaving.value.code


def test_what_loads(extension: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _check(str(extension)) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith(f"✓ {extension} loads on local (")
    assert captured.out.splitlines()[-1].startswith("1 file · 1 host · ")
    assert captured.err == ""


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["{tmp}/gone.so"], 4, "{tmp}/gone.so: no such file; "),
        (["{tmp}"], 4, "{tmp}: no ELF file in it; "),
        (["--host", "debian:99", "{tmp}/empty.so"], 2, "unknown host 'debian:99'; did you mean debian:"),
        (["--host", "rootfs:{tmp}", "{tmp}/empty.so"], 4, "rootfs:{tmp}: no C library in it "),
        (["--host", "rootfs:{tmp}/none", "{tmp}/empty.so"], 4, "rootfs:{tmp}/none: {tmp}/none is no directory; "),
        (["--host", "rootfs:{root}", "--python", "2.7", "{tmp}/empty.so"], 4, "rootfs:{root}: there is no python2.7 in "),
        (["--python", "/nowhere/python", "{tmp}/empty.so"], 4, "local: there is no Python at /nowhere/python; "),
        (["--set", "LD_LIBARY_PATH=/a", "{tmp}/empty.so"], 2, "--set LD_LIBARY_PATH: no loader reads this; "),
        (["--set", "LD_PRELOAD", "{tmp}/empty.so"], 2, "--set LD_PRELOAD: write it as --set NAME=VALUE"),
        (["--ignore", "exec-stack", "{extension}"], 2, "there is no rule 'exec-stack'; did you mean exec-stack-"),
        (["--select", "zzz", "{extension}"], 2, "there is no rule 'zzz'; `abicheck rule` lists all"),
        (["-o", "{tmp}/none/report", "{extension}"], 4, "{tmp}/none/report: cannot write the report: No such file"),
    ],
)
def test_bad_input_is_one_clear_line(
    arguments: list[str],
    code: int,
    message: str,
    tmp_path: Path,
    machine_root: Path,
    extension: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "empty.so").touch()
    given = {"tmp": tmp_path, "root": machine_root, "extension": extension}
    assert _check(*(argument.format(**given) for argument in arguments)) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"abicheck: {message.format(**given)}")
    assert captured.err.count("\n") == 1


def test_what_fails_counts_more_than_what_could_not_be_judged(
    tmp_path: Path, extension: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.so").touch()
    assert _check(str(tmp_path / "empty.so"), str(tmp_path / "gone.so"), str(extension)) == 1
    captured = capsys.readouterr()
    assert "empty.so: file too short" in captured.out
    assert f"✓ {extension}" in captured.out
    assert "1 error · 1 not judged" in captured.out


@pytest.mark.parametrize(
    "more",
    [
        (),
        ("--strict",),
        ("--ignore", "truncated-file", "--require", "cpu"),
        ("--tree", "--why", "malloc"),
        ("--no-cache",),
        ("--jobs", "2"),
        ("--host", "local"),
    ],
)
def test_json_is_what_the_schema_says(
    more: tuple[str, ...], extension: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.so").touch()
    assert _check("--format", "json", *more, str(extension), str(tmp_path / "empty.so"), str(tmp_path / "gone.so")) == 1
    document = json.loads(capsys.readouterr().out)
    schema = json.loads((files("abicheck.report") / "schema/check.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(document)
    assert document["verdict"] == "fails"
    assert ("tree" in document["results"][0]) == ("--tree" in more)


@pytest.mark.parametrize(
    ("arguments", "code", "figures"),
    [
        ((), 1, "1 error"),
        (("--ignore", "truncated-file"), 0, "0 errors · 1 ignored error"),
        (("--ignore", "not-elf"), 1, "1 error"),
        (("--select", "truncated-file"), 1, "1 error"),
        (("--select", "not-elf", "--select", "wrong-class"), 0, "0 errors · 1 ignored error"),
        (("--ignore", "truncated-file", "--require", "cpu"), 1, "0 errors · 1 ignored error"),
        (("--ignore", "truncated-file", "--require", "cuda"), 4, "0 errors · 1 ignored error · 1 not judged"),
        (("--strict",), 1, "1 error"),
    ],
)
def test_what_is_ignored_is_not_counted_and_leaves_the_verdict(
    arguments: tuple[str, ...], code: int, figures: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.so").touch()
    assert _check(*arguments, str(tmp_path / "empty.so")) == code
    captured = capsys.readouterr()
    assert captured.out.startswith(f"✗ {tmp_path}/empty.so does not load on local (")
    assert f" · {figures} · " in captured.out
    assert ("truncated-file" in captured.out) == ("1 error" in figures)
    missing = "abicheck: empty.so: nothing in it is for cuda; leave out --require cuda\n"
    assert captured.err == (missing if "cuda" in arguments else "")


def test_strict_names_what_was_assumed(extension: Path, machine_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Stored verdicts of the other kind are not taken; `--set` says what the environment is."""
    library = machine_root / "ext" / extension.name
    library.parent.mkdir(exist_ok=True)
    library.write_bytes(extension.read_bytes())
    host = ("--host", f"rootfs:{machine_root}")
    assert _check(*host, str(library)) == 0
    assert _check(*host, "--strict", str(library)) == 3
    out = capsys.readouterr().out
    assert "  It depends on noexec mounts: where it lies could be mounted noexec (assumed: none)." in out
    assert "  It depends on environment: " in out
    assert "selinux" not in out
    assert _check(*host, "--strict", "--set", "LD_LIBRARY_PATH=", str(library)) == 3
    assert "environment" not in capsys.readouterr().out
    assert _check(*host, str(library)) == 0
    shutil.rmtree(library.parent)


def test_html(extension: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.so").touch()
    page = tmp_path / "page.html"
    files = (str(extension), str(tmp_path / "empty.so"), str(tmp_path / "gone.so"))
    assert _check("--format", "html", "-o", str(page), *files) == 1
    text = page.read_text(encoding="ascii")
    assert text.startswith("<!doctype html>")
    for told in (extension.name, f"{tmp_path}/empty.so: file too short", f"{tmp_path}/gone.so", "no such file"):
        assert told in text
    assert capsys.readouterr().out == ""


def test_markdown(extension: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.so").touch()
    assert _check("--format", "markdown", str(extension), str(tmp_path / "empty.so"), str(tmp_path / "gone.so")) == 1
    out = capsys.readouterr().out
    assert out.startswith("| artifact | local |\n|---|---|\n")
    assert f"```text\n{tmp_path}/empty.so: file too short\n```" in out
    assert f"- not judged: `{tmp_path}/gone.so`: no such file" in out


@pytest.mark.parametrize(
    ("style", "begins", "place"),
    [
        ("sarif", '{\n "$schema": ', '"uri": "lib/empty.so"'),
        ("junit", "<?xml ", 'name="lib/empty.so'),
        ("github", "::error title=lib/empty.so%3A truncated-file::lib/empty.so: file too short%0A", "%0A→ "),
    ],
)
def test_paths_are_told_from_the_current_directory(
    style: str, begins: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/empty.so").touch()
    monkeypatch.chdir(tmp_path)
    assert _check("--format", style, "lib/empty.so", "gone.so") == 1
    out = capsys.readouterr().out
    assert out.startswith(begins)
    assert place in out
    assert "gone.so" in out
    assert str(tmp_path) not in out


def test_one_run_writes_several_formats(extension: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {style: tmp_path / f"a={style}" for style in ("sarif", "junit", "markdown", "terminal", "json", "html", "github")}
    options = [each for style, file in files.items() for each in ("--write", f"{style}={file}")]
    assert _check(*options, str(extension)) == 0
    assert capsys.readouterr().out.startswith("✓ ")
    begins = {"sarif": "{", "junit": "<?xml", "markdown": "#", "terminal": "✓ ", "json": "{", "html": "<!doctype", "github": "✓ "}
    assert all(file.read_text(encoding="utf-8").startswith(begins[style]) for style, file in files.items())


@pytest.mark.parametrize("told", ["xml=a", "sarif", "sarif=", "=a"])
def test_a_format_without_a_file_is_wrong_usage(told: str, extension: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _check("--write", told, str(extension)) == 2
    assert f"--write {told}: write it as --write FORMAT=FILE, with one of terminal, json, sarif, " in capsys.readouterr().err


def test_the_json_path_imports_no_rich(extension: Path) -> None:
    program = (
        "import sys, atexit; from abicheck.cli.main import main;"
        "atexit.register(lambda: print('rich' in sys.modules, file=sys.stderr));"
        f"main(['check', '--format', 'json', '--no-cache', {str(extension)!r}])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stderr == "False\n"


class TestOutput:
    def test_a_file_is_replaced_as_a_whole(self, extension: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        output = tmp_path / "report.json"
        output.write_text("old")
        (tmp_path / "link").symlink_to(output)
        assert _check("--format", "json", "-o", str(tmp_path / "link"), str(extension)) == 0
        assert json.loads(output.read_text(encoding="utf-8"))["verdict"] == "loads"
        assert (tmp_path / "link").is_symlink()
        assert {each.name for each in tmp_path.iterdir()} == {"report.json", "link", "cache"}
        assert capsys.readouterr().out == ""

    def test_a_device_is_written_itself(self, extension: Path) -> None:
        assert _check("-o", os.devnull, str(extension)) == 0
        assert not Path(os.devnull).is_file()

    def test_a_terminal_that_lacks_the_signs_gets_others(self, extension: Path) -> None:
        environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
        command = [sys.executable, "-m", "abicheck", "check", "--no-cache", str(extension)]
        ran = subprocess.run(command, capture_output=True, check=True, env=environment)
        assert ran.stdout.startswith(b"? ")

    @pytest.mark.parametrize(
        ("environment", "output", "expected"),
        [
            ({}, None, True),
            ({}, "file", False),
            ({"NO_COLOR": "1"}, None, False),
            ({"NO_COLOR": ""}, None, True),
            ({"TERM": "dumb"}, None, False),
        ],
    )
    def test_colour_only_on_a_terminal_that_wants_it(
        self, environment: dict[str, str], output: str | None, *, expected: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("NO_COLOR", "TERM"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        assert wants_colour(output) is expected
        monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
        assert not wants_colour(output)


@pytest.mark.parametrize("name", ["pylock.toml", "pylock.dev.toml", "uv.lock", "requirements.txt"])
def test_a_lock_is_no_matrix(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / name
    path.write_text("[")
    assert _check(str(path)) == 4
    assert capsys.readouterr().err.startswith(f"abicheck: {path}")

"""What a project has decided, in a file that the commands find: settings, ignores, and a baseline."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from abicheck.cli.main import main
from tests.read.index.world import wheel

if TYPE_CHECKING:
    from pathlib import Path

IGNORE = """
[[ignore]]
rule = "truncated-file"
package = "empty.so"
reason = "made later"
expires = {expires}
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with a file that does not load."""
    monkeypatch.setenv("ABICHECK_CACHE", str(tmp_path / "cache"))
    directory = tmp_path / "project"
    (directory / "below").mkdir(parents=True)
    (directory / ".git").mkdir()
    (directory / "empty.so").touch()
    monkeypatch.chdir(directory)
    return directory


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as leaving:
        main(arguments)
    assert isinstance(leaving.value.code, int)
    return leaving.value.code


def _configure(project: Path, text: str) -> None:
    (project / "abicheck.toml").write_text(text, encoding="utf-8")


def _figures(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out.splitlines()[-1]


def test_settings_are_defaults_and_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _configure(project, 'hosts = ["debian:12", "debian:13"]\nstrict = true\n')
    assert _run("check", "empty.so") == 1
    said = _figures(capsys)
    assert "· 2 hosts ·" in said
    assert " · hosts, strict from abicheck.toml · " in said
    assert _run("check", "empty.so", "--host", "local") == 1
    said = _figures(capsys)
    assert "· 1 host ·" in said
    assert " · strict from abicheck.toml · " in said
    assert _run("check", "empty.so", "--host", "local", "--strict") == 1
    assert "abicheck.toml" not in _figures(capsys)


def test_another_file_or_none(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _configure(project, "hosts = 1\n")
    assert _run("check", "empty.so") == 2
    assert capsys.readouterr().err == "abicheck: abicheck.toml:1: hosts: must be a list of strings\n"
    assert _run("check", "empty.so", "--config", "") == 1
    assert "abicheck.toml" not in _figures(capsys)
    (project / "other.toml").write_text('require = ["cuda"]', encoding="utf-8")
    assert _run("check", "empty.so", "--config", "other.toml") == 1
    assert " · require from other.toml · " in _figures(capsys)
    assert _run("check", "empty.so", "--config", "none.toml") == 2
    assert capsys.readouterr().err.startswith("abicheck: none.toml: cannot be read (No such file or directory); name another")
    assert _run("check", "--help") == 0


def test_it_is_found_from_below(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _configure(project, 'hosts = ["rootfs:none"]' + IGNORE.format(expires="2000-01-01"))
    monkeypatch.chdir(project / "below")
    assert _run("check", "../empty.so") == 4
    message = capsys.readouterr().err
    assert "abicheck: rootfs:../none: ../none is no directory; " in message
    assert "abicheck: ../abicheck.toml:6: the ignore of truncated-file for empty.so expired on 2000-01-01 (" in message


def test_an_ignored_error_does_not_count_and_is_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _configure(project, IGNORE.format(expires="2999-01-01"))
    assert _run("check", "empty.so", "empty.so", "--host", "debian:12") == 0
    told = capsys.readouterr().out
    assert "\n  truncated-file does not count (abicheck.toml: made later, until 2999-01-01)\n" in told
    assert " · 0 errors · 2 ignored errors by abicheck.toml · " in told
    assert _run("check", "empty.so", "--format", "markdown") == 0
    assert "- truncated-file does not count (abicheck.toml: made later, until 2999-01-01)\n" in capsys.readouterr().out
    assert _run("check", "empty.so", "--format", "html") == 0
    assert "truncated-file (error; abicheck.toml: made later, until 2999-01-01)" in capsys.readouterr().out
    assert _run("check", "empty.so", "--format", "json") == 0
    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert result["verdict"] == "fails"
    assert result["ignored"] == {"truncated-file": 1}
    assert result["excused"] == [{"rule": "truncated-file", "by": "abicheck.toml", "reason": "made later, until 2999-01-01"}]


def test_an_expired_ignore_fails_the_run(project: Path, extension: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _configure(project, IGNORE.format(expires="2026-01-01"))
    says = "the ignore of truncated-file for empty.so expired on 2026-01-01 (reason: made later): fix it or set a new date"
    assert _run("check", "empty.so") == 1
    captured = capsys.readouterr()
    assert captured.err == f"abicheck: abicheck.toml:6: {says}\n"
    assert " · 1 error · 1 expired ignore · " in captured.out
    assert _run("check", str(extension), "--format", "markdown") == 4
    assert f"- `abicheck.toml:6`: {says}\n" in capsys.readouterr().out
    assert _run("check", str(extension), "--format", "json") == 4
    assert json.loads(capsys.readouterr().out)["errors"] == [{"target": "abicheck.toml:6", "message": says}]


def test_a_rule_that_does_not_exist(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _configure(project, IGNORE.format(expires="2999-01-01").replace("truncated-file", "truncated"))
    assert _run("check", "empty.so") == 2
    assert capsys.readouterr().err.startswith(
        "abicheck: abicheck.toml:6: there is no rule 'truncated'; did you mean truncated-file"
    )


def test_only_new_errors_count(project: Path, extension: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("check", "empty.so", "--write-baseline", "known.json") == 0
    assert " · 0 errors · 1 known error of the baseline · " in _figures(capsys)
    document = json.loads((project / "known.json").read_text(encoding="utf-8"))
    assert document["known"] == [{"package": "empty.so", "host": "local", "rule": "truncated-file"}]
    assert _run("check", "empty.so", "--baseline", "known.json") == 0
    assert "  truncated-file does not count (known in the baseline)\n" in capsys.readouterr().out
    (project / "text.so").write_text("no ELF file at all, but long enough to be one: " + "x" * 64, encoding="utf-8")
    assert _run("check", "empty.so", "text.so", "--baseline", "known.json") == 1
    assert " · 1 error · 1 known error of the baseline · " in _figures(capsys)
    _configure(project, 'baseline = "known.json"\n')
    assert _run("check", "empty.so", str(extension)) == 0
    assert " · 1 known error of the baseline · baseline from abicheck.toml · " in _figures(capsys)
    (project / "empty.so").write_bytes(extension.read_bytes())
    assert _run("check", "empty.so") == 0
    assert " · 0 errors · 1 entry of the baseline no longer found; write it again · " in _figures(capsys)
    assert _run("check", "empty.so", "--write-baseline", "known.json") == 0
    assert "baseline" not in _figures(capsys)
    assert json.loads((project / "known.json").read_text(encoding="utf-8"))["known"] == []


def test_a_baseline_that_cannot_be_read_is_one_line(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("check", "empty.so", "--baseline", "none.json") == 2
    (project / "known.json").write_text("<<<<<<< HEAD", encoding="utf-8")
    assert _run("check", "empty.so", "--baseline", "known.json") == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first == "abicheck: none.json: cannot be read (No such file or directory); write it first with --write-baseline"
    assert second.startswith("abicheck: known.json: no JSON (")
    assert _run("check", "empty.so", "--write-baseline", "known.json") == 0  # whatever it was


def test_a_baseline_is_not_lost_where_nothing_could_be_judged(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("check", "empty.so", "--write-baseline", "known.json") == 0
    before = (project / "known.json").read_text(encoding="utf-8")
    assert _run("check", "gone.so", "--write-baseline", "known.json") == 4
    assert capsys.readouterr().err.endswith(
        "abicheck: known.json: not written, since nothing could be judged; see to that first\n"
    )
    assert (project / "known.json").read_text(encoding="utf-8") == before
    assert _run("check", "empty.so", "gone.so", "--write-baseline", "known.json") == 4
    assert (project / "known.json").read_text(encoding="utf-8") == before


@pytest.fixture
def found_here(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """demo, which has no wheel for old hosts any more."""
    wheel(project, "demo", "1.0")
    wheel(project, "demo", "2.0", "cp312-cp312-manylinux_2_39_x86_64")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(project))


DEMO = """\
hosts = ["debian:12"]
python = "3.12"
fail-on = "any"

[[ignore]]
rule = "no-wheel"
reason = "we build it"
expires = {expires}
"""


@pytest.mark.usefixtures("found_here")
def test_an_upgrade(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _configure(project, DEMO.format(expires="2999-01-01"))
    assert _run("gate", "demo==1.0", "demo==2.0") == 0
    told = capsys.readouterr().out
    assert told.startswith("✓ nothing else loads worse on debian:12 · ")
    assert " · hosts, python, fail-on from abicheck.toml · " in told
    assert "· demo 1.0 → 2.0 has no wheel, which is ignored (abicheck.toml: we build it, until 2999-01-01) on debian:12\n" in told
    assert _run("gate", "demo==1.0", "demo==2.0", "--config", "", "--host", "debian:12", "--python", "3.12") == 1
    _configure(project, DEMO.format(expires="2026-01-01"))
    capsys.readouterr()
    assert _run("gate", "demo==1.0", "demo==2.0") == 1
    captured = capsys.readouterr()
    assert captured.err.startswith(
        "abicheck: abicheck.toml:8: the ignore of no-wheel expired on 2026-01-01 (reason: we build it)"
    )
    assert " · 1 expired ignore · " in captured.out
    assert _run("gate", "demo==1.0", "demo==1.0", "--format", "markdown") == 4
    assert "- `abicheck.toml:8`: the ignore of no-wheel expired" in capsys.readouterr().out


@pytest.mark.usefixtures("found_here")
def test_locks(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _configure(project, DEMO.format(expires="2999-01-01"))
    for version in ("1.0", "2.0"):
        (project / f"requirements-{version}.txt").write_text(f"demo=={version}\n", encoding="utf-8")
    assert _run("gate", "requirements-1.0.txt", "requirements-2.0.txt") == 0
    assert "has no wheel, which is ignored (abicheck.toml: we build it, until 2999-01-01)" in capsys.readouterr().out
    assert _run("check", "requirements-2.0.txt") == 0
    assert " · 1 ignored error by abicheck.toml · " in _figures(capsys)


@pytest.mark.usefixtures("found_here")
def test_a_suggestion(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _configure(project, DEMO.format(expires="2999-01-01"))
    assert _run("suggest", "demo") == 0
    assert "✓ demo: 1.0 is the newest that loads" in capsys.readouterr().out


@pytest.mark.usefixtures("found_here")
def test_a_matrix_names_its_own_hosts(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _configure(project, DEMO.format(expires="2999-01-01"))
    cells = (
        '[[cells]]\ndo = "check"\nsubject = "demo"\nversions = ["2.0"]\npythons = ["3.12"]\nhosts = ["debian:11", "debian:13"]\n'
    )
    (project / "matrix.toml").write_text(f"schema_version = 1\n{cells}", encoding="utf-8")
    assert _run("check", "matrix.toml", "--jobs", "1", "--format", "json") == 0
    hosts = [result["host"]["name"] for result in json.loads(capsys.readouterr().out)["results"]]
    assert hosts == ["debian:11", "debian:13"]
    assert _run("check", "matrix.toml", "--jobs", "1") == 0
    said = _figures(capsys)
    assert "1 ignored error by abicheck.toml" in said
    assert "from abicheck.toml" not in said
    assert _run("check", "matrix.toml", "--host", "debian:12") == 2

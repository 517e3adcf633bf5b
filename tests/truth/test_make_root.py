"""Roots: what goes into them, where the mirror comes from, and one clear line where none can be made."""

from __future__ import annotations

from pathlib import Path

import pytest

from containers import make_root
from containers.make_root import Recipe, RootError


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory that programs are found in."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def write_program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
    (folder / name).chmod(0o755)


def test_the_suites_of_the_pythons_come_after_that_of_the_libc() -> None:
    assert Recipe(suite="forky", pythons=("3.9", "3.14", "3.9")).suites() == ["forky", "bullseye"]


def test_a_python_without_a_suite_is_refused() -> None:
    with pytest.raises(RootError, match=r"no suite is known for Python 3\.10; there are 3\.9, "):
        Recipe(suite="forky", pythons=("3.10",)).suites()


def test_the_mirror_is_that_of_apt(programs: Path) -> None:
    lines = (
        "https://one.example/ubuntu jammy main",
        "https://two.example/security bookworm-security main",
        "https://m.example/debian sid main",
    )
    write_program(programs, "apt-get", "\n".join(f"echo {line}" for line in lines))
    assert make_root.find_mirror() == "https://m.example/debian"


def test_without_a_debian_mirror_one_is_asked_for(programs: Path) -> None:
    write_program(programs, "apt-get", "echo https://one.example/ubuntu jammy main")
    with pytest.raises(RootError, match="name one with --mirror"):
        make_root.find_mirror()


@pytest.mark.usefixtures("programs")
def test_without_mmdebstrap_one_line_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert make_root.main(["trixie", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err == "make_root: mmdebstrap is not installed: apt-get install mmdebstrap\n"


def test_a_failed_root_leaves_nothing_behind(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_program(programs, "mmdebstrap", "echo I: starting >&2; echo E: Unable to locate package none >&2; exit 100")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    keyring = tmp_path / "keyring"
    keyring.touch()
    with pytest.raises(RootError, match="mmdebstrap failed for trixie: E: Unable to locate package none"):
        make_root.make_root(Recipe(suite="trixie"), tmp_path / "new" / "out", "https://m.example/debian", keyring)
    assert not list((tmp_path / "new").iterdir())


def test_an_existing_directory_is_left_alone(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_program(programs, "mmdebstrap", "exit 1")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(RootError, match="exists: remove it first"):
        make_root.make_root(Recipe(suite="trixie"), tmp_path, keyring=Path(__file__))


@pytest.mark.parametrize(
    ("variables", "expected"),
    [({"ABICHECK_CACHE": "/a"}, "/a"), ({"XDG_CACHE_HOME": "/b"}, "/b/abicheck"), ({"HOME": "/c"}, "/c/.cache/abicheck")],
)
def test_the_cache_directory(variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ABICHECK_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert make_root.cache_dir() == Path(expected)

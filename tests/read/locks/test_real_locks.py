"""Locks of one small project that uv 0.13, poetry 2.5 and 1.8, pdm 2.29, pipenv 2026.10, pip 26.3 and pip-tools 7.6 wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from abicheck.errors import TargetError
from abicheck.model.host import Libc
from abicheck.model.index import Target
from abicheck.read.locks import read_lock
from abicheck.read.locks.selection import select

REAL = Path(__file__).parent / "real"
GLIBC = Libc("glibc", (2, 41))
OLD = ["click==8.5.1", "packaging==23.2", "psutil==6.1.1"]
NEW = ["click==8.5.1", "packaging==24.2", "psutil==6.1.1"]


def _selected(name: str, minor: int) -> list[str]:
    target = Target((3, minor), "x86_64", GLIBC)
    return [each.requirement for each in select(read_lock(str(REAL / name)), target).packages]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("uv.lock", OLD, NEW),  # two versions of packaging, each for some Pythons; extra, group and Windows left out
        ("poetry.lock", OLD, NEW),
        ("poetry1/poetry.lock", OLD, NEW),
        ("requirements.txt", OLD, NEW),
        ("pylock.toml", [OLD[0], "iniconfig==2.3.1", *OLD[1:]], [NEW[0], "iniconfig==2.3.1", *NEW[1:]]),  # exported with dev
        ("pylock.pip.toml", ["click==8.1.8", "psutil==6.1.1"], ["click==8.1.8", "psutil==6.1.1"]),
        ("pdm.lock", [OLD[0], OLD[2]], NEW),  # of another pyproject.toml: pdm locks one version only
        ("Pipfile.lock", ["click==8.5.1", "psutil==6.1.1", "tzdata"], ["click==8.5.1", "psutil==6.1.1", "tzdata"]),
        ("compiled.txt", OLD, [OLD[0], OLD[2]]),  # pip-compile locks for the Python that it runs under
    ],
)
def test_what_the_tool_installs_by_default(name: str, old: list[str], new: list[str]) -> None:
    assert (_selected(name, 11), _selected(name, 13)) == (old, new)


@pytest.mark.parametrize("name", [str(path.relative_to(REAL)) for path in REAL.rglob("*") if path.suffix != ".toml"])
def test_each_pin_is_where_it_is_said_to_be(name: str) -> None:
    path = REAL / name
    if path.is_dir():
        return
    lines = path.read_text().split("\n")
    for package in read_lock(str(path)).packages:
        assert (package.version or "*") in lines[package.line - 1]
        assert package.file == str(path)


@pytest.mark.parametrize("name", ["pylock.toml", "pylock.pip.toml"])
def test_each_pin_of_pep_751_is_where_it_is_said_to_be(name: str) -> None:
    lines = (REAL / name).read_text().split("\n")
    for package in read_lock(str(REAL / name)).packages:
        assert lines[package.line - 1] == f'version = "{package.version}"'


@pytest.mark.parametrize("name", ["uv.lock", "poetry.lock", "poetry1/poetry.lock", "pdm.lock", "pylock.toml", "Pipfile.lock"])
def test_the_hashes_are_those_of_the_wheels(name: str) -> None:
    (psutil,) = (each for each in read_lock(str(REAL / name)).packages if each.name == "psutil")
    assert "sha256:97f7cb9921fbec4904f522d972f0c0e1f4fabbdd4e0287813b21215074a0f160" in psutil.hashes


def test_what_is_not_installed_by_default_is_kept() -> None:
    assert {each.name: each.groups for each in read_lock(str(REAL / "pdm.lock")).packages if each.groups != ("default",)} == {
        "idna": ("more",),
        "iniconfig": ("dev",),
    }
    poetry = {each.name: each for each in read_lock(str(REAL / "poetry.lock")).packages}
    assert (poetry["iniconfig"].groups, poetry["idna"].optional) == (("dev",), True)
    uv = {each.name: each for each in read_lock(str(REAL / "uv.lock")).packages}
    assert [(link.name, link.under) for link in uv["demo"].links if link.under] == [
        ("idna", "more"),
        ("iniconfig", "group:dev"),
    ]


@pytest.mark.parametrize("name", ["uv.lock", "poetry.lock", "poetry1/poetry.lock", "pdm.lock", "Pipfile.lock"])
def test_groups_are_installed_beside_what_is_by_default(name: str) -> None:
    target, path = Target((3, 13), "x86_64", GLIBC), str(REAL / name)
    default, more = (
        {each.name for each in select(read_lock(path, groups=groups), target).packages}
        for groups in ((), ("develop" if "Pipfile" in name else "dev",))
    )
    assert more - default == {"iniconfig"}
    assert default <= more


@pytest.mark.parametrize("name", ["uv.lock", "poetry.lock", "poetry1/poetry.lock"])
def test_extras_are_installed_beside_what_is_by_default(name: str) -> None:
    target, path = Target((3, 13), "x86_64", GLIBC), str(REAL / name)
    default, more = ({each.name for each in select(read_lock(path, extras), target).packages} for extras in ((), ("more",)))
    assert more - default == {"idna"}


@pytest.mark.parametrize(
    ("name", "known"), [("uv.lock", "it has more"), ("requirements.txt", "it has no extras"), ("pdm.lock", "it has no extras")]
)
def test_an_extra_that_is_not_there(name: str, known: str) -> None:
    with pytest.raises(TargetError, match=f"there is no extra most in it; {known}"):
        read_lock(str(REAL / name), ["most"])


@pytest.mark.parametrize("name", ["uv.lock", "poetry.lock", "poetry1/poetry.lock", "pdm.lock", "pylock.toml"])
def test_the_files_are_told_by_their_names(name: str) -> None:
    (psutil,) = (each for each in read_lock(str(REAL / name)).packages if each.name == "psutil")
    assert "psutil-6.1.1.tar.gz" in psutil.files
    assert all(each.startswith("psutil-6.1.1") and each.endswith((".whl", ".tar.gz")) for each in psutil.files)


def test_a_poetry_1_lock_without_its_project_has_what_nobody_asks_for(tmp_path: Path) -> None:
    lock = tmp_path / "poetry.lock"
    lock.write_text((REAL / "poetry1/poetry.lock").read_text().replace('version = "24.2"', 'version = "23.2"'))
    found = select(read_lock(str(lock)), Target((3, 11), "x86_64", GLIBC)).packages
    assert [each.name for each in found] == ["click", "iniconfig", "packaging", "psutil", "tzdata"]

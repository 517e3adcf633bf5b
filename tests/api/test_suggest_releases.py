from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abicheck.api.suggest import suggest
from abicheck.cli.main import main
from abicheck.errors import UsageError
from tests.read.index.world import wheel

if TYPE_CHECKING:
    from pathlib import Path

HOST = "debian:12"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Releases 1 to 5 of `demo`, of which 2 and 3 have a wheel for Debian 12; and `other`, which has one everywhere."""
    directory = tmp_path_factory.mktemp("index")
    for number in range(1, 6):
        there = number in (2, 3)
        tag = "py3-none-any" if there else "cp312-cp312-manylinux_2_39_x86_64"
        wheel(directory, "demo", f"{number}.0", tag)
    wheel(directory, "other", "1.0")
    return directory


@pytest.fixture(autouse=True)
def found_there(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABICHECK_CACHE", str(index / "cache"))  # asked once: pip takes a second
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))


def test_from_the_newest_on_until_it_is_settled() -> None:
    told: list[str] = []
    (found,) = suggest(["demo"], [HOST], python="3.12", progress=told.append).suggestions
    assert (found.best, found.constraint, found.older) == ("3.0", "demo>=2.0,<=3.0", 0)
    assert [(release.version, release.loads) for release in found.releases] == [
        ("5.0", False),
        ("4.0", False),
        ("3.0", True),
        ("2.0", True),
        ("1.0", False),
    ]
    assert told == [f"demo {release.version}" for release in found.releases]


def test_what_is_older_settles_nothing() -> None:
    (found,) = suggest(["demo<4"], [HOST], python="3.12").suggestions
    assert (found.requirement, found.best, found.constraint) == ("demo<4", "3.0", "demo>=2.0,<4")
    report = suggest(["demo>3,<5"], [HOST], python="3.12")
    assert [each.best for each in report.suggestions] == [None]
    assert (report.exit_code, report.constraints) == (0, "")


def test_every_host_must_load_it() -> None:
    report = suggest(["demo", "other"], [HOST, "ubuntu:24.04"], python="3.12")
    assert [(each.best, each.constraint) for each in report.suggestions] == [("3.0", "demo>=2.0,<=3.0"), ("1.0", None)]
    assert [result.host.name for result in report.suggestions[0].releases[0].results] == [HOST, "ubuntu:24.04"]
    assert report.constraints == "demo>=2.0,<=3.0\n"


def test_what_cannot_be_answered_is_an_error() -> None:
    report = suggest(["nowhere", "demo>9", "other"], [HOST], python="3.12")
    assert [each.requirement for each in report.suggestions] == ["other"]
    assert [failure.target for failure in report.errors] == ["nowhere", "demo"]
    assert report.exit_code == 4
    for given, host in (("demo @ file:///demo.whl", HOST), ("demo>=", HOST), ("demo", "debian:99")):
        with pytest.raises(UsageError):
            suggest([given], [host], python="3.12")


def test_the_command_writes_constraints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "constraints.txt"
    arguments = ["suggest", "demo", "--host", HOST, "--python", "3.12", "--constraints", str(path)]
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    assert path.read_text(encoding="utf-8") == "demo>=2.0,<=3.0\n"
    assert capsys.readouterr().out.startswith("✓ demo: 3.0 is the newest that loads\n")


def test_no_constraints_where_nothing_loads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "constraints.txt"
    with pytest.raises(SystemExit) as ended:
        main(["suggest", "demo>3", "other", "--host", HOST, "--python", "3.12", "--constraints", str(path)])
    assert ended.value.code == 4
    assert not path.exists()
    assert "constraints.txt: not written, since nothing is known to load of demo>3" in capsys.readouterr().err

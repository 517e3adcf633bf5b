"""On a built-in host a requirement takes the newest Python with a wheel, a wheel the one that its tags fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abicheck.api import Options, check
from tests.read.index.world import only_wheels_in, wheel

if TYPE_CHECKING:
    from pathlib import Path

    from abicheck.model.report import Result

TAG = "cp3{0}-cp3{0}-manylinux_2_17_x86_64"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    only_wheels_in(tmp_path, tmp_path / "cache", monkeypatch)
    return tmp_path


def judged(target: str, host: str, python: str | None = None) -> Result:
    report = check([target], [host], python=python, options=Options(dependencies=False))
    assert report.errors == ()
    (result,) = report.results
    return result


def rules(result: Result) -> list[str]:
    return [each.rule for each in result.findings if each.severity == "warning"]


def test_the_newest_with_a_wheel_and_a_warning_where_the_own_has_none(shelf: Path) -> None:
    for minor in (10, 12):
        wheel(shelf, "demo", "1.0", TAG.format(minor))
    result = judged("demo==1.0", "debian:13")
    (warning,) = [each for each in result.findings if each.rule == "no-wheel-for-default-python"]
    assert (result.verdict, result.python.version) == ("loads", "3.12")
    assert warning.message == "The Python of debian:13 is 3.13; demo 1.0 has wheels up to 3.12."


def test_no_warning_where_the_own_has_one(shelf: Path) -> None:
    for minor in (13, 14):
        wheel(shelf, "demo", "1.0", TAG.format(minor))
    result = judged("demo==1.0", "debian:13")
    assert (result.verdict, result.python.version, rules(result)) == ("loads", "3.14", [])


def test_what_is_asked_for_stands(shelf: Path) -> None:
    wheel(shelf, "demo", "1.0", TAG.format(12))
    assert judged("demo==1.0", "debian:13", "3.11").verdict == "not-installable"


def test_an_image_has_its_own_only(shelf: Path) -> None:
    wheel(shelf, "demo", "1.0", TAG.format(12))
    assert judged("demo==1.0", "python:3.12-slim").verdict == "loads"
    assert judged("demo==1.0", "python:3.13-slim").verdict == "not-installable"


def test_a_wheel_by_its_tags(shelf: Path) -> None:
    result = judged(str(wheel(shelf, "demo", "1.0", TAG.format(11))), "debian:13")
    assert (result.verdict, result.python.version, rules(result)) == ("loads", "3.11", ["no-wheel-for-default-python"])


def test_a_wheel_that_no_python_takes_there(shelf: Path) -> None:
    assert judged(str(wheel(shelf, "demo", "1.0", "cp312-cp312-manylinux_2_41_x86_64")), "debian:12").verdict == "not-installable"


def test_a_wheel_that_the_own_python_takes(shelf: Path) -> None:
    result = judged(str(wheel(shelf, "demo", "1.0", "py3-none-any")), "debian:13")
    assert (result.verdict, result.python.version) == ("loads", "3.13")


def test_what_is_said_of_one_release_is_not_said_of_another(shelf: Path) -> None:
    wheel(shelf, "demo", "1.0", TAG.format(12))
    wheel(shelf, "demo", "2.0", TAG.format(13))
    old, new = check(["demo==1.0", "demo==2.0"], ["debian:13"], options=Options(dependencies=False)).results
    assert "no-wheel-for-default-python" in rules(old)
    assert "no-wheel-for-default-python" not in rules(new)

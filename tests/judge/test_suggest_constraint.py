from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from abicheck.judge.suggest import constrain
from abicheck.model.report import Failure
from abicheck.model.suggest import Release

FAILED = (Failure("demo", "not judged"),)


def releases(marks: list[bool]) -> list[Release]:
    """Releases from the newest on, and whether each loads."""
    return [Release(f"{len(marks) - number}.0", (), () if loads else FAILED) for number, loads in enumerate(marks)]


@pytest.mark.parametrize(
    ("marks", "constraint"),
    [
        ([True, True, False], "demo>=2.0"),
        ([False, True, True, False], "demo>=2.0,<=3.0"),
        ([False, True], "demo<=1.0"),
        ([True, False, True], "demo>=3.0"),
        ([True, True], None),
        ([False, False], None),
        ([], None),
    ],
)
def test_what_loads_without_a_gap_from_the_newest_on(marks: list[bool], constraint: str | None) -> None:
    assert constrain("demo", releases(marks)) == constraint


@given(st.lists(st.booleans(), max_size=12))
def test_it_admits_the_newest_that_loads_and_none_that_does_not(marks: list[bool]) -> None:
    made = releases(marks)
    constraint = constrain("demo", made)
    if constraint is None:
        assert all(marks) or not any(marks)
        return
    specifier = Requirement(constraint).specifier
    admitted = [release.loads for release in made if release.version in specifier]
    assert admitted
    assert all(admitted)
    assert next(release.version for release in made if release.loads) in specifier

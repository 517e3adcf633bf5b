"""Every case of the corpus: what is predicted, what the case states, and what this machine's loader really says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from abicheck.read.hosts.machine import LOADER_VARIABLES
from tests.corpus.here import MACHINE, Here, observed, requires_glibc
from tests.corpus.make import cases

if TYPE_CHECKING:
    from pathlib import Path

    from tests.corpus.make import Case

#: Every case is stated for these. The truth tests have roots of all but 2.34, which lies between two changes.
VERSIONS = ((2, 31), (2, 34), (2, 36), (2, 41), (2, 43))
CASES = [case for case in cases() if case.arch in (None, MACHINE)]


@pytest.fixture(scope="module")
def here() -> Here:
    return Here()


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The folder of the case, built; the environment and the working directory are the ones that it asks for."""
    case: Case = request.getfixturevalue("case")
    case.build(tmp_path, MACHINE)
    for name in LOADER_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(case.working_directory(str(tmp_path)))
    return str(tmp_path)


@requires_glibc
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_loader_says_what_is_predicted(case: Case, folder: str, here: Here) -> None:
    paths, variables, cwd = case.opened(folder), case.variables(folder), case.working_directory(folder)
    beginning = here.begin(variables, cwd)
    predicted = beginning.predicted(paths)
    assert predicted == observed(paths, variables, cwd)
    assert case.expected(folder, beginning.host.libc.version) in (predicted, None)


@requires_glibc
@pytest.mark.parametrize("case", [case for case in CASES if not case.system], ids=str)
def test_what_a_case_states_is_predicted_for_every_version(case: Case, folder: str, here: Here) -> None:
    for glibc in VERSIONS:
        stated = case.expected(folder, glibc)
        if stated is not None:
            beginning = here.begin(case.variables(folder), case.working_directory(folder), glibc=glibc)
            assert (glibc, beginning.predicted(case.opened(folder))) == (glibc, stated)


def test_every_case_opens_with_its_rule_and_the_source() -> None:
    assert not [case.name for case in cases() if not re.search(r"(elf|sysdeps)/.*\.$", case.rule)]


def test_every_case_has_a_number_of_its_own() -> None:
    numbers = [case.name.partition("-")[0] for case in cases()]
    assert len(set(numbers)) == len(numbers)
    assert all(number.isdigit() and len(number) == 3 for number in numbers)

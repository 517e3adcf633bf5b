"""What is predicted for the corpus is read back by triage as the rule that the error stands for."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import pytest

from abicheck.judge.loader import dlopen
from abicheck.judge.triage.read import read_report
from tests.corpus.here import MACHINE, Here, requires_glibc
from tests.corpus.make import cases

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from abicheck.model.process import ErrorKind, LoadError
    from tests.corpus.make import Case

VERSIONS = ((2, 31), (2, 36), (2, 41), (2, 43))
CASES = [case for case in cases() if case.arch in (None, MACHINE)]
#: Texts that tell less than the files do: by the text alone the first of these is said.
TELLS_LESS: dict[str, tuple[ErrorKind, ...]] = {
    "cannot open shared object file": ("library-missing", "wrong-machine"),
    "failed to map segment from shared object": ("exec-mapping-denied", "malformed-file"),
    "page-aligned": ("page-size-mismatch", "malformed-file"),
    "not properly aligned": ("page-size-mismatch", "malformed-file"),
    "unexpected reloc type": ("relocation-unsupported", "malformed-file"),
}


@cache
def _first_class(text: str) -> str | None:
    causes = read_report(f"ImportError: {text.removeprefix('exit 127: ')}".encode()).causes
    return causes[0].class_ if causes else None


def _errors(case: Case, folder: str, here: Here) -> Iterator[LoadError]:
    """What stops the loads of a case, on each glibc. A process that dies without a word has no text to read."""
    for glibc in VERSIONS:
        beginning = here.begin(case.variables(folder), case.working_directory(folder), glibc=glibc)
        process = beginning.process
        for path in case.opened(folder):
            link_map, process = dlopen(process, path, beginning.host, beginning.memo)
            yield from (error for error in link_map.errors if not error.text.startswith("signal: "))
            if link_map.errors and link_map.errors[0].text.startswith(("signal: ", "exit ")):
                break


@pytest.fixture(scope="module")
def here() -> Here:
    return Here()


@requires_glibc
@pytest.mark.parametrize("case", [case for case in CASES if not case.system], ids=str)
def test_a_predicted_text_is_read_as_its_rule(case: Case, tmp_path: Path, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    case.build(tmp_path, MACHINE)
    monkeypatch.chdir(case.working_directory(str(tmp_path)))
    for error in _errors(case, str(tmp_path), here):
        kinds = next((kinds for text, kinds in TELLS_LESS.items() if text in error.text), (error.kind,))
        assert error.kind in kinds
        # judge/rules/errors.py: what only an interpreter defines is missed by an extension for another one.
        of_python = error.kind == "symbol-missing" and re.match("_?Py[A-Z_]", error.name or "")
        rule = "interpreter-mismatch" if of_python else kinds[0]
        assert (error.text, _first_class(error.text)) == (error.text, rule)

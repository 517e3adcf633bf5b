"""The corpus of loader rules as the truth asks for it: built once for each machine, and opened in roots."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.corpus.make import build_all, cases, digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.corpus.make import Case


class Question(NamedTuple):
    """Paths to open, with tabs between them; the last one counts. `since` is the first glibc that can be asked."""

    paths: str
    family: str
    case: str
    since: tuple[int, ...]


def questions(directory: Path, mount: str, machine: str) -> Iterator[Question]:
    """Everything that the cases open, now that they are built under `directory`, which roots see at `mount`."""
    place = directory / _name(machine)
    if not place.exists():
        with tempfile.TemporaryDirectory(prefix=".rules.", dir=directory) as work:
            built = Path(work, "rules")
            build_all(built, machine, f"{mount}/{place.name}")
            built.rename(place)
        for old in directory.glob(f"rules-*-{machine}"):
            if old != place:
                shutil.rmtree(old)
    for case in _asked(machine):
        opened = case.opened(_folder(case, mount, machine))
        since = tuple(map(int, case.crashes_before.split(".")))
        for count in range(1, len(opened) + 1):
            yield Question("\t".join(opened[:count]), _family(case), case.name, since)


def settings(mount: str, machine: str) -> dict[str, tuple[Mapping[str, str], tuple[str, ...]]]:
    """For each case that sets variables: these, and the family in which only that case is."""
    with_variables = (case for case in _asked(machine) if case.environment)
    return {f"rule-{case.name}": (case.variables(_folder(case, mount, machine)), (_family(case),)) for case in with_variables}


@cache
def _name(machine: str) -> str:
    return f"rules-{digest()}-{machine}"


@cache
def _asked(machine: str) -> tuple[Case, ...]:
    """The cases for `machine`; in a root the working directory is always `/`."""
    return tuple(case for case in cases() if case.arch in (None, machine) and case.directory == "/")


def _folder(case: Case, mount: str, machine: str) -> str:
    return f"{mount}/{_name(machine)}/{case.name}"


def _family(case: Case) -> str:
    return f"rule {case.name}" if case.environment else "rule"

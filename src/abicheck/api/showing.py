"""`show`: what binaries ask of a host, as requirements cards."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from abicheck import __version__
from abicheck.errors import TargetError
from abicheck.judge.requirements import ARCHES, choose_roots, gather, opens_by_name, python_need, unfit
from abicheck.model.elf import SharedObject
from abicheck.model.report import Failure, Tool
from abicheck.model.requirements import Card, CardReport
from abicheck.read.loose import open_directory, open_files, open_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abicheck.model.requirements import Readable


def show(targets: Sequence[str], *, every: bool = False) -> CardReport:
    """Say for each target what it asks of a host: a card for each machine that it has code for.

    Files that are no wheels form one artifact together. With `every` all needed versions are listed, not only the newest of each
    library. What cannot be read is listed in `CardReport.errors`.
    """
    cards: list[Card] = []
    errors: list[Failure] = []
    for together in _artifacts(targets):
        found, failure = _cards(together, every=every)
        cards += found
        errors += failure
    return CardReport(Tool("abicheck", __version__), tuple(cards), tuple(errors))


def _cards(targets: list[str], *, every: bool) -> tuple[list[Card], list[Failure]]:
    try:
        return list(cards_of(_open(targets), every=every)), []
    except TargetError as error:
        return [], [Failure(error.subject, error.message)]


def _artifacts(targets: Sequence[str]) -> list[list[str]]:
    """The targets, those that belong together in one list."""
    files = [target for target in targets if not (os.path.isdir(target) or target.endswith(".whl"))]
    return [[target] for target in targets if target not in files] + ([files] if files else [])


def _open(targets: list[str]) -> Readable:
    if os.path.isdir(targets[0]):
        return open_directory(targets[0])
    return open_wheel(targets[0]) if targets[0].endswith(".whl") else open_files(targets)


def cards_of(package: Readable, *, every: bool = False) -> Iterator[Card]:
    """The cards of a package; paths are told from where it is (or would be) installed."""
    distribution, entries = package.distribution, package.entries()
    base = f"{distribution.scheme.library}/" if distribution.scheme.library else ""
    places = {path.removeprefix(base): path for path in distribution.binaries}
    found = {path: package.facts(entries[place]) for path, place in places.items()}
    passed_over = tuple((path, reason) for path, facts in found.items() if (reason := unfit(facts)))
    objects = {path: facts for path, facts in found.items() if isinstance(facts, SharedObject) and not unfit(facts)}
    if not objects:
        path, reason = passed_over[0]
        raise TargetError(f"{reason}; give shared objects or programs for x86_64 or aarch64", places[path])
    opened = {path: package.opened_names(entries[places[path]]) for path, facts in objects.items() if opens_by_name(facts)}
    for machine in dict.fromkeys(facts.header.machine for facts in objects.values()):
        mine = {path: facts for path, facts in objects.items() if facts.header.machine == machine}
        requirements = gather(
            mine,
            tuple(mine) if distribution.kind == "files" else choose_roots(mine),
            ARCHES[machine],
            python=python_need(distribution.tags, mine, distribution.requires_python),
            platforms=distribution.tags,
            opened=opened,
            every=every,
        )
        yield Card(
            distribution.name, distribution.version or None, distribution.kind, distribution.given, requirements, passed_over
        )

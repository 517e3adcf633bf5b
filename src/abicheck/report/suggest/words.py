"""What a suggestion says, in words that the formats have in common."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from abicheck.report.words import SIGNS, place, short_reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.model.report import Result
    from abicheck.model.suggest import Release, Suggestion


def answer(suggestion: Suggestion) -> str:
    """The answer in a sentence."""
    name = suggestion.requirement
    if suggestion.best is None:
        judged = len(suggestion.releases)
        return f"{name}: none of {judged} releases loads" if judged > 1 else f"{name}: its only release does not load"
    return f"{name}: {suggestion.best} is the newest that loads"


def rows(suggestion: Suggestion) -> Iterator[tuple[str, list[str]]]:
    """The releases, neighbours of which the same is to be said in one row, each with a line for each host."""
    for said, group in groupby(suggestion.releases, key=_said):
        versions = [release.version for release in group]
        yield versions[0] if len(versions) == 1 else f"{versions[-1]}\N{EN DASH}{versions[0]}", list(said)
    if suggestion.older:
        yield f"{suggestion.older:,} older", ["not judged"]


def _said(release: Release) -> tuple[str, ...]:
    judged = [f"{SIGNS[result.verdict][0]} {place(result)}{_why(result)}" for result in release.results]
    return (*judged, *(f"not judged: {failure.message}" for failure in release.failures))


def _why(result: Result) -> str:
    reason = short_reason(result)
    return f": {reason}" if reason else ""

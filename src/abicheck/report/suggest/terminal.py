"""Suggestions for a reader: the answer first, then release by release why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.report.lines import Line, escape, join
from abicheck.report.suggest.words import answer, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.model.suggest import Suggestion, SuggestReport


def render(report: SuggestReport, *, colour: bool) -> str:
    """The report as text; with `colour` for a terminal that has it."""
    lines = [line for suggestion in report.suggestions for line in _suggestion(suggestion)]
    return join(lines, colour=colour)


def _suggestion(suggestion: Suggestion) -> Iterator[Line]:
    head = ("✗", "bold red") if suggestion.best is None else ("✓", "green")
    yield Line(f" {escape(answer(suggestion))}", *head)
    yield Line()
    width = max(len(name) for name, _ in rows(suggestion))
    for name, said in rows(suggestion):
        for number, line in enumerate(said):
            yield Line(f"  {'' if number else escape(name):{width}}  {escape(line)}")
    if suggestion.constraint:
        yield Line()
        yield Line(f"  constraint: {escape(suggestion.constraint)}")
    yield Line()

"""Suggestions as markdown, to paste into an issue or a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.report.markup import block, text
from abicheck.report.suggest.words import answer, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.model.suggest import SuggestReport


def render(report: SuggestReport) -> str:
    """A table for each requirement, then the constraints."""
    return "\n\n".join(_blocks(report)) + "\n" if report.suggestions else ""


def _blocks(report: SuggestReport) -> Iterator[str]:
    for suggestion in report.suggestions:
        yield f"### {'✗' if suggestion.best is None else '✓'} {text(answer(suggestion))}"
        lines = [f"| {text(name)} | {'<br>'.join(map(text, said))} |" for name, said in rows(suggestion)]
        yield "\n".join(("| releases | hosts |", "|---|---|", *lines))
    if report.constraints:
        yield block(report.constraints.rstrip("\n"))

"""What an upgrade changes, for a reader: the verdict, then a line a change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.report.gate.words import figures, overall, sentences, sign, verdict
from abicheck.report.lines import Line, escape, join
from abicheck.report.words import advice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.model.gate import GateReport


def render(report: GateReport, *, colour: bool) -> str:
    """The report as text; one line where nothing is to be said. With `colour` for a terminal that has it."""
    return join(list(_lines(report)), colour=colour)


def _lines(report: GateReport) -> Iterator[Line]:
    yield Line(f" {escape(verdict(report))} · {figures(report)}", *overall(report))
    if report.changes:
        yield Line()
    for change, told in sentences(report.changes):
        mark, style = sign(change)
        yield Line(f" {escape(told)}", f"  {mark}", style)
        if change.severity == "error":
            yield from ([Line(f"      {escape(change.predicted)}")] if change.predicted is not None else [])
            yield from (Line(f"      {escape(each)}") for each in change.why)
            yield from (Line(f"      → {escape(advice(each))}") for each in change.remedies)

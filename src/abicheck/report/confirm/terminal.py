"""Confirmed cells for a reader: a grid of artifacts by hosts, then whatever is not as predicted; figures last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.report.confirm.words import SIGNS, column, figures, heard, observed, predicted, row, rows, sign, where
from abicheck.report.lines import Line, escape, join

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abicheck.model.confirm import Confirmed, ConfirmReport

#: So few cells are told one by one, without a grid.
_FEW = 3
_MAX_DIFFERENCES = 8


def render(report: ConfirmReport, *, colour: bool) -> str:
    """The report as text; with `colour` for a terminal that has it."""
    if not report.cells:
        return ""
    if len(report.cells) <= _FEW:
        lines = [line for cell in report.cells for line in _told(cell)]
    else:
        lines = [*_grid(report.cells), Line(), *(line for cell in report.cells if sign(cell) in "≠?" for line in _told(cell))]
    return join([*lines, Line(figures(report))], colour=colour)


def _grid(cells: Sequence[Confirmed]) -> Iterator[Line]:
    """One line a row, one column a host, the hosts' names above by numbers."""
    hosts = {cell.cell.host: column(cell) for cell in cells}
    for number, told in enumerate(hosts.values(), 1):
        yield Line(f"{number:3}  {escape(told)}")
    yield Line()
    width = max(len(escape(row(cell))) for cell in cells)
    yield Line(" " * width + "".join(f"{number:4}" for number in range(1, len(hosts) + 1)))
    for name, by_host in rows(cells).items():
        signs = [sign(by_host[host]) if host in by_host else " " for host in hosts]
        yield Line(escape(name).ljust(width) + "".join(f"{each:>4}" for each in signs))
    yield Line()
    used = {sign(cell) for cell in cells}
    yield Line("     " + "   ".join(f"{each} {meaning}" for each, (_, meaning) in SIGNS.items() if each in used))


def _told(cell: Confirmed) -> Iterator[Line]:
    """One cell with both sides."""
    mark = sign(cell)
    yield Line(f" {escape(row(cell))} on {escape(where(cell))}: {SIGNS[mark][1]}", mark, SIGNS[mark][0])
    yield Line()
    yield Line(f"  predicted: {escape(predicted(cell))}")
    yield Line(f"  observed:  {escape(observed(cell.observed))}")
    if heard(cell.observed):
        yield Line(f"  heard:     {escape(heard(cell.observed))}")
    for missing in cell.result.missing_facts if mark == "?" else ():
        yield Line(f"  depends:   {escape(missing.fact)}: {escape(missing.reason)}")
    if mark == "≠":
        for difference in cell.differences[:_MAX_DIFFERENCES]:
            yield Line(f"  differs:   {escape(difference)}")
        if len(cell.differences) > _MAX_DIFFERENCES:
            yield Line(f"  differs:   {len(cell.differences) - _MAX_DIFFERENCES:,} more (--format json)")
        for line in cell.observed.output.splitlines()[-10:] if cell.observed else ():
            yield Line(f"    {escape(line)}")
        yield Line(f"  by hand:   {escape(cell.reproduce)}")
    yield Line()

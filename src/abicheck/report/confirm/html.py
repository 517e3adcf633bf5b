"""Confirmed cells as a page: what was predicted beside what was observed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.report.confirm.words import SIGNS, figures, observed, predicted, row, sign, where
from abicheck.report.grid.arrange import Entry, Mark, counted
from abicheck.report.html.check import listed
from abicheck.report.html.details import make_detail
from abicheck.report.html.grid import make_grid
from abicheck.report.html.page import render_page
from abicheck.report.html.values import Page, Sides
from abicheck.report.lines import count
from abicheck.report.words import short_reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.model.confirm import Confirmed, ConfirmReport, Deed
    from abicheck.report.grid.arrange import Kind
    from abicheck.report.html.values import Detail

_KINDS: dict[str, Kind] = {"✓": "loads", "✗": "fails", "≠": "differs", "?": "depends", "-": "none"}

_DONE: dict[Deed, str] = {
    "load": "loaded",
    "import": "imported",
    "transcribe": "imported and transcribed",
    "instantiate": "compiled and instantiated",
    "canary": "given a language that must come back",
}


def render(report: ConfirmReport) -> str:
    """The report as one HTML document; "" where there is nothing to tell."""
    if not report.cells and not report.errors:
        return ""
    entries = [_entry(number, cell) for number, cell in enumerate(report.cells, 1)]
    heading = _heading(report)
    return render_page(
        Page(
            tool=report.tool,
            title="".join(heading),
            heading=heading,
            grid=make_grid(entries) if len(entries) > 1 else None,
            counts=counted(entry.mark for entry in entries),
            details=tuple(_detail(number, cell) for number, cell in enumerate(report.cells, 1)),
            errors=report.errors,
            listed=listed([cell.result for cell in report.cells]),
            figures=figures(report),
            undone="not done",
        )
    )


def _heading(report: ConfirmReport) -> tuple[str, ...]:
    if len(report.cells) == 1:
        (cell,) = report.cells
        return f"{sign(cell)} ", row(cell), " on ", where(cell), f": {SIGNS[sign(cell)][1]}"
    differ = sum(sign(cell) == "≠" for cell in report.cells)
    return "", report.name, f": {count(len(report.cells), 'cell')}" + (f", {differ:,} not as predicted" if differ else "")


def _mark(cell: Confirmed) -> Mark:
    """The cell's sign with its meaning, and why it fails where it is to."""
    told = sign(cell)
    reason = "on a host that changes by itself" if cell.rolling and told == "≠" else ""
    return Mark(_KINDS[told], told, SIGNS[told][1], reason or (short_reason(cell.result) if told in "✗?" else ""))


def _entry(number: int, cell: Confirmed) -> Entry:
    host = cell.result.host._replace(name=cell.cell.host)
    return Entry(row(cell), host, _mark(cell), number, window=cell.result.window)


def _detail(number: int, cell: Confirmed) -> Detail:
    made = make_detail(number, [cell.result])
    return made._replace(mark=_mark(cell), subject=row(cell), does=f": {SIGNS[sign(cell)][1]}", confirmed=_sides(cell))


def _sides(cell: Confirmed) -> Sides:
    seen = cell.observed
    return Sides(
        predicted=predicted(cell),
        observed=observed(seen),
        differences=cell.differences,
        heard=seen.heard if seen is not None else (),
        facts=tuple(_facts(cell)),
        listings=tuple(_listings(cell)),
        reproduce=cell.reproduce,
    )


def _facts(cell: Confirmed) -> Iterator[tuple[str, str]]:
    asked = cell.cell
    if asked.requirements:
        yield "Installed", ", ".join(asked.requirements)
    yield "Done", _DONE[asked.deed]
    if asked.remedy:
        yield "Remedy", asked.remedy.replace("-", " ")
    if asked.settings:
        yield "Set", ", ".join(f"{name}={value}" for name, value in asked.settings)
    if cell.observed is not None:
        yield "Took", f"{cell.observed.seconds:.1f} s"


def _listings(cell: Confirmed) -> Iterator[tuple[str, tuple[str, ...]]]:
    seen = cell.observed
    if seen is not None and seen.extensions:
        lines = (f"{path}: {text or 'loads'}" for path, text in seen.extensions)
        yield f"{count(len(seen.extensions), 'shared object')} opened by Python", tuple(lines)
    if seen is not None and seen.output:
        yield "The end of what it wrote", tuple(seen.output.splitlines())

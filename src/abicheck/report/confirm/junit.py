"""Confirmed cells as JUnit XML, a test case each: one that is not as predicted is a failure, one that depends is skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.report.confirm.words import heard, observed, predicted, row, sign
from abicheck.report.junit import Case, Outcome, Suite, failures, written

if TYPE_CHECKING:
    from abicheck.model.confirm import Confirmed, ConfirmReport


def render(report: ConfirmReport) -> str:
    """The report as one test suite; a cell that could not be done is an error."""
    cases = [*map(_case, report.cells), *failures(report.errors, report.name)]
    return written([Suite(report.name, cases, report.seconds)])


def _case(cell: Confirmed) -> Case:
    told = f"predicted: {predicted(cell)}\nobserved: {observed(cell.observed)}\n{heard(cell.observed)}".rstrip()
    seconds = cell.observed.seconds if cell.observed is not None else 0.0
    return Case(cell.cell.host, row(cell), _outcome(cell), told, seconds)


def _outcome(cell: Confirmed) -> Outcome | None:
    if cell.agree is False and not cell.rolling:
        output = cell.observed.output if cell.observed else ""
        told = "\n".join((*cell.differences, f"by hand: {cell.reproduce}", output))
        return Outcome("failure", cell.differences[0], text=told)
    why = {"-": predicted(cell), "?": "the prediction depends", "≠": "not as predicted, on a host that changes by itself"}
    return Outcome("skipped", why[sign(cell)]) if sign(cell) in why else None

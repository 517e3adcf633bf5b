"""Confirmed cells as JUnit XML, a test case each: one that is not as predicted is a failure, one that depends is skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape as escape_text
from xml.sax.saxutils import quoteattr

from abicheck.report.confirm.words import heard, observed, predicted, row, sign
from abicheck.report.lines import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.model.confirm import Confirmed, ConfirmReport


def render(report: ConfirmReport) -> str:
    """The report as one test suite; a cell that could not be done is an error."""
    failed = sum(_counts(cell) for cell in report.cells)
    skipped = sum(sign(cell) in "?-" or (sign(cell) == "≠" and cell.rolling) for cell in report.cells)
    numbers = {
        "name": report.name,
        "tests": len(report.cells) + len(report.errors),
        "failures": failed,
        "errors": len(report.errors),
        "skipped": skipped,
        "time": f"{report.seconds:.3f}",
    }
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<testsuites>"]
    lines.append(f"<testsuite {' '.join(f'{name}={_attribute(value)}' for name, value in numbers.items())}>")
    lines += [line for cell in report.cells for line in _case(cell)]
    for error in report.errors:
        lines.append(f"<testcase classname={_attribute(report.name)} name={_attribute(error.target)}>")
        lines.append(f"<error message={_attribute(error.message)}/></testcase>")
    return "\n".join([*lines, "</testsuite>", "</testsuites>"]) + "\n"


def _counts(cell: Confirmed) -> bool:
    return cell.agree is False and not cell.rolling


def _case(cell: Confirmed) -> Iterator[str]:
    seconds = cell.observed.seconds if cell.observed is not None else 0.0
    yield f"<testcase classname={_attribute(cell.cell.host)} name={_attribute(row(cell))} time={_attribute(f'{seconds:.3f}')}>"
    if _counts(cell):
        told = "\n".join((*cell.differences, f"by hand: {cell.reproduce}", cell.observed.output if cell.observed else ""))
        yield f"<failure message={_attribute(cell.differences[0])}>{_text(told)}</failure>"
    elif sign(cell) != "✓" and sign(cell) != "✗":
        why = {"-": predicted(cell), "?": "the prediction depends", "≠": "not as predicted, on a host that changes by itself"}
        yield f"<skipped message={_attribute(why[sign(cell)])}/>"
    told = f"predicted: {predicted(cell)}\nobserved: {observed(cell.observed)}\n{heard(cell.observed)}".rstrip()
    yield f"<system-out>{_text(told)}</system-out></testcase>"


def _attribute(value: object) -> str:
    return quoteattr(escape(str(value)))


def _text(foreign: str) -> str:
    """Text as XML may hold it: what is no printable character is written as an escape, line by line."""
    return escape_text("\n".join(map(escape, foreign.splitlines())))

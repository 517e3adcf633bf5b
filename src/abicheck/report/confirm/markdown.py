"""Confirmed cells as markdown, to paste into an issue or a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.report.confirm.words import SIGNS, column, figures, heard, observed, predicted, row, rows, sign, where
from abicheck.report.markup import block, code, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.model.confirm import Confirmed, ConfirmReport


def render(report: ConfirmReport) -> str:
    """A table of artifacts by hosts, a section for each cell that is not as predicted, and the figures."""
    return "\n\n".join(_blocks(report)) + "\n" if report.cells or report.errors else ""


def _blocks(report: ConfirmReport) -> Iterator[str]:
    if report.cells:
        yield "\n".join(_table(report))
        used = {sign(cell) for cell in report.cells}
        yield ", ".join(f"{each} {meaning}" for each, (_, meaning) in SIGNS.items() if each in used)
    for cell in report.cells:
        if sign(cell) in "≠?" or len(report.cells) == 1:
            yield from _section(cell)
    if report.errors:
        yield "\n".join(f"- not done: {code(failure.target)}: {text(failure.message)}" for failure in report.errors)
    yield f"{text(figures(report))} · abicheck {text(report.tool.version)}"


def _table(report: ConfirmReport) -> Iterator[str]:
    hosts = {cell.cell.host: column(cell) for cell in report.cells}
    yield f"| cell | {' | '.join(map(text, hosts.values()))} |"
    yield "|---" * (len(hosts) + 1) + "|"
    for name, by_host in rows(report.cells).items():
        signs = (sign(by_host[host]) if host in by_host else " " for host in hosts)
        yield f"| {text(name)} | {' | '.join(signs)} |"


def _section(cell: Confirmed) -> Iterator[str]:
    yield f"### {sign(cell)} {text(row(cell))} on {text(where(cell))}"
    yield "predicted:\n\n" + block(predicted(cell))
    yield "observed:\n\n" + block(observed(cell.observed))
    if heard(cell.observed):
        yield f"heard in {text(heard(cell.observed))}"
    if cell.agree is False:
        yield "\n".join(f"- {text(difference)}" for difference in cell.differences)
    yield f"by hand: {code(cell.reproduce)}"

"""The grid as markdown, for a project to paste into its documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.report.grid.arrange import LOOKS, arrange, counted, entry_of
from abicheck.report.grid.compact import compact
from abicheck.report.grid.problems import find_problems
from abicheck.report.grid.words import checked, has_gaps, legend, lettered, spread
from abicheck.report.lines import count
from abicheck.report.markup import advice, block, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abicheck.model.report import Report
    from abicheck.report.grid.compact import Compact, Table
    from abicheck.report.grid.problems import Problem
    from abicheck.report.grid.words import Spelled


def blocks(report: Report) -> Iterator[str]:
    """All but what was not judged and the figures."""
    entries = [entry_of(result, number) for number, result in enumerate(report.results)]
    compacted = compact(arrange(entries))
    yield " · ".join(f"{mark.sign} {mark.label} {number:,}" for mark, number in counted(entry.mark for entry in entries).items())
    for table in compacted.tables:
        yield "\n".join(_table(compacted, table))
        if legends := list(_legend(compacted, table)):
            yield "\n".join(legends)
    if told := [f"- versions of {text(name)}: {', '.join(map(text, versions))}" for name, versions in checked(compacted)]:
        yield "\n".join(told)
    for problem in find_problems(report.results, compacted):
        yield from _problem(problem)


def _table(compacted: Compact, table: Table) -> Iterator[str]:
    made = spread(compacted, table)
    yield _row(_joined(cell, "<br>") for cell in made.head)
    yield "|---" * len(made.head) + "|"
    for above, cells in made.rows:
        if above:
            yield _row((f"**{text(above)}**", *[""] * (len(cells) - 1)))
        yield _row(_joined(cell) for cell in cells)


def _row(cells: Iterator[str] | Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _joined(cell: Spelled, between: str = ", ") -> str:
    return between.join(map(text, cell.pieces))


def _legend(compacted: Compact, table: Table) -> Iterator[str]:
    for column in lettered(table):
        yield f"- **{column.name}**: {' '.join(map(text, legend(column, compacted.layout)))}"
    if has_gaps(compacted, table):
        yield "- an empty cell: not asked for"


def _problem(problem: Problem) -> Iterator[str]:
    """One short section."""
    first = problem.first
    yield f"### {LOOKS[first.kind][0]} {text(first.name)}: {count(problem.number, 'result')}"
    if first.text is not None:
        yield block(first.text)
    yield from map(text, first.sentences)
    if problem.texts > 1:
        yield f"(one of {problem.texts:,} such texts)"
    lines = [f"- on {text(hosts)}: {'; '.join(map(text, rows))}" for hosts, rows in problem.places]
    lines += [f"- → {advice(remedy)}" for remedy in problem.remedies]
    if lines:
        yield "\n".join(lines)

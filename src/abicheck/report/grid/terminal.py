"""The grid for a terminal: tables with the hosts of each column below, then every kind of problem once."""

from __future__ import annotations

from itertools import zip_longest
from textwrap import wrap
from typing import TYPE_CHECKING

from abicheck.report.grid.arrange import LOOKS, arrange, counted, entry_of
from abicheck.report.grid.compact import compact
from abicheck.report.grid.problems import find_problems, shortened
from abicheck.report.grid.words import checked, has_gaps, legend, lettered, spread, style
from abicheck.report.lines import WIDTH, Line, count, escape, listed
from abicheck.report.words import advice

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abicheck.model.report import Report, Result
    from abicheck.report.grid.arrange import Mark
    from abicheck.report.grid.compact import Compact, Table
    from abicheck.report.grid.problems import Problem
    from abicheck.report.grid.words import Spelled, Spread

#: The most that a cell takes: of a row's name, of what is said of the row, of a host.
_TITLE, _FACT, _CELL = 30, 11, 14
_GAP = "  "


def lines(report: Report) -> Iterator[Line]:
    """All but the line of figures."""
    entries = [entry_of(result, number) for number, result in enumerate(report.results)]
    compacted = compact(arrange(entries))
    yield _counts([entry.mark for entry in entries])
    yield Line()
    for table in compacted.tables:
        yield from _table(compacted, table)
    for name, versions in checked(compacted):
        yield from listed(f"versions of {escape(name)}: ", versions)
        yield Line()
    cut = False
    for problem in find_problems(report.results, compacted):
        short, left_out = shortened(problem)
        cut |= left_out
        yield from _problem(short)
        yield Line()
    if cut or any(map(_has_more, report.results)):
        yield Line("  Every result, with each text and note: --format html or --format json")
        yield Line()


def _counts(marks: Sequence[Mark]) -> Line:
    pieces = [(f"{mark.sign} {mark.label} {number:,}", style(mark.kind)) for mark, number in counted(marks).items()]
    return Line(more=tuple(piece for each in pieces for piece in ((" · ", ""), each))[1:])


def _has_more(result: Result) -> bool:
    return bool(result.unjudged or result.ignored) or any(finding.severity == "note" for finding in result.findings)


def _table(compacted: Compact, table: Table) -> Iterator[Line]:
    """The table, in parts where it is too wide, and its legend."""
    made = spread(compacted, table)
    widths = [_width(made, column) for column in range(len(made.head))]
    lead = list(range(made.lead))
    parts = [lead]
    for column in range(made.lead, len(made.head)):
        if sum(widths[each] + len(_GAP) for each in (*parts[-1], column)) - len(_GAP) > WIDTH:
            parts.append(lead[:2])
        parts[-1] = [*parts[-1], column]
    for part in parts:
        yield from _part(made, part, widths)
        yield Line()
    for each in lettered(table):
        yield from listed(f"{each.name}: ", tuple(legend(each, compacted.layout)), " ")
    if has_gaps(compacted, table):
        yield Line("  an empty cell: not asked for")
    yield Line()


def _part(made: Spread, columns: Sequence[int], widths: Sequence[int]) -> Iterator[Line]:
    """Some columns of the table; what a row has in common with the row above it is not repeated."""
    yield from _row([made.head[column] for column in columns], [widths[column] for column in columns], bold=True)
    last = None
    for above, cells in made.rows:
        yield from (Line("", line, "bold") for line in wrap(escape(above), WIDTH))
        title = cells[0] if above or cells[0] != last else cells[0]._replace(pieces=())
        last = cells[0]
        shown = [title, *(cells[column] for column in columns[1:])]
        yield from _row(shown, [widths[column] for column in columns])


def _row(cells: Sequence[Spelled], widths: Sequence[int], *, bold: bool = False) -> Iterator[Line]:
    texts = [_wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
    styles = ["bold" if bold else style(cell.kind) for cell in cells]
    starts = [sum(widths[:number]) + len(_GAP) * number for number in range(len(cells))]
    for below in zip_longest(*texts, fillvalue=""):
        pieces: list[tuple[str, str]] = []
        end = 0
        for start, text, look in zip(starts, below, styles, strict=True):
            if text:
                pieces += [(" " * (start - end), ""), (text, look)]
                end = start + len(text)
        yield Line(more=tuple(pieces))


def _wrapped(cell: Spelled, width: int) -> list[str]:
    """The pieces of a cell below each other, what belongs to the first of them indented below a sign."""
    indent = "  " if cell.kind else ""
    return [
        line
        for number, piece in enumerate(cell.pieces)
        for line in wrap(
            escape(piece),
            width,
            initial_indent="" if number == 0 else indent,
            subsequent_indent=indent,
            break_on_hyphens=False,
        )
    ]


def _width(made: Spread, column: int) -> int:
    """What the longest text of the column takes, up to a limit."""
    most = _TITLE if column == 0 else _FACT if column < made.lead else _CELL
    cells = [made.head[column], *(cells[column] for _, cells in made.rows)]
    return max((len(line) for cell in cells for line in _wrapped(cell, most)), default=0)


def _problem(problem: Problem) -> Iterator[Line]:
    """One short paragraph."""
    first = problem.first
    sign, look = LOOKS[first.kind]
    yield Line(f" {escape(first.name)}: {count(problem.number, 'result')}", sign, look)
    yield from (Line(f"  {escape(text)}") for text in (first.text, *first.sentences) if text)
    if problem.texts > 1:
        yield Line(f"  (one of {problem.texts:,} such texts)")
    for hosts, rows in problem.places:
        yield from listed(f"on {escape(hosts)}: ", rows, "; ")
    yield from (Line(f"    → {escape(advice(remedy))}") for remedy in problem.remedies)

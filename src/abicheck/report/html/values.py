"""What the template of the page is filled from. Foreign text in it is not yet escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abicheck.model.confirm import Heard
    from abicheck.model.host import Assumption
    from abicheck.model.report import Artifact, Failure, Finding, HostSummary, Tool
    from abicheck.report.grid.arrange import Mark


class Cell(NamedTuple):
    """An entry in its place; `name` is what a link to it ends with, `python` is there where neither row nor column tells it."""

    name: str
    mark: Mark
    detail: int
    python: str | None = None


class Column(NamedTuple):
    """A host, and what decides there."""

    host: str
    facts: str


class Row(NamedTuple):
    """An artifact on all hosts, in the order of the columns; a cell is empty where nothing was judged."""

    artifact: str
    variant: str
    python: str | None
    window: str
    gpu: str
    cells: tuple[tuple[Cell, ...], ...]


class Grid(NamedTuple):
    """Artifacts by hosts; `windows` and `gpus` tell whether any row has one."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    windows: bool
    gpus: bool


class Where(NamedTuple):
    """For what the same holds; `artifact` is empty where the heading names it."""

    artifact: str
    python: str | None
    prefix: str | None
    hosts: tuple[str, ...]


class Told(NamedTuple):
    """A finding with those of its lines that are not told elsewhere."""

    finding: Finding
    lines: tuple[str, ...]


class RootLine(NamedTuple):
    """A root with its own text, which is None where it is the text of the whole."""

    path: str
    kind: str
    sign: str
    verdict: str
    text: str | None


class Sides(NamedTuple):
    """A prediction beside an observation; `reproduce` is empty where there is nothing to do by hand."""

    predicted: str
    observed: str
    differences: tuple[str, ...]
    heard: tuple[Heard, ...]
    facts: tuple[tuple[str, str], ...]
    listings: tuple[tuple[str, tuple[str, ...]], ...]
    reproduce: str


class Detail(NamedTuple):
    """What is said of one result, or of several that differ by nothing but their place.

    `facts` are short texts by their names, `listings` longer ones, a line each.
    """

    number: int
    mark: Mark
    subject: str
    does: str
    where: tuple[Where, ...]
    sentences: tuple[str, ...]
    text: str | None
    findings: tuple[Told, ...]
    roots: tuple[RootLine, ...]
    facts: tuple[tuple[str, str], ...]
    listings: tuple[tuple[str, tuple[str, ...]], ...]
    confirmed: Sides | None = None
    opened: bool = False


class Listed(NamedTuple):
    """What the results are about, each once; `assumed` are sets of assumptions with the hosts that each was made of."""

    artifacts: tuple[Artifact, ...]
    hosts: tuple[HostSummary, ...]
    assumed: tuple[tuple[tuple[str, ...], tuple[Assumption, ...]], ...]


class Page(NamedTuple):
    """The page. The pieces of `heading` at odd places are foreign; `counts` tells how often each mark occurs, without reasons."""

    tool: Tool
    title: str
    heading: tuple[str, ...]
    grid: Grid | None
    counts: Mapping[Mark, int]
    details: tuple[Detail, ...]
    errors: tuple[Failure, ...]
    listed: Listed
    figures: str
    undone: str = "not judged"

"""Results in rows and columns: a row is an artifact with its variant and its Python, a column is a host."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from abicheck.report.words import SIGNS, short_reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from abicheck.model.report import HostSummary, Report, Result, Window

#: What a cell is coloured and filtered by.
Kind: TypeAlias = Literal["fails", "differs", "not-installable", "depends", "warns", "loads", "none"]

#: What is to be looked at first.
WORST_FIRST: tuple[Kind, ...] = ("differs", "fails", "not-installable", "depends", "warns", "loads", "none")

#: The sign of what has a verdict, and its style on a terminal.
LOOKS: dict[str, tuple[str, str]] = {"warns": ("!", "green"), **dict(SIGNS.items())}


class Mark(NamedTuple):
    """The verdict of a cell: its sign, the same in words, and in a few words why."""

    kind: Kind
    sign: str
    label: str
    reason: str = ""


class Entry(NamedTuple):
    """A result for the grid; `detail` is the number of what is said of it. `gpu` is None where it is not known."""

    name: str
    host: HostSummary
    mark: Mark
    detail: int
    version: str | None = None
    variant: str = ""
    python: str | None = None
    window: Window | None = None
    gpu: tuple[str, ...] | None = None


class Key(NamedTuple):
    """What a row is for; `python` is None where the columns or the cells tell it."""

    name: str
    version: str | None
    variant: str
    python: str | None

    @property
    def title(self) -> str:
        """The name, with the version where there is one."""
        return self.name if self.version is None else f"{self.name} {self.version}"


class Row(NamedTuple):
    """A row: what stands in it by host, none of it empty."""

    key: Key
    cells: Mapping[str, tuple[Entry, ...]]

    def windows(self, spelled: Callable[[Window], str]) -> tuple[str, ...]:
        """On which glibc it loads."""
        return _by_machine((each.host.arch or "", spelled(each.window)) for each in self._entries if each.window is not None)

    @property
    def gpu(self) -> tuple[str, ...]:
        """The majors of the GPU's libraries."""
        return _by_machine(
            (each.host.arch or "", ", ".join(each.gpu) or "none") for each in self._entries if each.gpu is not None
        )

    @property
    def _entries(self) -> list[Entry]:
        return [each for cell in self.cells.values() for each in cell]


class Layout(NamedTuple):
    """All rows and hosts, in the order of the results.

    The Python stands in the rows if it can, else in the columns (`pythons`, by host), else in the cells of the hosts in `mixed`.
    """

    rows: tuple[Row, ...]
    hosts: Mapping[str, HostSummary]
    pythons: Mapping[str, str]
    mixed: frozenset[str]

    def python(self, entry: Entry) -> str | None:
        """The Python of an entry where its cell must tell it."""
        return entry.python if entry.host.name in self.mixed else None


def entry_of(result: Result, detail: int) -> Entry:
    """The entry of a result."""
    artifact = result.artifact
    return Entry(
        name=artifact.path if artifact.version is None else artifact.name,
        host=result.host,
        mark=mark(result),
        detail=detail,
        version=artifact.version,
        variant=result.variant,
        python=result.python.version,
        window=result.window,
        gpu=result.gpu,
    )


def mark(result: Result) -> Mark:
    """The verdict of a result, for its cell."""
    warned = result.verdict == "loads" and any(finding.severity != "note" for finding in result.findings)
    kind: Kind = "warns" if warned else result.verdict
    return Mark(kind, LOOKS[kind][0], result.verdict.replace("-", " "), short_reason(result))


def counted(marks: Iterable[Mark]) -> dict[Mark, int]:
    """How often each verdict occurs, whatever the reason, the worst first."""
    spelled = {"warns": "loads, with warnings"}
    found = Counter(each._replace(reason="", label=spelled.get(each.kind, each.label)) for each in marks)
    return dict(sorted(found.items(), key=lambda each: WORST_FIRST.index(each[0].kind)))


def arrange(entries: Sequence[Entry]) -> Layout:
    """The entries in rows and columns, in the order in which they come."""
    in_rows = _tell_pythons(entries)
    hosts: dict[str, HostSummary] = {}
    pythons: dict[str, dict[str | None, None]] = {}
    cells: dict[Key, dict[str, list[Entry]]] = {}
    for each in entries:
        hosts.setdefault(each.host.name, each.host)
        pythons.setdefault(each.host.name, {})[each.python] = None
        key = Key(each.name, each.version, each.variant, each.python if in_rows else None)
        cells.setdefault(key, {}).setdefault(each.host.name, []).append(each)
    rows = tuple(Row(key, {host: tuple(found) for host, found in row.items()}) for key, row in cells.items())
    if in_rows:
        return Layout(rows, hosts, {}, frozenset())
    alone = {host: python for host, (python, *others) in pythons.items() if python is not None and not others}
    return Layout(rows, hosts, alone, frozenset(host for host, found in pythons.items() if len(found) > 1))


def is_grid(report: Report) -> bool:
    """Tell whether the results are to be shown as tables: those of a matrix, of many versions, or of several rows and hosts."""
    results = report.results
    if len(results) < 2 or any(result.tree is not None or result.bindings is not None for result in results):
        return False
    if any(result.cell is not None or result.gpu is not None for result in results):
        return True
    if not all(result.artifact.kind in ("requirement", "wheel") for result in results):
        return False
    layout = arrange([entry_of(result, 0) for result in results])
    return len(layout.rows) > 1 and len(layout.hosts) > 1


def _tell_pythons(entries: Sequence[Entry]) -> bool:
    """Tell whether the rows name the Python: where each artifact has one, or a host was asked about several of one artifact."""
    by_artifact: dict[tuple[str | None, ...], set[str | None]] = {}
    by_cell: dict[tuple[str | None, ...], set[str | None]] = {}
    for each in entries:
        artifact = (each.name, each.version, each.variant)
        by_artifact.setdefault(artifact, set()).add(each.python)
        by_cell.setdefault((*artifact, each.host.name), set()).add(each.python)
    return all(len(found) == 1 for found in by_artifact.values()) or any(len(found) > 1 for found in by_cell.values())


def _by_machine(told: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Each text once, with the machines for which it holds where that makes a difference."""
    machines: dict[str, dict[str, None]] = {}
    for machine, text in told:
        machines.setdefault(text, {})[machine] = None
    return tuple(machines) if len(machines) < 2 else tuple(f"{'/'.join(found)}: {text}" for text, found in machines.items())

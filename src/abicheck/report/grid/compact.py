"""Tables in which everything that is shown alike is shown once, and nothing is lost."""

from __future__ import annotations

from itertools import product
from string import ascii_uppercase
from typing import TYPE_CHECKING, NamedTuple

from abicheck.report.grid.words import span

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

    from abicheck.report.grid.arrange import Entry, Key, Layout, Mark, Row

#: A host with a longer name has its column under a letter.
_SHORT = 14


class Line(NamedTuple):
    """The Pythons for which a row is the same; `like` is the key of the first of these rows."""

    pythons: tuple[str | None, ...]
    like: Key


class Block(NamedTuple):
    """Versions without another between them, whose rows are the same for each Python."""

    versions: tuple[str | None, ...]
    lines: tuple[Line, ...]


class Group(NamedTuple):
    """The variants of an artifact whose rows are the same."""

    name: str
    variants: tuple[str, ...]
    blocks: tuple[Block, ...]


class Column(NamedTuple):
    """Hosts whose cells are the same in every row, by the name of the only one or by a letter."""

    name: str
    hosts: tuple[str, ...]


class Table(NamedTuple):
    """Rows that have hosts in common."""

    columns: tuple[Column, ...]
    groups: tuple[Group, ...]


class Compact(NamedTuple):
    """All tables; `rows` are those of the layout, `versions` the versions of each artifact from the oldest to the newest."""

    layout: Layout
    tables: tuple[Table, ...]
    rows: Mapping[Key, Row]
    versions: Mapping[str, tuple[str | None, ...]]

    def cell(self, line: Line, column: Column) -> tuple[tuple[Mark, str | None], ...]:
        """What stands there: the marks, each with the Python where neither row nor column tells it."""
        return _marks(self.rows[line.like].cells.get(column.hosts[0], ()), self.layout)


def compact(layout: Layout) -> Compact:
    """The layout with each row and each column once."""
    versions = _versions(layout.rows)
    names = _letters(layout.hosts)
    tables = []
    for rows in _apart(layout.rows):
        columns: dict[Hashable, list[str]] = {}
        for host in layout.hosts:
            if any(host in row.cells for row in rows):
                looks = tuple(_marks(row.cells.get(host, ()), layout) for row in rows)
                columns.setdefault(looks, []).append(host)
        tables.append(
            Table(
                tuple(Column(_named(hosts, names), tuple(hosts)) for hosts in columns.values()),
                merge({row.key: _looks(row, layout) for row in rows}, versions),
            )
        )
    return Compact(layout, tuple(tables), {row.key: row for row in layout.rows}, versions)


def merge(rows: Mapping[Key, Hashable], versions: Mapping[str, Sequence[str | None]]) -> tuple[Group, ...]:
    """Rows whose values are equal as one: first for several Pythons, then for neighbouring versions, then for variants."""
    found: dict[tuple[str, str], dict[str | None, dict[Hashable, list[Key]]]] = {}
    for key, looks in rows.items():
        found.setdefault((key.name, key.variant), {}).setdefault(key.version, {}).setdefault(looks, []).append(key)
    groups: dict[Hashable, Group] = {}
    for (name, variant), by_version in found.items():
        blocks = tuple(_blocks(by_version, versions[name]))
        alike = (
            name,
            tuple((block.versions, tuple((line.pythons, rows[line.like]) for line in block.lines)) for block in blocks),
        )
        known = groups.setdefault(alike, Group(name, (), blocks))
        groups[alike] = known._replace(variants=(*known.variants, variant))
    return tuple(groups.values())


def _blocks(found: Mapping[str | None, Mapping[Hashable, list[Key]]], versions: Sequence[str | None]) -> Iterator[Block]:
    """The versions of one group, neighbours whose rows are alike together, in the order in which they come."""
    lines = {
        version: tuple(Line(tuple(key.python for key in keys), keys[0]) for keys in by_looks.values())
        for version, by_looks in found.items()
    }
    alike = {version: [(looks, [key.python for key in keys]) for looks, keys in found[version].items()] for version in found}
    runs: list[list[str | None]] = []
    last: Hashable = ""
    for version in versions:
        if version in found:
            if runs and last == runs[-1][-1] and alike[version] == alike[last]:
                runs[-1].append(version)
            else:
                runs.append([version])
        last = version
    order = list(found)
    for run in sorted(runs, key=lambda run: min(map(order.index, run))):
        yield Block(tuple(run), lines[run[0]])


def _looks(row: Row, layout: Layout) -> Hashable:
    """All that is shown of a row."""
    cells = tuple((host, _marks(row.cells[host], layout)) for host in layout.hosts if host in row.cells)
    return cells, row.windows(span), row.gpu


def _marks(cell: Iterable[Entry], layout: Layout) -> tuple[tuple[Mark, str | None], ...]:
    return tuple((entry.mark, layout.python(entry)) for entry in cell)


def _apart(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows in parts that have no host in common, those of each part in their order."""
    parts: list[tuple[set[str], set[int]]] = []
    for number, row in enumerate(rows):
        touching = [part for part in parts if not part[0].isdisjoint(row.cells)]
        parts = [part for part in parts if part not in touching]
        parts.append((set(row.cells).union(*(hosts for hosts, _ in touching)), {number}.union(*(part for _, part in touching))))
    return [[rows[number] for number in sorted(numbers)] for numbers in sorted((part for _, part in parts), key=min)]


def _versions(rows: Iterable[Row]) -> dict[str, tuple[str | None, ...]]:
    """The versions of each artifact from the oldest to the newest."""
    found: dict[str, dict[str | None, None]] = {}
    for row in rows:
        found.setdefault(row.key.name, {})[row.key.version] = None
    return {name: _in_order(tuple(versions)) for name, versions in found.items()}


def _in_order(versions: tuple[str | None, ...]) -> tuple[str | None, ...]:
    """As they are, where one of them does not tell its place."""
    from packaging.version import Version  # noqa: PLC0415 -- only where there is a grid

    try:
        return tuple(sorted(versions, key=lambda version: Version(version or "0")))
    except ValueError:  # no version (InvalidVersion), or too long a number in it
        return versions


def _letters(hosts: Iterable[str]) -> Iterator[str]:
    """A, B, … Z, AA, AB, …, but for those that are the name of a host."""
    taken = set(hosts)
    several = ("".join(letters) for length in range(1, 4) for letters in product(ascii_uppercase, repeat=length))
    return (letter for letter in several if letter not in taken)


def _named(hosts: Sequence[str], letters: Iterator[str]) -> str:
    return hosts[0] if len(hosts) == 1 and len(hosts[0]) <= _SHORT else next(letters)

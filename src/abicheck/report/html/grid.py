"""Artifacts by hosts, each result in its cell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from abicheck.report.card.words import glibc
from abicheck.report.grid.arrange import arrange
from abicheck.report.grid.words import facts
from abicheck.report.html.values import Cell, Column, Grid, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abicheck.model.report import HostSummary, Window
    from abicheck.report.grid.arrange import Entry, Layout
    from abicheck.report.grid.arrange import Row as Arranged

#: What a link ends with is made of these only, so that it needs no escape wherever it is pasted.
_UNLINKED = re.compile(r"[^A-Za-z0-9._:~/@=-]+")


def make_grid(entries: Sequence[Entry]) -> Grid:
    """The entries in rows and columns, in the order in which they come."""
    layout = arrange(entries)
    names = _Names()
    made = tuple(
        Row(
            artifact=row.key.title,
            variant=row.key.variant,
            python=row.key.python,
            window="; ".join(row.windows(window)),
            gpu="; ".join(row.gpu),
            cells=tuple(tuple(_cell(row, each, layout, names) for each in row.cells.get(host, ())) for host in layout.hosts),
        )
        for row in layout.rows
    )
    columns = tuple(Column(name, _facts(host, layout)) for name, host in layout.hosts.items())
    return Grid(columns, made, any(row.window for row in made), any(row.gpu not in ("", "none") for row in made))


def window(found: Window) -> str:
    """The glibc versions on which all of it loads, in short."""
    return glibc(found).partition(" (")[0]


def _facts(host: HostSummary, layout: Layout) -> str:
    python = layout.pythons.get(host.name)
    return f"{facts(host)}, Python {python}" if python else facts(host)


def _cell(row: Arranged, entry: Entry, layout: Layout, names: _Names) -> Cell:
    variant = f"/{row.key.variant}" if row.key.variant else ""
    python = f"/python{entry.python}" if entry.python else ""
    name = names.new(f"{row.key.title}{variant}{python}@{entry.host.name}")
    return Cell(name, entry.mark, entry.detail, layout.python(entry))


class _Names:
    """What links end with, no two alike."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def new(self, wanted: str) -> str:
        name = _UNLINKED.sub("-", wanted)
        number = self._taken[name] = self._taken.get(name, 0) + 1
        return name if number == 1 else self.new(f"{name}~{number}")

"""Artifacts by hosts, each result in its cell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from abicheck.report.html.values import Cell, Column, Entry, Grid, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What a link ends with is made of these only, so that it needs no escape wherever it is pasted.
_UNLINKED = re.compile(r"[^A-Za-z0-9._:~/@=-]+")


def make_grid(entries: Sequence[Entry]) -> Grid:
    """The entries in rows and columns, in the order in which they come."""
    split = _needs_pythons(entries)
    by_host: dict[str, set[str | None]] = {}
    facts: dict[str, str] = {}
    rows: dict[tuple[str, str | None], dict[str, list[Entry]]] = {}
    for entry in entries:
        by_host.setdefault(entry.host, set()).add(entry.python)
        facts[entry.host] = entry.host_facts
        rows.setdefault((entry.artifact, entry.python if split else None), {}).setdefault(entry.host, []).append(entry)
    several = len({entry.python for entry in entries}) > 1
    columns = []
    for host, told in facts.items():
        (python,) = by_host[host] if len(by_host[host]) == 1 else (None,)
        columns.append(Column(host, f"{told}, Python {python}" if python and not split else told))
    loose = {host for host, pythons in by_host.items() if several and not split and len(pythons) > 1}
    names = _Names()
    made = tuple(
        Row(
            artifact,
            python,
            "; ".join(dict.fromkeys(each.window for cell in cells.values() for each in cell if each.window)),
            tuple(tuple(_cell(each, names, loose=host in loose) for each in cells.get(host, ())) for host in facts),
        )
        for (artifact, python), cells in rows.items()
    )
    return Grid(tuple(columns), made, any(row.window for row in made))


def _needs_pythons(entries: Sequence[Entry]) -> bool:
    """Tell whether a row is to be for one Python: where an artifact was judged for several on one host."""
    pythons: dict[tuple[str, str], set[str | None]] = {}
    for entry in entries:
        pythons.setdefault((entry.artifact, entry.host), set()).add(entry.python)
    return any(len(each) > 1 for each in pythons.values())


def _cell(entry: Entry, names: _Names, *, loose: bool) -> Cell:
    python = f"/python{entry.python}" if entry.python else ""
    return Cell(names.new(f"{entry.artifact}{python}@{entry.host}"), entry.mark, entry.detail, entry.python if loose else None)


class _Names:
    """What links end with, no two alike."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def new(self, wanted: str) -> str:
        name = _UNLINKED.sub("-", wanted)
        number = self._taken[name] = self._taken.get(name, 0) + 1
        return name if number == 1 else self.new(f"{name}~{number}")

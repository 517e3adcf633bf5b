"""What stands in the tables, piece by piece. Foreign text in it is not yet escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from abicheck.report.grid.arrange import LOOKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from abicheck.model.report import HostSummary, Window
    from abicheck.report.grid.arrange import Kind, Layout, Mark
    from abicheck.report.grid.compact import Block, Column, Compact, Group, Line, Table

#: Between the ends of a range.
_TO = "\N{EN DASH}"


class Spelled(NamedTuple):
    """A cell in short pieces, which may stand below each other; `kind` says how it is to be coloured."""

    pieces: tuple[str, ...] = ()
    kind: Kind | None = None


class Spread(NamedTuple):
    """A table as texts: `lead` of the head's cells are not about hosts. A row comes with the heading above it, mostly empty."""

    lead: int
    head: tuple[Spelled, ...]
    rows: tuple[tuple[str, tuple[Spelled, ...]], ...]


def style(kind: Kind | None) -> str:
    """The style of a cell on a terminal."""
    return LOOKS[kind][1] if kind is not None else ""


def span(window: Window) -> str:
    """The glibc versions of a window, as in `2.17-2.40` with a longer dash."""
    low, high = window.glibc_min, window.glibc_max
    if low and high:
        return "none" if _number(low) > _number(high) else f"{low}{_TO}{high}"
    if high:
        return f"up to {high}"
    return (f"{low}+" if low else "any") if window.known_to else f"{low or ''}{_TO}?"


def pythons(found: Sequence[str | None]) -> str:
    """As in `3.8, 3.10-3.13`: each minor version in a range is meant."""
    named = [each for each in found if each is not None]
    runs: list[list[str]] = []
    for each in sorted(named, key=_number):
        before = _number(runs[-1][-1]) if runs else ()
        if len(before) == 2 and _number(each) == (before[0], before[1] + 1):
            runs[-1].append(each)
        else:
            runs.append([each])
    return ", ".join(map(_run, runs))


def versions(block: Block) -> str:
    """As in `4.0.0-4.4.0`: each version in a range that was asked for is meant."""
    return _run([each for each in block.versions if each is not None])


def heading(group: Group) -> str:
    """The artifact with what is special: `ctranslate2, with faster-whisper==1.2.1`."""
    return f"{group.name}{variants(group)}"


def variants(group: Group) -> str:
    """What is special, to follow the name."""
    told = [each or "alone" for each in group.variants] if len(group.variants) > 1 else [each for each in group.variants if each]
    return f", {' or '.join(told)}" if told else ""


def facts(host: HostSummary) -> str:
    """What decides on a host: `glibc 2.41, x86_64`, or that it is a runtime."""
    return host.facts() or host.kind


def said(mark: Mark, python: str | None) -> Iterator[str]:
    """A mark in pieces: the sign with the first reason, the other reasons, the Python."""
    bare = "" if mark.kind == "loads" else mark.label
    first, *others = mark.reason.split(", ") if mark.reason else [bare]
    yield f"{mark.sign} {first}".rstrip()
    yield from others
    if python is not None:
        yield f"Python {python}"


def legend(column: Column, layout: Layout) -> Iterator[str]:
    """The hosts of a letter by what they have in common, in words: `debian:11,` `ubuntu:20.04 (glibc 2.31);` `debian:12 …`."""
    several = len({host.arch for host in layout.hosts.values()}) > 1
    found: dict[str, list[str]] = {}
    for name in column.hosts:
        host = layout.hosts[name]
        python = f", Python {layout.pythons[name]}" if name in layout.pythons else ""
        told = facts(host) if several else host.facts(arch=False) or host.kind
        found.setdefault(told + python, []).append(name)
    for number, (told, (*names, last)) in enumerate(found.items(), 1):
        yield from (f"{name}," for name in names)
        yield f"{last} ({told})" + (";" if number < len(found) else "")


def spread(compacted: Compact, table: Table) -> Spread:
    """The table, column by column; what is empty in every row is left out."""
    plain = len(table.groups) == 1 and not any(table.groups[0].variants)
    headed = not plain and any(any(group.variants) for group in table.groups)
    rows = []
    for group in table.groups:
        above = heading(group) if headed else ""
        for block in group.blocks:
            title = versions(block) or group.name
            if not plain and not headed and title != group.name:
                title = f"{group.name} {title}"
            for line in block.lines:
                rows.append((above, tuple(_row(compacted, table, line, title))))
                above = ""
    first = table.groups[0].name if plain and table.groups[0].blocks[0].versions != (None,) else "artifact"
    names = [Spelled((first,)), Spelled(("Python",)), Spelled(("glibc",)), Spelled(("GPU",))]
    head = [*names, *(Spelled((column.name, *_common(column, compacted.layout))) for column in table.columns)]
    used = [number for number in range(len(head)) if number not in (1, 2, 3) or _is_used(cells[number] for _, cells in rows)]
    kept = tuple((above, tuple(cells[number] for number in used)) for above, cells in rows)
    return Spread(len(used) - len(table.columns), tuple(head[number] for number in used), kept)


def _row(compacted: Compact, table: Table, line: Line, title: str) -> Iterator[Spelled]:
    row = compacted.rows[line.like]
    yield Spelled((title,))
    yield Spelled((pythons(line.pythons),))
    yield Spelled(tuple(piece for text in row.windows(span) for piece in text.split(", ")))
    yield Spelled(tuple(piece for text in row.gpu for piece in text.split(", ")))
    for column in table.columns:
        cell = compacted.cell(line, column)
        yield Spelled(tuple(piece for mark, python in cell for piece in said(mark, python)), cell[0][0].kind if cell else None)


def _is_used(cells: Iterable[Spelled]) -> bool:
    return any(piece and piece != "none" for cell in cells for piece in cell.pieces)


def _common(column: Column, layout: Layout) -> Iterator[str]:
    """What decides on the hosts of a column: C libraries, each from its lowest to its highest version, machines, Pythons."""
    found: dict[str, list[str]] = {}
    for host in map(layout.hosts.__getitem__, column.hosts):
        found.setdefault(host.libc or host.kind, []).append(host.libc_version or "")
    for libc, numbers in found.items():
        low, high = min(numbers, key=_number), max(numbers, key=_number)
        yield f"{libc} {low}".rstrip() if low == high else f"{libc} {low}{_TO}{high}"
    machines = {host.arch for host in layout.hosts.values()}
    if len(machines) > 1:
        yield ", ".join(dict.fromkeys(layout.hosts[name].arch or "any machine" for name in column.hosts))
    told = tuple(dict.fromkeys(layout.pythons[name] for name in column.hosts if name in layout.pythons))
    if told:
        yield f"Python {pythons(told)}"


def hosts_named(hosts: Iterable[str], compacted: Compact) -> str:
    """Hosts by the names of the columns that they fill, the others by their own."""
    wanted = dict.fromkeys(hosts)
    every = len(wanted) == len(compacted.layout.hosts) > 1
    return "all hosts" if every else ", ".join(_names(wanted, compacted))


def _names(wanted: Mapping[str, None], compacted: Compact) -> Iterator[str]:
    told: set[str] = set()
    for table in compacted.tables:
        for column in table.columns:
            if all(host in wanted for host in column.hosts):
                yield column.name
                told.update(column.hosts)
    yield from (host for host in wanted if host not in told)


def lettered(table: Table) -> list[Column]:
    """The columns that need a legend."""
    return [column for column in table.columns if column.hosts != (column.name,)]


def checked(compacted: Compact) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The artifacts of which a range of versions is told, each with all its versions."""
    ranged = {
        group.name
        for table in compacted.tables
        for group in table.groups
        if any(len(block.versions) > 1 for block in group.blocks)
    }
    for name, found in compacted.versions.items():
        if name in ranged:
            yield name, tuple(each for each in found if each is not None)


def has_gaps(compacted: Compact, table: Table) -> bool:
    """Tell whether a cell of the table is empty."""
    lines = [line for group in table.groups for block in group.blocks for line in block.lines]
    return any(not compacted.cell(line, column) for line in lines for column in table.columns)


def _run(found: Sequence[str]) -> str:
    return f"{found[0]}{_TO}{found[-1]}" if len(found) > 1 else "".join(found)


def _number(text: str) -> tuple[int, ...]:
    """The numbers of a version; () where it holds anything else."""
    parts = text.split(".")
    return tuple(map(int, parts)) if all(part.isascii() and part.isdigit() for part in parts) else ()

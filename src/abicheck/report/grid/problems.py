"""What is behind the cells of a grid that are not well: each kind of problem once, with where it occurs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from abicheck.report.grid.arrange import WORST_FIRST
from abicheck.report.grid.compact import merge
from abicheck.report.grid.words import heading, hosts_named, pythons, versions
from abicheck.report.words import CPU_ONLY, depends_on, limit, limits, raised

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from abicheck.model.report import Finding, Remedy, Result
    from abicheck.report.grid.arrange import Key, Kind
    from abicheck.report.grid.compact import Compact

#: How much of a list is shown: all of it is in the JSON.
_MOST_PLACES, _MOST_ROWS, _MOST_REMEDIES = 6, 12, 6


class Seen(NamedTuple):
    """A problem of one result: the loader's text where it is about this, sentences, and what to do."""

    kind: Kind
    name: str
    text: str | None = None
    sentences: tuple[str, ...] = ()
    remedies: tuple[Remedy, ...] = ()


class Problem(NamedTuple):
    """A problem as the first of `number` results has it; `texts` counts the different ways in which they say it.

    `places` are hosts, each with the rows that have it there.
    """

    first: Seen
    number: int
    texts: int
    places: tuple[tuple[str, tuple[str, ...]], ...]
    remedies: tuple[Remedy, ...]


def find_problems(results: Sequence[Result], compacted: Compact) -> list[Problem]:
    """All problems of the results, the worst first, those of one kind in the order in which they come."""
    found: dict[tuple[Kind, str], dict[int, Seen]] = {}
    for number, result in enumerate(results):
        for seen in _seen(result):
            found.setdefault((seen.kind, seen.name), {}).setdefault(number, seen)
    where = {each.detail: (row.key, host) for row in compacted.rows.values() for host, cell in row.cells.items() for each in cell}
    ordered = sorted(found.items(), key=lambda each: WORST_FIRST.index(each[0][0]))
    return [_problem(seen, [where[number] for number in seen], compacted) for _, seen in ordered]


def _problem(seen: Mapping[int, Seen], where: Sequence[tuple[Key, str]], compacted: Compact) -> Problem:
    first = next(iter(seen.values()))
    remedies: dict[str, Remedy] = {}
    for remedy in (remedy for each in seen.values() for remedy in each.remedies):
        remedies.setdefault(remedy.text, remedy)
    return Problem(
        first=first,
        number=len(seen),
        texts=len({(each.text, each.sentences) for each in seen.values()}),
        places=() if first.name == CPU_ONLY else tuple(_places(where, compacted)),  # each of these cells says it
        remedies=tuple(remedies.values()),
    )


def _places(where: Sequence[tuple[Key, str]], compacted: Compact) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Hosts with the rows that they have in common."""
    hosts: dict[Key, dict[str, None]] = {}
    for key, host in where:
        hosts.setdefault(key, {})[host] = None
    told = {key: hosts_named(names, compacted) for key, names in hosts.items()}
    rows: dict[str, list[str]] = {}
    for group in merge(told, compacted.versions):
        named: set[str] = set()
        name = f"{heading(group)}:" if any(group.variants) else group.name
        for block in group.blocks:
            for line in block.lines:
                hosts_of = told[line.like]
                python = pythons(line.pythons)
                row = (versions(block), f"(Python {python})" if python else "")
                rows.setdefault(hosts_of, []).append(" ".join(filter(None, (*(() if hosts_of in named else (name,)), *row))))
                named.add(hosts_of)
    yield from ((names, tuple(titles)) for names, titles in rows.items())


def _seen(result: Result) -> Iterator[Seen]:
    """The problems of one result, each once, the one that its cell names first."""
    text = raised(result) if result.predicted is not None else None
    kind: Kind = "not-installable" if result.verdict == "not-installable" else "fails"
    errors = [finding for finding in result.findings if finding.severity == "error"]
    for number, finding in enumerate(errors):
        yield Seen(kind, finding.rule, None if number else text, _sentences(finding, result), finding.remedies)
    if result.verdict == kind and not errors:
        ignored = (f"{each.rule} ({each.excuse or 'ignored'})" for each in result.ignored if each.severity == "error")
        yield Seen(kind, next(ignored, kind), text)
    if result.verdict == "depends":
        facts = " and ".join(dict.fromkeys(missing.fact.replace("-", " ") for missing in result.missing_facts))
        yield Seen("depends", facts or "depends", text, tuple(depends_on(result)))
    for finding in result.findings:
        if finding.severity == "warning":
            yield Seen("warns", finding.rule, None, _sentences(finding, result), finding.remedies)
    for name, verdict in limits(result) if result.verdict in ("loads", "depends") else ():
        if verdict == "depends":
            yield Seen("depends", f"{name} not known", None, (limit(name, verdict),))
        else:
            yield Seen("loads", CPU_ONLY, None, (limit(name, verdict),))


def _sentences(finding: Finding, result: Result) -> tuple[str, ...]:
    return () if finding.message in ("", result.predicted) else (finding.message,)


def shortened(problem: Problem) -> tuple[Problem, bool]:
    """The problem with lists that are not too long to be read, and whether anything had to be left out."""
    short = problem._replace(
        places=tuple((hosts, _cut(rows, _MOST_ROWS)) for hosts, rows in problem.places[:_MOST_PLACES]),
        remedies=problem.remedies[:_MOST_REMEDIES],
    )
    return short, short != problem or problem.texts > 1


def _cut(rows: tuple[str, ...], most: int) -> tuple[str, ...]:
    return rows if len(rows) <= most + 1 else (*rows[:most], f"{len(rows) - most:,} more rows")

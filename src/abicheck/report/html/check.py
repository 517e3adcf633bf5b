"""The results of `check` as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.report.grid.arrange import counted, entry_of
from abicheck.report.html.details import key, make_detail
from abicheck.report.html.grid import make_grid
from abicheck.report.html.page import render_page
from abicheck.report.html.values import Listed, Page
from abicheck.report.lines import count
from abicheck.report.words import SIGNS, does, figures, place, title

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from abicheck.model.host import Assumption
    from abicheck.model.report import Report, Result


def render(report: Report) -> str:
    """The report as one HTML document; "" where there is nothing to tell."""
    if not report.results and not report.errors:
        return ""
    results = report.results
    alike: dict[Hashable, tuple[int, list[Result]]] = {}
    entries = []
    for result in results:
        number, same = alike.setdefault(key(result), (len(alike) + 1, []))
        same.append(result)
        entries.append(entry_of(result, number))
    heading = _heading(results)
    return render_page(
        Page(
            tool=report.tool,
            title="".join(heading),
            heading=heading,
            grid=make_grid(entries) if len(results) > 1 else None,
            counts=counted(entry.mark for entry in entries),
            details=tuple(make_detail(number, same, report.symbol) for number, same in alike.values()),
            errors=report.errors,
            listed=listed(results),
            figures=figures(report),
        )
    )


def _heading(results: Sequence[Result]) -> tuple[str, ...]:
    """The heading in pieces, those at odd places foreign."""
    if not results:
        return ("Nothing could be judged",)
    if len(results) == 1:
        (result,) = results
        return f"{SIGNS[result.verdict][0]} ", title(result), f" {does(result)} ", place(result)
    artifacts, hosts = list(dict.fromkeys(map(title, results))), list(dict.fromkeys(result.host.name for result in results))
    return "", _named(artifacts, "artifact"), " on ", _named(hosts, "host")


def _named(names: Sequence[str], noun: str) -> str:
    return names[0] if len(names) == 1 else count(len(names), noun)


def listed(results: Sequence[Result]) -> Listed:
    """The artifacts and hosts of the results, and what was assumed of the hosts, each once."""
    assumed: dict[tuple[Assumption, ...], dict[str, None]] = {}
    for result in results:
        if result.assumptions:
            assumed.setdefault(result.assumptions, {})[result.host.name] = None
    sets = tuple((tuple(names), assumptions) for assumptions, names in assumed.items())
    artifacts = tuple(dict.fromkeys(result.artifact for result in results))
    return Listed(artifacts, tuple(dict.fromkeys(result.host for result in results)), sets)

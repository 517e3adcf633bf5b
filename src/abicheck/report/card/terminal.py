"""The card for a terminal: what it runs on first, then each floor with the symbols that force it; a line of figures last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.report.card import module
from abicheck.report.card.words import name, runs_on, sections, users
from abicheck.report.lines import Line, count, escape, join

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.model.requirements import Card, CardReport, HostLibrary
    from abicheck.model.wasm import ModuleCard


def render(report: CardReport, *, colour: bool) -> str:
    """All cards as text; with `colour` for a terminal that has it."""
    told = [line for card in report.cards for line in _card(card)]
    return join([*told, *(line for card in report.modules for line in _module(card))], colour=colour)


def _module(card: ModuleCard) -> Iterator[Line]:
    yield Line(f" loads on {module.loads_on(card)}", escape(card.name), "bold")
    for section in module.sections(card, escape):
        yield Line()
        yield Line("", f"  {section.title}", "bold")
        yield from (Line(f"    {line}") for line in section.lines)
    yield Line()
    yield Line(module.figures(card))
    yield Line()


def _card(card: Card) -> Iterator[Line]:
    asks = card.requirements
    yield Line(f" runs on {runs_on(asks)}", escape(name(card)), "bold")
    for section in sections(card, escape):
        yield Line()
        yield Line("", f"  {section.title}", "bold")
        yield from (Line(f"    {line}") for line in section.lines)
    if asks.libraries:
        yield Line()
        yield Line("", "  Libraries of the host", "bold")
        for library in asks.libraries:
            yield from _library(library)
    yield Line()
    libraries = f"{len(asks.libraries):,} librar{'y' if len(asks.libraries) == 1 else 'ies'} of the host"
    yield Line(" · ".join((count(len(asks.objects), "object"), count(len(asks.roots), "root"), libraries)))
    yield Line()


def _library(library: HostLibrary) -> Iterator[Line]:
    yield Line(f"    {escape(library.name)}, needed by {count(len(library.needed_by), 'object')}")
    for node in library.nodes:
        yield Line(f"      {escape(node.name)}: {users(node, escape)}")

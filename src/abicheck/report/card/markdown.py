"""The card as markdown, for a project to paste into its documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.report.card import module
from abicheck.report.card.words import asked, name, runs_on, sections
from abicheck.report.markup import code_in_cell, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.model.requirements import Card, CardReport
    from abicheck.model.wasm import ModuleCard


def render(report: CardReport) -> str:
    """All cards, each a heading, a sentence and a table."""
    blocks = [block for card in report.cards for block in _card(card, report)]
    blocks += [block for card in report.modules for block in _module(card, report)]
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _module(card: ModuleCard, report: CardReport) -> Iterator[str]:
    rows = [(section.title, "<br>".join(section.lines)) for section in module.sections(card, code_in_cell)]
    yield f"### What {text(card.name)} needs"
    yield f"It loads on **{module.loads_on(card)}**."
    yield "\n".join(["| | |", "|---|---|", *(f"| {title} | {lines} |" for title, lines in rows)])
    yield f"Found by `abicheck show`, version {report.tool.version}; {module.figures(card)}."


def _card(card: Card, report: CardReport) -> Iterator[str]:
    asks = card.requirements
    rows = [(section.title, "<br>".join(section.lines)) for section in sections(card, code_in_cell)]
    rows.append(("Libraries of the host", "<br>".join(asked(library, code_in_cell) for library in asks.libraries)))
    table = [f"| {title} | {lines} |" for title, lines in rows if lines]
    yield f"### What {text(name(card))} needs"
    yield f"It runs on **{runs_on(asks)}**."
    yield "\n".join(["| | |", "|---|---|", *table])
    yield f"Found by `abicheck show`, version {report.tool.version}."

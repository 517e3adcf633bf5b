"""The card as markdown, for a project to paste into its documentation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from abicheck.report.card.words import asked, name, runs_on, sections
from abicheck.report.lines import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.model.requirements import Card, CardReport

_TICKS = re.compile("`+")
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|&~])")


def render(report: CardReport) -> str:
    """All cards, each a heading, a sentence and a table."""
    blocks = [block for card in report.cards for block in _card(card, report)]
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _card(card: Card, report: CardReport) -> Iterator[str]:
    asks = card.requirements
    rows = [(section.title, "<br>".join(section.lines)) for section in sections(card, _code)]
    rows.append(("Libraries of the host", "<br>".join(asked(library, _code) for library in asks.libraries)))
    table = [f"| {title} | {text} |" for title, text in rows if text]
    yield f"### What {_text(name(card))} needs"
    yield f"It runs on **{runs_on(asks)}**."
    yield "\n".join(["| | |", "|---|---|", *table])
    yield f"Found by `abicheck show`, version {report.tool.version}."


def _text(foreign: str) -> str:
    return _SPECIAL.sub(r"\\\1", escape(foreign))


def _code(foreign: str) -> str:
    """A code span, whose fence is longer than any run of backticks in it; a pipe would end the cell even there."""
    text = escape(foreign).replace("|", r"\|")
    longest = max((len(run) for run in _TICKS.findall(text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{text}{pad}{fence}"

"""Foreign text in markdown, where it must neither format anything nor be HTML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from abicheck.report.lines import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abicheck.model.report import Remedy

_TICKS = re.compile("`+")
_SPECIAL = re.compile(r"([\\`*_\[\]<>#|&~])")


def text(foreign: str) -> str:
    """Plain text, also in a table."""
    return _SPECIAL.sub(r"\\\1", escape(foreign))


def code(foreign: str) -> str:
    """A code span, whose fence is longer than any run of backticks in it."""
    plain = escape(foreign)
    fence = _fence(plain, 1)
    pad = " " if "`" in plain else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


def code_in_cell(foreign: str) -> str:
    """A code span in a table, where a pipe would end the cell even there."""
    return code(foreign).replace("|", r"\|")


def block(foreign: str) -> str:
    """A line in a block of its own, as it stands."""
    return block_of([escape(foreign)])


def block_of(lines: Sequence[str]) -> str:
    """Lines that were escaped, in a block of their own."""
    plain = "\n".join(lines)
    fence = _fence(plain, 3)
    return f"{fence}text\n{plain}\n{fence}"


def advice(remedy: Remedy) -> str:
    """What to do, with the command that does it."""
    return text(remedy.text) + (f": {code(remedy.command)}" if remedy.command else "")


def _fence(plain: str, least: int) -> str:
    return "`" * max(least, 1 + max(map(len, _TICKS.findall(plain)), default=0))

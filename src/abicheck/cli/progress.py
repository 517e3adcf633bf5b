"""What goes to standard error while a report is made, and before it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from abicheck.report.lines import escape

if TYPE_CHECKING:
    from collections.abc import Iterable

    from abicheck.model.report import Failure

_WIDTH = 100


def progress(text: str) -> None:
    """One line on a terminal that the next one takes the place of; an empty one clears it."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{escape(text)[:_WIDTH]:{_WIDTH}}\r")
        sys.stderr.flush()


def complain(errors: Iterable[Failure]) -> None:
    """Why something could not be done, a line for each reason: what is wrong with one is often wrong with all."""
    targets: dict[str, dict[str, None]] = {}
    for failure in errors:
        targets.setdefault(failure.message, {})[failure.target] = None
    for message, (first, *others) in targets.items():
        click.echo(f"abicheck: {escape(first)}{f' and {len(others)} more' if others else ''}: {escape(message)}", err=True)

"""What every format for readers says of confirmed cells. Foreign text in it is not yet escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.report.lines import count
from abicheck.report.words import place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abicheck.model.confirm import Confirmed, ConfirmReport, Observed

#: The signs of a grid, each with its style on a terminal and what it means.
SIGNS: dict[str, tuple[str, str]] = {
    "✓": ("green", "loads, as predicted"),
    "✗": ("red", "fails, as predicted"),
    "≠": ("bold red", "not as predicted"),
    "?": ("yellow", "not predicted: it depends"),
    "-": ("dim", "no wheel"),
}


def sign(cell: Confirmed) -> str:
    """The sign of a cell in a grid."""
    if cell.observed is None:
        return "-"
    if cell.agree is None:
        return "?"
    if not cell.agree:
        return "≠"
    return "✓" if cell.result.verdict == "loads" else "✗"


def row(cell: Confirmed) -> str:
    """What a cell is about, without its host."""
    return cell.cell.name.removeprefix(f"{cell.cell.host}/")


def rows(cells: Sequence[Confirmed]) -> dict[str, dict[str, Confirmed]]:
    """The cells by row and host."""
    found: dict[str, dict[str, Confirmed]] = {}
    for cell in cells:
        found.setdefault(row(cell), {})[cell.cell.host] = cell
    return found


def where(cell: Confirmed) -> str:
    """The host with what decides there."""
    return place(cell.result)


def column(cell: Confirmed) -> str:
    """The host without a Python: its column has cells of several."""
    return place(cell.result._replace(python=cell.result.python._replace(version=None)))


def predicted(cell: Confirmed) -> str:
    """The prediction in a line."""
    return cell.result.predicted or cell.result.verdict


def observed(seen: Observed | None) -> str:
    """The observation in a line."""
    if seen is None:
        return "nothing to observe"
    return seen.text or seen.verdict


def heard(seen: Observed | None) -> str:
    """What was transcribed, "" where nothing was."""
    if seen is None or seen.transcript is None:
        return ""
    return f"{count(len(seen.heard), 'clip')}: {seen.transcript}"


def figures(report: ConfirmReport) -> str:
    """The line of figures: how many cells agree, and how."""
    signs = [sign(cell) for cell in report.cells]
    compared = sum(each in "✓✗≠" for each in signs)
    agree = signs.count("✓") + signs.count("✗")
    transcribed = sum(cell.observed is not None and cell.observed.transcript is not None for cell in report.cells)
    parts = [
        f"{count(compared, 'cell')} compared",
        f"{agree:,} {'agrees' if agree == 1 else 'agree'} ({signs.count('✓'):,} load, {signs.count('✗'):,} fail)",
        f"{signs.count('≠'):,} not as predicted",
    ]
    parts += [f"{transcribed:,} transcribed"] if any(cell.cell.deed == "transcribe" for cell in report.cells) else []
    parts += [f"{signs.count('?'):,} not predicted"] if "?" in signs else []
    parts += [f"{signs.count('-'):,} without a wheel"] if "-" in signs else []
    parts += [f"{len(report.errors):,} not done"] if report.errors else []
    parts += [report.engine] if report.engine else []
    return " · ".join((*parts, f"{report.seconds:.0f} s"))

"""What an upgrade changes, as a comment on a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.report.gate.words import figures, overall, sentences, sign, verdict
from abicheck.report.markup import code, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.model.gate import Change, GateReport


def render(report: GateReport) -> str:
    """The verdict, a list of changes, and the figures."""
    return "\n\n".join(_blocks(report)) + "\n"


def _blocks(report: GateReport) -> Iterator[str]:
    yield f"### {overall(report)[0]} {text(verdict(report))}"
    if report.changes:
        yield "\n".join(line for change, told in sentences(report.changes) for line in _change(change, told))
    if report.errors:
        yield "\n".join(f"- not judged: {code(failure.target)}: {text(failure.message)}" for failure in report.errors)
    if report.expired:
        yield "\n".join(f"- {code(failure.target)}: {text(failure.message)}" for failure in report.expired)
    yield f"{text(figures(report))} · abicheck {text(report.tool.version)}"


def _change(change: Change, told: str) -> Iterator[str]:
    yield f"- {sign(change)[0]} {text(told)}"
    if change.severity == "error":
        if change.predicted is not None:
            yield f"  - {code(change.predicted)}"
        yield from (f"  - {text(each)}" for each in change.why)
        yield from (f"  - → {text(each.text)}{f': {code(each.command)}' if each.command else ''}" for each in change.remedies)

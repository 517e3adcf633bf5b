"""What an upgrade changes, as JUnit XML: a change is a test case, one that shuts the gate a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.report.gate.words import sentence, verdict
from abicheck.report.junit import Case, Outcome, Suite, failures, written
from abicheck.report.words import advice

if TYPE_CHECKING:
    from abicheck.model.gate import Change, GateReport


def render(report: GateReport) -> str:
    """The report as one test suite; where nothing changes, that is its case."""
    name = f"{report.old} → {report.new}"
    cases = [_case(change, counts=change in report.counted) for change in report.changes] or [Case(name, verdict(report))]
    cases += [*failures(report.errors, "not judged"), *failures(report.expired, "expired ignores")]
    return written([Suite(name, cases)], report.seconds)


def _case(change: Change, *, counts: bool) -> Case:
    lines = [change.predicted or "", change.location or "", *change.why, *(f"→ {advice(each)}" for each in change.remedies)]
    text = "\n".join(filter(None, lines))
    if not counts:
        return Case(change.package, sentence(change), output=text)
    return Case(
        change.package, sentence(change), Outcome("failure", change.predicted or change.text, change.rule or change.kind, text)
    )

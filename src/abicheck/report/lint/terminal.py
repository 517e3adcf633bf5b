"""Findings in sources for a reader: file, line and column first, so that an editor finds the place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.report.lines import Line, count, escape, join
from abicheck.report.words import advice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.model.lint import LintFinding, LintReport

_STYLES = {"error": "bold red", "warning": "yellow", "note": "cyan"}


def render(report: LintReport, *, colour: bool) -> str:
    """The report as text; with `colour` for a terminal that has it."""
    told = [line for finding in report.findings if finding.ignored is None for line in _finding(finding)]
    return join([*told, Line(figures(report))], colour=colour)


def _finding(finding: LintFinding) -> Iterator[Line]:
    place = f"{escape(finding.file)}:{finding.line}:{finding.column}: "
    yield Line(place, more=((finding.severity, _STYLES[finding.severity]), (f" · {finding.rule}", "")))
    yield Line(f"  {escape(finding.message)}")
    yield from (Line(f"  → {escape(advice(each))}") for each in finding.remedies)
    yield Line()


def figures(report: LintReport) -> str:
    """What was looked at and found, in a line."""
    counted = [each.severity for each in report.findings if each.ignored is None]
    parts = [count(report.files, "file"), count(report.lines, "line"), count(counted.count("error"), "error")]
    parts.append(count(counted.count("warning"), "warning"))
    ignored = len(report.findings) - len(counted)
    parts += [f"{ignored:,} ignored"] if ignored else []
    parts += [f"{len(report.errors):,} not read"] if report.errors else []
    return f"{' · '.join(parts)} · {report.seconds:.1f} s"

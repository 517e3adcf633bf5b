"""The alerts of a check: a rule of one object of one artifact, on whichever hosts and for whichever Pythons, is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.report.alerts import places, texts
from abicheck.report.alerts.alert import SEVERITIES, Alert, Alerts, by_severity, fingerprint
from abicheck.report.alerts.problems import problems
from abicheck.report.lines import escape
from abicheck.report.words import figures, title

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from abicheck.model.report import Report
    from abicheck.report.alerts.problems import Problem


def alerts(report: Report, base: str) -> Alerts:
    """The alerts of the report; paths below the directory `base` are told from there."""
    groups: dict[tuple[str, bool], list[Problem]] = {}
    for problem in problems(report):
        groups.setdefault((_fingerprint(problem, base), problem.ignored), []).append(problem)
    found = by_severity(_alert(name, group, base) for (name, _), group in groups.items())
    errors = places.troubles((*report.errors, *report.expired), base)
    return Alerts(report.tool, found, errors, report.exit_code, figures(report))


def _fingerprint(problem: Problem, base: str) -> str:
    finding, result = problem.finding, problem.result
    return fingerprint(finding.rule, result.variant, *places.anchor(result.artifact, finding, base))


def _alert(name: str, group: Sequence[Problem], base: str) -> Alert:
    finding, result, _, ignored = group[0]
    where = dict.fromkeys(places.of_finding(each.result.artifact, each.finding, base) for each in group)
    properties = {
        "artifact": escape(title(result)),
        "hosts": _each(each.result.host.name for each in group),
        "pythons": _each(each.result.python.version or "" for each in group),
        "verdicts": _each(each.result.verdict for each in group),
        "confidence": finding.confidence,
    }
    return Alert(
        rule=finding.rule,
        severity=min((each.finding.severity for each in group), key=SEVERITIES.index),
        message=texts.of_problem(group),
        places=list(where),
        subject=escape(title(result)),
        part=escape(places.member(result.artifact, finding, base)),
        fingerprint=name,
        properties=properties,
        ignored=_why(group) if ignored else None,
    )


def _why(group: Sequence[Problem]) -> str:
    """Who says that it does not count, and why."""
    excuses = dict.fromkeys(str(each.finding.excuse) for each in group if each.finding.excuse)
    return escape("; ".join(excuses)) or "left out by --select or --ignore"


def _each(names: Iterable[str]) -> list[str]:
    return [escape(name) for name in dict.fromkeys(names) if name]

"""Baselines: the errors that a project starts with, so that only new ones count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.api.ignoring import set_apart
from abicheck.model.configuration import Known
from abicheck.model.report import Excuse
from abicheck.read.baseline import read_baseline

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from abicheck.model.report import Finding, Report, Result

__all__ = ["known_apart", "known_of", "read_baseline"]


def known_of(report: Report) -> frozenset[Known]:
    """The errors that count in a report, as a baseline holds them."""
    return frozenset(
        _known(finding, result) for result in report.results for finding in result.findings if finding.severity == "error"
    )


def known_apart(report: Report, known: AbstractSet[Known]) -> Report:
    """The report with the known errors set apart. It counts those that are no longer found where something was judged."""

    def ignored(finding: Finding, result: Result) -> Finding | None:
        is_known = finding.severity == "error" and _known(finding, result) in known
        return finding._replace(excuse=Excuse(None, "known in the baseline")) if is_known else None

    judged = {(result.artifact.name, result.host.name) for result in report.results}
    found = {_known(finding, result) for result in report.results for finding in (*result.findings, *result.ignored)}
    return report._replace(
        results=tuple(set_apart(result, ignored) for result in report.results),
        outdated=sum((each.package, each.host) in judged for each in known - found),
    )


def _known(finding: Finding, result: Result) -> Known:
    return Known(result.artifact.name, result.host.name, finding.rule)

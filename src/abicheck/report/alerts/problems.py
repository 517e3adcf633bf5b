"""What alerts are made of: findings, and verdicts that no finding explains; what is one problem on several hosts is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from abicheck.model.report import Finding
from abicheck.report.words import NO_CODE, depends_on, limit, limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.model.report import Report, Result, Severity


class Problem(NamedTuple):
    """A finding of one result; `decides` where the verdict's own text belongs to it, `ignored` where it is not counted."""

    finding: Finding
    result: Result
    decides: bool
    ignored: bool


def problems(report: Report) -> Iterator[Problem]:
    """All that is to be told, in the order of the results."""
    for result in report.results:
        told = [(finding, False) for finding in (*result.findings, *_unexplained(result, report.required))]
        told += [(finding, True) for finding in result.ignored]
        first = next((finding for finding, _ in told if _explains(finding, result)), None)
        for finding, ignored in told:
            if finding.rule != NO_CODE:
                yield Problem(finding, result, finding is first and result.predicted is not None, ignored)


def _explains(finding: Finding, result: Result) -> bool:
    return finding.rule == "depends" if result.verdict == "depends" else finding.severity == "error"


def _unexplained(result: Result, required: tuple[str, ...]) -> Iterator[Finding]:
    """The verdict as a finding where there is none to tell it, and each required capability that is lacking."""
    line = next((finding.location for finding in result.findings if finding.location), None)
    told = Finding(result.verdict, "error", "certain", result.artifact.name, "", location=line)
    if result.verdict == "depends":
        yield told._replace(severity="warning", message=" ".join(depends_on(result)))
    elif result.counts and not any(finding.severity == "error" for finding in result.findings):
        yield told
    for capability, verdict in limits(result):
        if capability in required:
            severity: Severity = "warning" if verdict == "depends" else "error"
            text = f"{capability}: {limit(capability, verdict)}"
            yield told._replace(rule="capability-missing", severity=severity, message=text)

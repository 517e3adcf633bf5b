"""What is told as SARIF: findings, and verdicts that no finding explains; what is one problem on several hosts is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from abicheck.model.report import Finding
from abicheck.report.words import NO_CODE, depends_on, limit, limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.model.report import Report, Result, Severity

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")

#: The rules of what has no page, because the verdict says it: in a sentence, and what it means.
VERDICTS = {
    "depends": (
        "Whether it loads depends on something that is not known.",
        "A fact that decides is not known of the host, or another import must come first. Until it is known, this is no promise.",
    ),
    "fails": ("It does not load.", "The loader refuses it, with the text that the result begins with."),
    "not-installable": ("It cannot be installed.", "An installer finds no wheel for this Python and this machine."),
    "capability-missing": (
        "A capability that is required is not there.",
        "The libraries that it opens by name for this do not load, or it is not known whether they do; --require counts it.",
    ),
}


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
    name = result.artifact.name
    errors = [finding for finding in result.findings if finding.severity == "error"]
    if result.verdict == "depends":
        yield Finding("depends", "warning", "certain", name, " ".join(depends_on(result)))
    elif (result.verdict == "not-installable" and not errors) or (
        result.verdict == "fails" and not errors and not result.ignored
    ):
        yield Finding(result.verdict, "error", "certain", name, "")
    for capability, verdict in limits(result):
        if capability in required:
            severity: Severity = "warning" if verdict == "depends" else "error"
            yield Finding("capability-missing", severity, "certain", name, f"{capability}: {limit(capability, verdict)}")

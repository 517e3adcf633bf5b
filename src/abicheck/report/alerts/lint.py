"""The alerts of a lint: a finding in a source is one."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from abicheck.report import markup
from abicheck.report.alerts import places, texts
from abicheck.report.alerts.alert import Alert, Alerts, Place, by_severity, fingerprint
from abicheck.report.lines import escape
from abicheck.report.lint.terminal import figures

if TYPE_CHECKING:
    from abicheck.model.lint import LintFinding, LintReport


def alerts(report: LintReport, base: str) -> Alerts:
    """The alerts of the report; paths below the directory `base` are told from there."""
    found: dict[str, Alert] = {}
    for finding in report.findings:
        # The same message again in the same file is another place of it: its line is no part of what it is.
        again = 0
        while (alert := _alert(finding, base, again)).fingerprint in found:
            again += 1
        found[alert.fingerprint] = alert
    return Alerts(
        report.tool, by_severity(found.values()), places.troubles(report.errors, base), report.exit_code, figures(report)
    )


def _alert(finding: LintFinding, base: str, again: int) -> Alert:
    file = places.address(finding.file, base)
    words = finding.message.rpartition("line ")[0] or finding.message
    return Alert(
        rule=finding.rule,
        severity=finding.severity,
        message=texts.message([(markup.text, finding.message)], finding.remedies),
        places=[Place(file, finding.line)],
        subject=escape(file),
        part=escape(posixpath.basename(file)),
        fingerprint=fingerprint(finding.rule, file, words, str(again)),
        properties={},
        ignored=None if finding.ignored is None else escape(finding.ignored),
    )

"""Findings in sources as JSON; `schema/lint.json` beside the reports describes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from abicheck.model.report import SCHEMA_VERSION

if TYPE_CHECKING:
    from abicheck.model.lint import LintReport


def render(report: LintReport) -> str:
    """The report as one JSON document, in ASCII."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "tool": report.tool._asdict(),
        "exit_code": report.exit_code,
        "fail_on": report.fail_on,
        "files": report.files,
        "lines": report.lines,
        "findings": [
            {**finding._asdict(), "remedies": [remedy.text for remedy in finding.remedies]} for finding in report.findings
        ],
        "errors": [failure._asdict() for failure in report.errors],
    }
    return json.dumps(document, indent=1) + "\n"

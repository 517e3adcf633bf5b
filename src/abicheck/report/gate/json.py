"""What an upgrade changes, as JSON; `schema/gate.json` beside the reports describes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from abicheck.model.report import SCHEMA_VERSION

if TYPE_CHECKING:
    from abicheck.model.gate import Change, GateReport


def render(report: GateReport) -> str:
    """The report as one JSON document, in ASCII."""
    return json.dumps(document(report), indent=1) + "\n"


def document(report: GateReport) -> dict[str, Any]:
    """The report as plain dictionaries, lists and strings."""
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": report.tool._asdict(),
        "old": report.old,
        "new": report.new,
        "hosts": list(report.hosts),
        "changes": [_change(change) for change in report.changes],
        "unchanged": report.unchanged,
        "errors": [failure._asdict() for failure in (*report.errors, *report.expired)],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        **change._asdict(),
        "severity": change.severity,
        "hosts": list(change.hosts),
        "why": list(change.why),
        "remedies": [remedy._asdict() for remedy in change.remedies],
    }

"""Repairs as JSON; `schema/repair.json` beside the reports describes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from abicheck.model.report import SCHEMA_VERSION

if TYPE_CHECKING:
    from abicheck.model.repair import Change, Repair, RepairReport


def render(report: RepairReport) -> str:
    """The report as one JSON document, in ASCII."""
    return json.dumps(document(report), indent=1) + "\n"


def document(report: RepairReport) -> dict[str, Any]:
    """The report as plain dictionaries, lists and strings."""
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": report.tool._asdict(),
        "repairs": [_repair(each) for each in report.repairs],
        "errors": [failure._asdict() for failure in report.errors],
    }


def _repair(repair: Repair) -> dict[str, Any]:
    return {
        "artifact": {"name": repair.name, "version": repair.version, "kind": repair.kind, "path": repair.path},
        "state": repair.state,
        "objects": repair.objects,
        "changes": [_change(change) for change in repair.changes],
        "files": list(repair.files),
        "output": repair.output,
        "backup": repair.backup,
        "checks": [
            {
                "host": check.host,
                "python": check.python,
                "before": {"verdict": check.before, "predicted": check.before_text},
                "after": {"verdict": check.after, "predicted": check.after_text},
            }
            for check in repair.checks
        ],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "object": change.object,
        "rule": change.rule,
        "offset": change.edit.offset,
        "old": change.edit.old.hex(),
        "new": change.edit.new.hex(),
        "meaning": change.meaning,
    }

"""Suggestions as JSON; `schema/suggest.json` beside the reports describes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from abicheck.model.report import SCHEMA_VERSION
from abicheck.report.words import short_reason

if TYPE_CHECKING:
    from abicheck.model.suggest import Release, SuggestReport


def render(report: SuggestReport) -> str:
    """The report as one JSON document, in ASCII."""
    return json.dumps(document(report), indent=1) + "\n"


def document(report: SuggestReport) -> dict[str, Any]:
    """The report as plain dictionaries, lists and strings."""
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": report.tool._asdict(),
        "hosts": list(report.hosts),
        "suggestions": [
            {
                "requirement": each.requirement,
                "best": each.best,
                "constraint": each.constraint,
                "releases": [_release(release) for release in each.releases],
                "older": each.older,
            }
            for each in report.suggestions
        ],
        "constraints": report.constraints,
        "errors": [failure._asdict() for failure in report.errors],
    }


def _release(release: Release) -> dict[str, Any]:
    return {
        "version": release.version,
        "loads": release.loads,
        "hosts": [
            {
                "host": result.host.name,
                "python": result.python.version,
                "verdict": result.verdict,
                "predicted": result.predicted,
                "why": short_reason(result),
                "window": None if result.window is None else result.window._asdict(),
            }
            for result in release.results
        ],
    }

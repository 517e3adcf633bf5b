"""Confirmed cells as JSON; `schema/confirm.json` describes it: the results of `check`, with what was observed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from abicheck.model.report import SCHEMA_VERSION
from abicheck.report.json import result_document, written

if TYPE_CHECKING:
    from abicheck.model.confirm import Confirmed, ConfirmReport


def render(report: ConfirmReport) -> str:
    """The report as one JSON document, a cell a line."""
    return written(document(report))


def document(report: ConfirmReport) -> dict[str, Any]:
    """The report as plain dictionaries, lists and strings."""
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": report.tool._asdict(),
        "matrix": report.name,
        "engine": report.engine,
        "verdict": report.verdict,
        "agree": report.agree,
        "seconds": round(report.seconds, 3),
        "results": [_cell(cell) for cell in report.cells],
        "errors": [failure._asdict() for failure in report.errors],
    }


def _cell(cell: Confirmed) -> dict[str, Any]:
    asked, seen = cell.cell, cell.observed
    observed = None
    if seen is not None:
        observed = {
            "verdict": seen.verdict,
            "text": seen.text,
            "transcript": seen.transcript,
            "seconds": round(seen.seconds, 3),
            "clips": [each._asdict() | {"wrong": list(each.wrong)} for each in seen.heard],
            "output": seen.output,
        }
    return {
        "cell": asked.name,
        "requirements": list(asked.requirements),
        "deed": asked.deed,
        "remedy": asked.remedy,
        "settings": dict(asked.settings),
        "rolling": cell.rolling,
        **result_document(cell.result),
        "observed": observed,
        "agree": cell.agree,
        "differences": list(cell.differences),
        "reproduce": cell.reproduce,
    }

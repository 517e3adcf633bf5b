"""The report as JSON; `schema/check.json` beside this file describes it."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from abicheck.model.report import SCHEMA_VERSION

if TYPE_CHECKING:
    from abicheck.model.report import Finding, Report, Result


def render(report: Report) -> str:
    """The report as one JSON document, a result a line."""
    return written(document(report))


def written(plain: dict[str, Any]) -> str:
    """A document with `results` as JSON, a result a line, in ASCII, so that file names in no encoding at all pass unharmed."""
    rows = ",\n".join(map(json.dumps, plain["results"]))
    fields = {key: json.dumps(value) for key, value in plain.items()} | {"results": f"[\n{rows}\n]"}
    return "{" + ",\n".join(f"{json.dumps(key)}: {value}" for key, value in fields.items()) + "}\n"


def document(report: Report) -> dict[str, Any]:
    """The report as plain dictionaries, lists and strings."""
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": report.tool._asdict(),
        "verdict": report.verdict,
        "results": [result_document(result, report.symbol) for result in report.results],
        "errors": [failure._asdict() for failure in (*report.errors, *report.expired)],
    }


def result_document(result: Result, symbol: str | None = None) -> dict[str, Any]:
    """One result as plain values; `symbol` is what its bindings are about."""
    artifact = result.artifact
    plain: dict[str, Any] = {
        "artifact": {
            "name": artifact.name,
            "version": artifact.version,
            "kind": artifact.kind,
            "path": artifact.path,
            "sha256": artifact.sha256,
            "arch": artifact.arch,
            "tags": list(artifact.tags),
        },
        "host": result.host._asdict(),
        "python": result.python._asdict(),
        "prefix": result.prefix,
        "verdict": result.verdict,
        "predicted": result.predicted,
        "window": None if result.window is None else result.window._asdict(),
        "capabilities": dict(result.capabilities),
        "roots": [root._asdict() for root in result.roots],
        "findings": [_finding(finding) for finding in result.findings],
        "assumptions": [assumption._asdict() for assumption in result.assumptions],
        "missing_facts": [missing._asdict() for missing in result.missing_facts],
        "ignored": dict(Counter(finding.rule for finding in result.ignored)),
        "unjudged": [{"path": path, "reason": reason} for path, reason in result.unjudged],
    }
    excused = {(finding.rule, *finding.excuse): None for finding in result.ignored if finding.excuse}
    if excused:
        plain["excused"] = [{"rule": rule, "by": by or "baseline", "reason": reason} for rule, by, reason in excused]
    if result.gpu is not None:
        plain["gpu"] = list(result.gpu)
    if result.cell is not None:
        plain |= {"cell": result.cell, "variant": result.variant}
    if result.tree is not None:
        plain["tree"] = [
            {**entry._asdict(), "tried": [{"path": path, "outcome": outcome} for path, outcome in entry.tried]}
            for entry in result.tree
        ]
    if result.bindings is not None:
        plain["why"] = {"symbol": symbol, "bindings": [binding._asdict() for binding in result.bindings]}
    return plain


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "object": finding.object,
        "message": finding.message,
        "evidence": list(finding.evidence),
        "remedies": [remedy._asdict() for remedy in finding.remedies],
        "location": finding.location,
    }

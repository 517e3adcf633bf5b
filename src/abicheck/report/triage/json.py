"""Triage as JSON; `schema/triage.json` beside the reports describes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from abicheck.model.report import SCHEMA_VERSION

if TYPE_CHECKING:
    from abicheck.model.triage import Cause, ReportFacts, Triage


def render(found: Triage) -> str:
    """The answer as one JSON document, in ASCII."""
    return json.dumps(document(found), indent=1) + "\n"


def document(found: Triage) -> dict[str, Any]:
    """The answer as plain dictionaries, lists and strings."""
    diagnosis = found.diagnosis
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": found.tool._asdict(),
        "answer": diagnosis.answer,
        "causes": [_cause(each) for each in diagnosis.causes],
        "others": [_cause(each) for each in diagnosis.others],
        "questions": [each._asdict() for each in diagnosis.questions],
        "facts": _facts(diagnosis.facts),
        "replay": found.replay._asdict() if found.replay else None,
        "unread": found.unread,
    }


def _cause(cause: Cause) -> dict[str, Any]:
    plain = cause._asdict()
    return {
        "class": plain.pop("class_"),
        **plain,
        "evidence": list(cause.evidence),
        "remedies": [each._asdict() for each in cause.remedies],
        "questions": [each._asdict() for each in cause.questions],
        "sources": list(cause.sources),
    }


def _facts(facts: ReportFacts) -> dict[str, Any]:
    return {
        **facts._asdict(),
        "packages": dict(facts.packages),
        "wheels": list(facts.wheels),
        "kinds": list(facts.kinds),
        "clues": [each._asdict() for each in facts.clues],
    }

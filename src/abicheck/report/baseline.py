"""The known errors of a report as a file, an entry a line; `schema/baseline.json` beside this file describes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from abicheck.model.configuration import Known

if TYPE_CHECKING:
    from abicheck.model.report import Report

_SCHEMA_VERSION = 1


def render(report: Report) -> str:
    """A baseline of what is known already in the report, sorted, in ASCII."""
    known = {
        Known(result.artifact.name, result.host.name, finding.rule)
        for result in report.results
        for finding in result.ignored
        if finding.excuse is not None and finding.excuse.by is None
    }
    rows = ",\n".join(f"  {json.dumps(each._asdict())}" for each in sorted(known))
    return f'{{\n "schema_version": {_SCHEMA_VERSION},\n "known": [\n{rows}\n ]\n}}\n'

"""The alerts of a gate: what loads worse, what is asked for besides, and what fails as before."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from abicheck.report import markup
from abicheck.report.alerts import places
from abicheck.report.alerts.alert import Alert, Alerts, Place, by_severity, fingerprint
from abicheck.report.alerts.texts import message
from abicheck.report.gate.words import figures, sentence, verdict
from abicheck.report.lines import escape

if TYPE_CHECKING:
    from abicheck.model.gate import Change, GateReport
    from abicheck.report.alerts.texts import Part


def alerts(report: GateReport, base: str) -> Alerts:
    """The alerts of the report; paths below the directory `base` are told from there."""
    told = (change for change in report.changes if change.severity != "note" or change.kind == "still-fails")
    alike: Counter[tuple[str, ...]] = Counter()
    found = by_severity(_alert(change, report.new, base, alike) for change in told)
    errors = places.troubles((*report.errors, *report.expired), base)
    return Alerts(report.tool, found, errors, report.exit_code, escape(f"{verdict(report)} · {figures(report)}"))


def _alert(change: Change, new: str, base: str, alike: Counter[tuple[str, ...]]) -> Alert:
    parts: list[Part] = [(markup.text, sentence(change))]
    parts += [(markup.block, change.predicted)] if change.predicted is not None else []
    parts += [(markup.text, each) for each in change.why]
    place = places.parsed(change.location, base) if change.location else Place(places.address(new, base))
    # Neither versions nor hosts: it is the same problem in the next release, and when a host is added.
    same = (change.kind, change.rule or "", change.package, place.file if change.location else "")
    alike[same] += 1
    return Alert(
        rule=change.rule or change.kind,
        severity=change.severity,
        message=message(parts, change.remedies),
        places=[place],
        subject=escape(" ".join(filter(None, (change.package, change.new)))),
        part=change.kind,
        fingerprint=fingerprint(*same, str(alike[same])),
        properties={"change": change.kind, "old": change.old, "new": change.new, "hosts": list(map(escape, change.hosts))},
    )

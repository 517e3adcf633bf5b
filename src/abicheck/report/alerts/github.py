"""Alerts as annotations of GitHub: workflow commands, then the verdict.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands; how they are escaped is in
https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.report.lines import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abicheck.report.alerts.alert import Alert, Alerts, Place

#: So many errors, and as many warnings, of one step does GitHub show.
_MOST = 10
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = _DATA | str.maketrans({":": "%3A", ",": "%2C"})
_MARKS = {0: "✓", 1: "✗"}


def render(found: Alerts) -> str:
    """An annotation for each error and warning, as many as are shown; notes and what is ignored are none."""
    told = [each for each in found.alerts if each.ignored is None]
    errors = [_annotation(each) for each in told if each.severity == "error"]
    errors += [_command("error", [each.place] if each.place else [], "abicheck", each.text) for each in found.errors]
    warnings = [_annotation(each) for each in told if each.severity == "warning"]
    more = max(0, len(errors) - _MOST) + max(0, len(warnings) - _MOST)
    verdict = f"{_MARKS.get(found.exit_code, '?')} {found.verdict}" + (f" · {more:,} more not shown" if more else "")
    return "\n".join((*errors[:_MOST], *warnings[:_MOST], verdict)) + "\n"


def _annotation(alert: Alert) -> str:
    return _command(alert.severity, alert.places, f"{alert.subject}: {alert.rule}", alert.message.text)


def _command(level: str, places: Sequence[Place], title: str, message: str) -> str:
    """A workflow command, at the first line that is known; without one it is about the whole run."""
    place = next((place for place in places if place.line), None)
    where = {"file": escape(place.file), "line": str(place.line)} if place else {}
    told = ",".join(f"{name}={value.translate(_PROPERTY)}" for name, value in {**where, "title": title}.items())
    return f"::{level} {told}::{message.translate(_DATA)}"

"""An alert: one problem at files and lines, from which SARIF and annotations are made."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from abicheck.report.lines import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from abicheck.model.report import Severity, Tool
    from abicheck.report.alerts.texts import Message

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


class Place(NamedTuple):
    """A file as it is seen from where the work lies, and the line: None where it is about the whole file, if that is one."""

    file: str
    line: int | None = None


class Alert(NamedTuple):
    """One problem, on however many hosts.

    `subject` is the artifact as it is named to a reader, `part` what of it the problem is in. `fingerprint` is the same for the
    same problem, on whichever machine it is found; `ignored` says why it does not count, None where it does. All texts but the
    files of `places` are escaped.
    """

    rule: str
    severity: Severity
    message: Message
    places: Sequence[Place]
    subject: str
    part: str
    fingerprint: str
    properties: Mapping[str, object]
    ignored: str | None = None


class Trouble(NamedTuple):
    """What could not be judged and why, or an ignore that has expired; and the line that it stands in, if it does in one."""

    text: str
    place: Place | None


class Alerts(NamedTuple):
    """All alerts of a run, the most severe first; `verdict` is the whole in a line."""

    tool: Tool
    alerts: Sequence[Alert]
    errors: Sequence[Trouble]
    exit_code: int
    verdict: str


def fingerprint(*parts: str) -> str:
    """What stands for these texts, 32 hexadecimal digits."""
    return sha256("\0".join(map(escape, parts)).encode()).hexdigest()[:32]


def by_severity(alerts: Iterable[Alert]) -> list[Alert]:
    """The most severe first, else in the order that they have."""
    return sorted(alerts, key=lambda alert: SEVERITIES.index(alert.severity))

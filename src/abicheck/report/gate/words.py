"""What a change says, in words that the formats have in common."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from abicheck.report.lines import count

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from abicheck.model.gate import Change, ChangeKind, GateReport

#: The sign of each change, and its style on a terminal.
SIGNS: dict[ChangeKind, tuple[str, str]] = {
    "newly-fails": ("✗", "bold red"),
    "newly-not-installable": ("✗", "bold red"),
    "newly-depends": ("?", "yellow"),
    "newly-fixed": ("✓", "green"),
}
#: What is said of one package, said of several.
_PLURAL = {
    "is new": "are new",
    "is new, and loads": "are new, and load",
    "is no longer installed": "are no longer installed",
}
#: So many packages that come or go are told one by one.
_MANY = 3
_WARNS, _NOTES = ("!", "yellow"), ("·", "")


def sign(change: Change) -> tuple[str, str]:
    """The sign of a change and its style."""
    return SIGNS.get(change.kind, _NOTES if change.severity == "note" else _WARNS)


def _on(hosts: Collection[str]) -> str:
    return f" on {', '.join(hosts)}" if hosts else ""


def sentence(change: Change) -> str:
    """The change in a line: `ctranslate2 4.6.2 → 4.6.3 has no wheel on rhel:7`."""
    moved = change.old is not None and change.new is not None and change.old != change.new
    versions = f"{change.old} → {change.new}" if moved else change.new or change.old or ""
    return f"{change.package} {versions} {change.text}{_on(change.hosts)}".replace("  ", " ")


def sentences(changes: Iterable[Change]) -> Iterator[tuple[Change, str]]:
    """Each change with its line; many packages that only come or go have one line together."""
    for (kind, text, hosts), each in groupby(changes, lambda change: (change.kind, change.text, change.hosts)):
        alike = list(each)
        if kind in ("added", "removed") and len(alike) > _MANY:
            named = ", ".join(f"{change.package} {change.new or change.old}" for change in alike)
            yield alike[0], f"{count(len(alike), 'package')} {_PLURAL.get(text, text)}{_on(hosts)}: {named}"
        else:
            yield from ((change, sentence(change)) for change in alike)


def overall(report: GateReport) -> tuple[str, str]:
    """The sign of the whole, and its style."""
    if report.counted:
        return "✗", "bold red"
    return ("?", "yellow") if report.errors or report.expired else ("✓", "green")


def verdict(report: GateReport) -> str:
    """The whole in a line."""
    if report.counted:
        worse = dict.fromkeys(host for change in report.counted for host in change.hosts)
        return f"{count(len(report.counted), 'change')} for the worse{_on(worse)}"
    where = _on(report.hosts)
    if report.errors:
        return f"not everything could be compared{where}"
    warnings = sum(change.severity == "warning" for change in report.changes)
    if not report.hosts:
        return "it asks for more" if warnings else "it asks for the same"
    ignored = any(change.kind == "ignored" for change in report.changes)
    return f"nothing {'else ' if ignored else ''}loads worse{where}" + (f", {count(warnings, 'warning')}" if warnings else "")


def figures(report: GateReport) -> str:
    """The line of figures."""
    said = [count(len(report.changes), "change")]
    said += [f"{report.unchanged:,} unchanged"] if report.hosts else []
    said += [count(len(report.expired), "expired ignore")] if report.expired else []
    said += [report.configured] if report.configured else []
    return " · ".join((*said, f"{report.seconds:.1f} s"))

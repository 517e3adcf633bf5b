"""`gate`: what an upgrade changes on hosts, or for any host."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from abicheck import __version__
from abicheck.api.checking import check
from abicheck.api.options import Options
from abicheck.api.selection import kind_of
from abicheck.errors import AbicheckError, UsageError
from abicheck.judge.gate import compare_needs, compare_results
from abicheck.model.gate import GateReport
from abicheck.model.host import Libc
from abicheck.model.index import Target
from abicheck.model.report import Tool
from abicheck.read.index.store import Store
from abicheck.read.verdicts import cache_directory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abicheck.model.gate import Change, FailOn
    from abicheck.model.report import Failure, Report, Result
    from abicheck.model.requirements import Card

#: One artifact each, of which a requirements card can be made.
_ARTIFACTS = ("requirement", "wheel", "file", "installed")


def gate(
    old: str,
    new: str,
    hosts: Sequence[str] = (),
    *,
    python: str | None = None,
    fail_on: FailOn = "new",
    options: Options | None = None,
) -> GateReport:
    """Compare two artifacts or environments: the verdicts on each host, and what they ask of any host.

    `old` and `new` are targets as `check` takes them. Without hosts only what they ask for is compared, for which both must be
    one artifact. `python` is the target Python. What could not be judged is listed in `GateReport.errors`. Raises `UsageError`
    for an unknown host, and where nothing can be compared.
    """
    started = time.perf_counter()
    options = (options or Options())._replace(dependencies=False)
    errors: dict[Failure, None] = {}
    changes: list[Change] = []
    unchanged = 0
    kinds = kind_of(old), kind_of(new)
    single = all(kind in _ARTIFACTS for kind in kinds)
    if not hosts and not single:
        raise UsageError("what environments change is said for hosts; name one with --host")
    if hosts:
        before, after = (check([target], hosts, python=python, options=options) for target in (old, new))
        errors |= dict.fromkeys((*before.errors, *after.errors))
        changes, unchanged = compare_results(before.results, after.results)
        changes = [_with_fallback(change, after.results, options) for change in changes]
        python = python or _python_of(after)
    if single:
        said, failures = _needs(old, new, python, options)
        # With hosts it was said there what cannot be judged; a package without native code asks for nothing.
        errors |= dict.fromkeys(failures if not hosts else ())
        changes += [change for change in said if change.kind not in ("narrowed", "widened") or not hosts]
    tool = Tool("abicheck", __version__)
    seconds = time.perf_counter() - started
    return GateReport(tool, old, new, tuple(hosts), tuple(changes), unchanged, tuple(errors), seconds, fail_on)


def _with_fallback(change: Change, results: Sequence[Result], options: Options) -> Change:
    """What has no wheel any more, with what pip takes there where no release is named."""
    if change.kind != "newly-not-installable":
        return change
    refused = [each for each in results if each.artifact.name == change.package and each.host.name in change.hosts]
    taken = dict.fromkeys(filter(None, (_fallback(result, options) for result in refused)))
    return change._replace(text=f"{change.text} (unpinned, pip takes {' or '.join(taken)})") if taken else change


def _fallback(result: Result, options: Options) -> str | None:
    from abicheck.read.index.simple import taken_unpinned  # noqa: PLC0415 -- only where something was refused

    python = tuple(int(part) for part in (result.python.version or "").split(".") if part.isdigit())
    libc = Libc(result.host.libc, tuple(map(int, result.host.libc_version.split("."))))  # type: ignore[arg-type]  # as in Libc
    target = Target(python, result.host.arch, libc)  # type: ignore[arg-type]  # as in Target
    store = Store(cache_directory(os.environ), offline=options.offline)
    try:
        return taken_unpinned(result.artifact.name, target, store) if python else None
    except AbicheckError:  # it is an aside
        return None


def _python_of(report: Report) -> str | None:
    """The Python of a wheel that was judged: its card is read."""
    found = (result.python.version for result in report.results if result.verdict != "not-installable")
    return next((version for version in found if version), None)


def _needs(old: str, new: str, python: str | None, options: Options) -> tuple[list[Change], Sequence[Failure]]:
    """What the two ask of any host, machine by machine."""
    from abicheck.api.showing import show  # noqa: PLC0415 -- only for single artifacts

    reports = [show([target], python=python, options=options) for target in (old, new)]
    cards: list[dict[str, Card]] = [{card.requirements.arch: card for card in report.cards} for report in reports]
    found: list[Change] = []
    for arch, card in cards[0].items():
        if arch in cards[1]:
            other = cards[1][arch]
            found += compare_needs(card.name, (card.version, other.version), card.requirements, other.requirements)
    return found, [failure for report in reports for failure in report.errors]

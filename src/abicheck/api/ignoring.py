"""Findings that are set apart from a result: those that the user leaves out, and those that the project ignores for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.model.report import Excuse, Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    from abicheck.api.options import Options
    from abicheck.model.configuration import Ignore
    from abicheck.model.report import Finding, Result


def shown_by(options: Options) -> Callable[[Result], Result]:
    """What sets apart the findings of a result that are not to be shown. Raises `UsageError` for rules that do not exist."""
    if not (options.select or options.ignore or options.ignores):
        return lambda result: result
    from abicheck.api.rules import rules  # noqa: PLC0415 -- only for those who ask

    for name in (*options.select, *options.ignore):
        rules(name)
    today = _today()
    ignores = [each for each in options.ignores if each.expires >= today]

    def ignored(finding: Finding, result: Result) -> Finding | None:
        if finding.rule in options.ignore or (options.select and finding.rule not in options.select):
            return finding
        for each in ignores:
            if _is_about(each, finding, result):
                return finding._replace(excuse=Excuse(each.file, f"{each.reason}, until {each.expires}"))
        return None

    return lambda result: set_apart(result, ignored)


def set_apart(result: Result, ignored: Callable[[Finding, Result], Finding | None]) -> Result:
    """The result with those findings among the ignored ones for which `ignored` gives one, as it gives it."""
    judged = [(finding, ignored(finding, result)) for finding in result.findings]
    return result._replace(
        findings=tuple(finding for finding, other in judged if other is None),
        ignored=(*result.ignored, *(other for _, other in judged if other is not None)),
    )


def expired(ignores: Iterable[Ignore]) -> tuple[Failure, ...]:
    """The ignores whose day is over: their findings count again, and somebody has to think about it."""
    return tuple(Failure(each.place, _expiry(each)) for each in ignores if each.expires < _today())


def _expiry(ignore: Ignore) -> str:
    about = f"{f' for {ignore.package}' if ignore.package else ''}{f' on {ignore.host}' if ignore.host else ''}"
    says = f"the ignore of {ignore.rule}{about} expired on {ignore.expires} (reason: {ignore.reason})"
    return f"{says}: fix it or set a new date"


def _is_about(ignore: Ignore, finding: Finding, result: Result) -> bool:
    from abicheck.model.names import normalized  # noqa: PLC0415 -- as above

    package = result.artifact.name
    return (
        finding.rule == ignore.rule
        and (ignore.package is None or package in (ignore.package, normalized(ignore.package)))
        and (ignore.host is None or ignore.host == result.host.name)
    )


def _today() -> date:
    from datetime import datetime, timezone  # noqa: PLC0415 -- as above

    return datetime.now(tz=timezone.utc).date()

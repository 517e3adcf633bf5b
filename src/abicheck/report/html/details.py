"""What is said of a result, once for all results of which the same is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.report.card.words import glibc
from abicheck.report.grid.arrange import mark
from abicheck.report.html.values import Detail, RootLine, Told, Where
from abicheck.report.lines import count, escape
from abicheck.report.terminal import bindings, tree
from abicheck.report.words import (
    NO_CODE,
    SIGNS,
    depends_on,
    does,
    has_no_code,
    limit,
    limits,
    raised,
    title,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from abicheck.model.report import Finding, Result

_SEVERITIES = ("error", "warning", "note")


def key(result: Result) -> Hashable:
    """A value that is equal for two results exactly where the same is to be said of both, but for the place."""
    return (
        mark(result),
        does(result),
        tuple(depends_on(result)),
        raised(result),
        _said(result),
        tuple(_roots(result)),
        tuple((_below(path, result), reason) for path, reason in result.unjudged),
        result.window,
        result.gpu,
        result.capabilities,
        result.objects,
        result.references,
        result.tree,
        result.bindings,
        result.ignored,
    )


def make_detail(number: int, results: Sequence[Result], symbol: str | None = None) -> Detail:
    """What is said of `results`, whose keys are equal."""
    first = results[0]
    titles = list(dict.fromkeys(map(title, results)))
    return Detail(
        number=number,
        mark=mark(first),
        subject=titles[0] if len(titles) == 1 else f"{len(titles):,} artifacts",
        does=_does(first, several=len(titles) > 1),
        where=tuple(_where(results, named=len(titles) > 1)),
        sentences=(*depends_on(first), *(limit(*each) for each in limits(first))),
        text=raised(first) if first.predicted is not None else None,
        findings=tuple(_findings(first)),
        roots=tuple(_roots(first)),
        facts=tuple(_facts(first)),
        listings=tuple(_listings(first, symbol)),
    )


def _below(path: str, result: Result) -> str:
    return path.removeprefix(f"{result.prefix}/") if result.prefix else path


def _said(result: Result) -> tuple[Finding, ...]:
    """The findings, but the one that says what the verdict says already."""
    return tuple(finding for finding in result.findings if finding.rule != NO_CODE)


def _does(result: Result, *, several: bool) -> str:
    """As `does not load`; of several artifacts as a caption: `3 artifacts: does not load`."""
    said = "no native code" if has_no_code(result) else does(result).removesuffix(" on")
    return f": {said}" if several or has_no_code(result) else f" {said}"


def _where(results: Sequence[Result], *, named: bool) -> Iterator[Where]:
    """The hosts by artifact, Python and prefix."""
    hosts: dict[tuple[str, str | None, str | None], list[str]] = {}
    for result in results:
        host = result.host
        facts = host.facts()
        told = f"{host.name} ({facts})" if facts and len(results) == 1 else host.name
        hosts.setdefault((title(result) if named else "", result.python.version, result.prefix), []).append(told)
    for (artifact, python, prefix), names in hosts.items():
        yield Where(artifact, python, prefix, tuple(dict.fromkeys(names)))


def _findings(result: Result) -> Iterator[Told]:
    """The worst first; what says no more than the loader's text is told without it."""
    ordered = sorted(_said(result), key=lambda finding: _SEVERITIES.index(finding.severity))
    for finding, lines in told(ordered, result):
        yield Told(finding, tuple(lines))


def _roots(result: Result) -> Iterator[RootLine]:
    for root in result.roots:
        text = None if root.predicted == result.predicted else root.predicted
        yield RootLine(_below(root.path, result), root.kind, SIGNS[root.verdict][0], root.verdict, text)


def _facts(result: Result) -> Iterator[tuple[str, str]]:
    if result.window is not None:
        yield "Window", glibc(result.window)
    if result.gpu:
        yield "GPU", ", ".join(result.gpu)
    if len(result.capabilities) > 1:
        yield "Capabilities", ", ".join(f"{name} {verdict.replace('-', ' ')}" for name, verdict in result.capabilities)
    if result.objects or result.references:
        yield "Simulated", f"{count(result.objects, 'object')} loaded, {count(result.references, 'symbol')} bound"
    if result.ignored:
        yield "Ignored", ", ".join(dict.fromkeys(map(_ignored, result.ignored)))


def _ignored(finding: Finding) -> str:
    return f"{finding.rule} ({finding.severity}{f'; {finding.excuse}' if finding.excuse else ''})"


def _listings(result: Result, symbol: str | None) -> Iterator[tuple[str, tuple[str, ...]]]:
    if result.unjudged:
        reasons: dict[str, list[str]] = {}
        for path, reason in result.unjudged:
            reasons.setdefault(reason, []).append(_below(path, result))
        lines = (f"{reason}: {', '.join(paths)}" for reason, paths in reasons.items())
        yield f"{len(result.unjudged):,} {'binary' if len(result.unjudged) == 1 else 'binaries'} not judged", tuple(lines)
    if result.tree is not None:
        yield "Where each library was found", tuple(f"{line.head}{line.text}" for line in tree(result.tree))
    if result.bindings is not None:
        told_bindings = bindings(result.bindings, symbol or "")
        yield f"What {escape(symbol or '')} binds to", tuple(line.text for line in told_bindings)

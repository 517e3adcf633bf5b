"""The report for a reader: the verdict first, the loader's own text, then why; a line of figures last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.report.lines import Line as _Line
from abicheck.report.lines import count as _count
from abicheck.report.lines import escape, join

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abicheck.model.process import Binding
    from abicheck.model.report import Finding, Remedy, Report, Result, TreeEntry

_SIGNS = {
    "loads": ("✓", "green"),
    "fails": ("✗", "bold red"),
    "not-installable": ("✗", "bold red"),
    "depends": ("?", "yellow"),
}
_MAX_FINDINGS = 10
_FOUND = {
    "path": "by its path",
    "loaded-name": "already loaded",
    "loaded-file": "the same file is already loaded",
    "rpath": "RPATH of {owner}",
    "runpath": "RUNPATH of {owner}",
    "ld-library-path": "LD_LIBRARY_PATH",
    "cache": "ld.so.cache",
    "system": "system directory",
    "preload": "preloaded",
    "program": "the program",
    "interpreter": "the loader itself",
    "built-in": "part of the C library",
}


def render(report: Report, *, colour: bool) -> str:
    """The report as text; with `colour` for a terminal that has it."""
    lines = [*_results(report), _Line(_figures(report))] if report.results else []
    return join(lines, colour=colour)


def _results(report: Report) -> Iterator[_Line]:
    previous = None
    for result in report.results:
        brief = result.verdict == "loads" and result.tree is None and result.bindings is None
        if previous is not None and not (brief and previous):
            yield _Line()
        yield from _result(result, report.symbol)
        previous = brief
    yield _Line()


def _result(result: Result, symbol: str | None) -> Iterator[_Line]:
    sign, style = _SIGNS[result.verdict]
    host = result.host
    python = f"Python {result.python.version}, " if result.python.version else ""
    where = f"{escape(host.name)} ({host.libc} {host.libc_version}, {python}{host.arch})"
    starts = bool(result.roots) and all(root.kind == "executable" for root in result.roots)
    does = {
        "loads": "starts on" if starts else "loads on",
        "fails": "does not start on" if starts else "does not load on",
        "depends": "may or may not start on" if starts else "may or may not load on",
        "not-installable": "cannot be installed on",
    }[result.verdict]
    yield _Line(f" {escape(_title(result))} {does} {where}", sign, style)
    if result.predicted is not None:
        yield _Line()
        yield _Line(f"  {_raised(result)}{escape(result.predicted)}")
    if result.findings:
        yield _Line()
    told: set[Remedy] = set()
    for finding in result.findings[:_MAX_FINDINGS]:
        yield from _finding(finding, result)
        yield from (_remedy(remedy) for remedy in finding.remedies if remedy not in told)
        told.update(finding.remedies)
    if len(result.findings) > _MAX_FINDINGS:
        yield _Line(f"  and {len(result.findings) - _MAX_FINDINGS:,} more errors (all of them: --format json)")
    for missing in result.missing_facts:
        yield _Line(f"  it depends on {escape(missing.fact)}: {escape(missing.reason)}")
    if result.tree is not None:
        yield _Line()
        yield from _tree(result.tree)
    if result.bindings is not None:
        yield _Line()
        yield from _bindings(result.bindings, symbol or "")


def _title(result: Result) -> str:
    """A distribution by its name and version, a file by its path as it was given."""
    artifact = result.artifact
    return artifact.path if artifact.version is None else f"{artifact.name} {artifact.version}"


def _raised(result: Result) -> str:
    """What Python puts before the loader's text, where an import of a distribution raises it."""
    raised = result.artifact.kind != "file" and result.verdict != "not-installable"
    roots = [root for root in result.roots if root.predicted == result.predicted]
    text = result.predicted or ""
    return (
        "ImportError: " if raised and roots and roots[0].kind == "extension" and not text.startswith(("signal:", "exit ")) else ""
    )


def _finding(finding: Finding, result: Result) -> Iterator[_Line]:
    likely = "" if finding.confidence == "certain" else f" ({finding.confidence})"
    yield _Line(f" · {escape(finding.object)}{likely}", f"  {finding.rule}", "bold")
    yield from (_Line(f"    {escape(line)}") for line in (finding.message, *finding.evidence) if line != result.predicted)


def _remedy(remedy: Remedy) -> _Line:
    return _Line(f"    → {escape(remedy.text)}" + (f": {escape(remedy.command)}" if remedy.command else ""))


def _tree(entries: tuple[TreeEntry, ...]) -> Iterator[_Line]:
    """The libraries below those that needed them; what nobody in the tree needed stands at the top."""
    below: dict[str | None, list[TreeEntry]] = {}
    inside = {entry.path for entry in entries}
    for entry in entries:
        below.setdefault(entry.needed_by if entry.needed_by in inside else None, []).append(entry)
    pending = [(entry, 1) for entry in reversed(below.get(None, []))]
    while pending:
        entry, depth = pending.pop()
        yield from _entry(entry, "  " * depth)
        if entry.path is not None and entry.found != "loaded-name":
            pending += [(each, depth + 1) for each in reversed(below.pop(entry.path, []))]


def _entry(entry: TreeEntry, indent: str) -> Iterator[_Line]:
    if entry.found is None:
        yield _Line(f" {escape(entry.name)}: not found", f"{indent}✗", "bold red")
    else:
        how = _FOUND[entry.found].format(owner=escape(entry.owner or ""))
        place = "" if entry.path == entry.name else f" → {escape(entry.path or '')}"
        yield _Line(f"{indent}{escape(entry.name)}{place} ({how})")
    for path, outcome in entry.tried:
        yield _Line(f"{indent}    tried {escape(path)}: {escape(outcome)}")


def _bindings(bindings: tuple[Binding, ...], symbol: str) -> Iterator[_Line]:
    if not bindings:
        yield _Line(f"  no object that was loaded refers to {escape(symbol)}")
    for binding in bindings:
        wanted = f"{binding.symbol}@{binding.version}" if binding.version else binding.symbol
        weak = " weakly" if binding.weak else ""
        yield _Line(f"  {escape(binding.referrer)} refers{weak} to {escape(wanted)}")
        if binding.provider is not None:
            version = f" as version {escape(binding.provider_version)}" if binding.provider_version else ""
            yield _Line(f"    defined in {escape(binding.provider or 'the program')}{version}")
        else:
            yield _Line("    defined nowhere")
        yield _Line(f"    searched: {', '.join(escape(each or 'the program') for each in binding.searched)}")


def _figures(report: Report) -> str:
    results = report.results
    errors = sum(finding.severity == "error" for result in results for finding in result.findings)
    warnings = sum(finding.severity == "warning" for result in results for finding in result.findings)
    return " · ".join(
        (
            _count(len({result.artifact.path for result in results}), _noun(results)),
            _count(len({result.host.name for result in results}), "host"),
            _count(sum(result.objects for result in results), "object"),
            _count(sum(result.references for result in results), "symbol") + " bound",
            _count(errors, "error") + (f", {_count(warnings, 'warning')}" if warnings else ""),
            *((f"{len(report.errors):,} not judged",) if report.errors else ()),
            f"{report.seconds:.1f} s",
        )
    )


def _noun(results: Sequence[Result]) -> str:
    return "file" if all(result.artifact.kind == "file" for result in results) else "artifact"

"""The report for a reader: the verdict first, the loader's own text, then why; a line of figures last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.report.grid import terminal as grid
from abicheck.report.grid.arrange import is_grid
from abicheck.report.lines import Line as _Line
from abicheck.report.lines import count as _count
from abicheck.report.lines import escape, join, listed
from abicheck.report.words import (
    NO_CODE,
    SIGNS,
    advice,
    depends_on,
    does,
    excuses,
    figures,
    has_no_code,
    is_brief,
    limit,
    limits,
    place,
    raised,
    title,
    told,
    unjudged,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abicheck.model.process import Binding
    from abicheck.model.report import Remedy, Report, Result, TreeEntry

_MAX_FINDINGS = 10
#: From so many distributions on that only load they are folded.
_FOLDED = 3
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
    told = grid.lines(report) if is_grid(report) else _blocks(report)
    return join([*told, _Line(figures(report))] if report.results else [], colour=colour)


def described(result: Result) -> str:
    """One result as plain text, without what was asked for beside the verdict."""
    return join(list(_result(result._replace(tree=None, bindings=None), None)), colour=False)


def _blocks(report: Report) -> Iterator[_Line]:
    """What has something to say, a block each; then what only loads, a line each or folded, host by host."""
    by_place: dict[str, list[Result]] = {}
    for result in report.results:
        if is_brief(result, report.required) and result.tree is None and result.bindings is None:
            by_place.setdefault(place(result), []).append(result)
        else:
            yield from _result(result, report.symbol)
            yield _Line()
    for where, results in by_place.items():
        distributions = [result for result in results if not result.artifact.is_file]
        folded = distributions if len(distributions) >= _FOLDED else []
        for result in results:
            if not folded or result.artifact.is_file:
                yield _verdict(result)
                yield from _asides(result)
        yield from _fold(folded, where)
    if by_place:
        yield _Line()


def _fold(results: Sequence[Result], where: str) -> Iterator[_Line]:
    """Distributions that load on one host, as many in a line as it holds."""
    if results:
        yield _Line(f" {_count(len(results), 'distribution')} load on {escape(where)}", *SIGNS["loads"])
        native = [title(result) for result in results if not has_no_code(result)]
        others = [title(result) for result in results if has_no_code(result)]
        yield from listed("", native)
        yield from listed("no native code: ", others)
        for each in dict.fromkeys(each for result in results for each in limits(result)):
            name, verdict = escape(each[0]), each[1]
            what = f"whether {name} loads is not known" if verdict == "depends" else f"on the CPU only ({name} does not load)"
            yield from listed(f"{what}: ", [title(result) for result in results if each in limits(result)])
        notes = sum(finding.rule != NO_CODE for result in results for finding in result.findings)
        aside = [*unjudged(results), *([_count(notes, "note") + " (--format json)"] if notes else [])]
        yield from listed("", aside)


def _verdict(result: Result) -> _Line:
    return _Line(f" {escape(title(result))} {does(result)} {escape(place(result))}", *SIGNS[result.verdict])


def _result(result: Result, symbol: str | None) -> Iterator[_Line]:
    yield _verdict(result)
    yield from _paragraph([f"  {escape(sentence)}" for sentence in depends_on(result)])
    if result.predicted is not None:
        known = "as it stands: " if result.verdict == "depends" else ""
        yield from _paragraph([f"  {known}{escape(raised(result))}"])
    problems = [finding for finding in result.findings if finding.severity != "note"]
    if problems:
        yield _Line()
    advised: set[Remedy] = set()
    for finding, lines in told(problems[:_MAX_FINDINGS], result):
        likely = "" if finding.confidence == "certain" else f" ({finding.confidence})"
        at = f" at {escape(finding.location)}" if finding.location else ""
        yield _Line(f" · {escape(finding.object)}{at}{likely}", f"  {finding.rule}", "bold")
        yield from (_Line(f"    {escape(line)}") for line in lines)
        yield from (_Line(f"    → {escape(advice(remedy))}") for remedy in finding.remedies if remedy not in advised)
        advised.update(finding.remedies)
    if len(problems) > _MAX_FINDINGS:
        yield _Line(f"  and {len(problems) - _MAX_FINDINGS:,} more (all of them: --format json)")
    asides = list(_asides(result))
    yield from (_Line(), *asides) if asides else ()
    if result.tree is not None:
        yield _Line()
        yield from tree(result.tree)
        yield from (_Line(f"  not judged: {escape(path)}: {escape(reason)}") for path, reason in result.unjudged)
    if result.bindings is not None:
        yield _Line()
        yield from bindings(result.bindings, symbol or "")


def _paragraph(lines: Sequence[str]) -> Iterator[_Line]:
    if lines:
        yield _Line()
        yield from map(_Line, lines)


def _asides(result: Result) -> Iterator[_Line]:
    """What was not judged, only counted unless all is to be listed, and the notes, a line each."""
    if result.tree is None:
        yield from (_Line(f"  {line}") for line in unjudged([result]))
    yield from (_Line(f"  {escape(limit(*each))}") for each in limits(result))
    yield from (_Line(f"  {escape(line)}") for line in excuses(result))
    for finding in result.findings:
        if finding.severity == "note" and finding.rule != NO_CODE:
            yield _Line(f"  note: {escape(finding.object)}: {escape(finding.message)} ({finding.rule})")


def tree(entries: tuple[TreeEntry, ...]) -> Iterator[_Line]:
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


def bindings(found: tuple[Binding, ...], symbol: str) -> Iterator[_Line]:
    """What each object that refers to the symbol gets it from, and where that was searched."""
    if not found:
        yield _Line(f"  no object that was loaded refers to {escape(symbol)}")
    for binding in found:
        wanted = f"{binding.symbol}@{binding.version}" if binding.version else binding.symbol
        weak = " weakly" if binding.weak else ""
        yield _Line(f"  {escape(binding.referrer)} refers{weak} to {escape(wanted)}")
        if binding.provider is not None:
            version = f" as version {escape(binding.provider_version)}" if binding.provider_version else ""
            yield _Line(f"    defined in {escape(binding.provider or 'the program')}{version}")
        else:
            yield _Line("    defined nowhere")
        yield _Line(f"    searched: {', '.join(escape(each or 'the program') for each in binding.searched)}")

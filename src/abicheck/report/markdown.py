"""The report as markdown, to paste into an issue or a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.report.grid import markdown as grid
from abicheck.report.grid.arrange import is_grid
from abicheck.report.markup import advice, block, code, text
from abicheck.report.words import (
    NO_CODE,
    SIGNS,
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
    from collections.abc import Iterator

    from abicheck.model.report import Finding, Report, Result

_MAX_FINDINGS = 20


def render(report: Report) -> str:
    """A table where there are several results, a section for each that has something to say, and the figures."""
    return "\n\n".join(_blocks(report)) + "\n" if report.results or report.errors else ""


def _blocks(report: Report) -> Iterator[str]:
    yield from grid.blocks(report) if is_grid(report) else _results(report)
    if report.errors:
        yield "\n".join(f"- not judged: {code(failure.target)}: {text(failure.message)}" for failure in report.errors)
    if report.expired:
        yield "\n".join(f"- {code(failure.target)}: {text(failure.message)}" for failure in report.expired)
    yield f"{text(figures(report))} · abicheck {text(report.tool.version)}"


def _results(report: Report) -> Iterator[str]:
    several = len(report.results) > 1
    if several:
        yield "\n".join(_table(report))
    for result in report.results:
        if not (several and is_brief(result, report.required)):
            yield from _section(result)


def _table(report: Report) -> Iterator[str]:
    """Artifacts by hosts."""
    hosts = list(dict.fromkeys(result.host.name for result in report.results))
    cells: dict[str, dict[str, list[str]]] = {}
    for result in report.results:
        cells.setdefault(title(result), {}).setdefault(result.host.name, []).append(_cell(result))
    yield f"| artifact | {' | '.join(map(text, hosts))} |"
    yield "|---" * (len(hosts) + 1) + "|"
    for artifact, by_host in cells.items():
        yield f"| {text(artifact)} | {' | '.join('<br>'.join(by_host.get(host, ())) for host in hosts)} |"


def _cell(result: Result) -> str:
    says = "no native code" if has_no_code(result) else does(result).removesuffix(" on")
    return f"{SIGNS[result.verdict][0]} {says}"


def _section(result: Result) -> Iterator[str]:
    yield f"### {SIGNS[result.verdict][0]} {text(title(result))} {does(result)} {text(place(result))}"
    yield from (text(sentence) for sentence in depends_on(result))
    if result.predicted is not None:
        if result.verdict == "depends":
            yield "As it stands:"
        yield block(raised(result))
    problems = [finding for finding in result.findings if finding.severity != "note"]
    notes = [finding for finding in result.findings if finding.severity == "note" and finding.rule != NO_CODE]
    lines = [line for finding, texts in told(problems[:_MAX_FINDINGS], result) for line in _finding(finding, texts)]
    if len(problems) > _MAX_FINDINGS:
        lines.append(f"- and {len(problems) - _MAX_FINDINGS:,} more")
    lines += [f"- {text(line)}" for line in unjudged([result])]
    lines += [f"- {text(limit(*each))}" for each in limits(result)]
    lines += [f"- {text(line)}" for line in excuses(result)]
    lines += [f"- note: {code(note.object)}: {text(note.message)} ({note.rule})" for note in notes]
    if lines:
        yield "\n".join(lines)


def _finding(finding: Finding, texts: list[str]) -> Iterator[str]:
    likely = "" if finding.confidence == "certain" else f" ({finding.confidence})"
    message, *evidence = texts or [""]
    at = f" at {code(finding.location)}" if finding.location else ""
    yield f"- **{finding.rule}**{likely} · {code(finding.object)}{at}" + (f"<br>{text(message)}" if message else "")
    yield from (f"  - {code(line)}" for line in evidence)
    yield from (f"  - → {advice(remedy)}" for remedy in finding.remedies)

"""The report as one SARIF document; the limits are those of GitHub's code scanning."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from abicheck.report.lines import escape
from abicheck.report.rules import markdown_page, one_line, render_page
from abicheck.report.sarif import places, texts
from abicheck.report.sarif.problems import SEVERITIES, VERDICTS, problems
from abicheck.report.words import title

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from abicheck.model.report import Report
    from abicheck.model.rule import Page
    from abicheck.report.sarif.problems import Problem

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#: A file with more results in a run is refused; a longer description of a rule is not taken.
_MOST_RESULTS, _MOST_DESCRIPTION = 25_000, 1_000


def render(report: Report, pages: Iterable[Page], base: str) -> str:
    """The report as SARIF 2.1.0 with the rules of `pages`; paths below the directory `base` are told from there."""
    groups = _groups(report, base)
    left_out = len(groups) - _MOST_RESULTS
    groups = sorted(groups, key=_severity)[:_MOST_RESULTS]
    rules = sorted({group[0].finding.rule for group in groups})
    known = {page.name: page for page in pages}
    run = {
        "tool": {"driver": {**report.tool._asdict(), "rules": [_rule(name, known.get(name)) for name in rules]}},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report, left_out)],
        "results": [_result(group, rules.index(group[0].finding.rule), base) for group in groups],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _groups(report: Report, base: str) -> list[list[Problem]]:
    """What is one problem: a rule of one object of one artifact, on whichever hosts and for whichever Pythons."""
    found: dict[tuple[str, bool], list[Problem]] = {}
    for problem in problems(report):
        found.setdefault((_fingerprint(problem, base), problem.ignored), []).append(problem)
    return list(found.values())


def _fingerprint(problem: Problem, base: str) -> str:
    finding, result = problem.finding, problem.result
    parts = (finding.rule, result.variant, *places.anchor(result.artifact, finding, base))
    return sha256("\0".join(map(escape, parts)).encode()).hexdigest()[:32]


def _severity(group: Sequence[Problem]) -> int:
    return min(SEVERITIES.index(problem.finding.severity) for problem in group)


def _result(group: Sequence[Problem], rule_index: int, base: str) -> dict[str, Any]:
    finding, result, _, ignored = group[0]
    fingerprint = _fingerprint(group[0], base)
    where = dict.fromkeys(places.location(each.result.artifact, each.finding, base) for each in group)
    member = escape(f"{title(result)}/{places.member(result.artifact, finding, base)}")
    told = {
        "ruleId": finding.rule,
        "ruleIndex": rule_index,
        "level": SEVERITIES[_severity(group)],
        "message": texts.message(group),
        "locations": [places.document(file, line, member) for file, line in where][:10],
        # Code scanning reads only the first one, which would else be made of a line of the file.
        "partialFingerprints": {"primaryLocationLineHash": f"{fingerprint}:1", "abicheck/v1": fingerprint},
        "properties": {
            "artifact": escape(title(result)),
            "hosts": _each(each.result.host.name for each in group),
            "pythons": _each(each.result.python.version or "" for each in group),
            "verdicts": _each(each.result.verdict for each in group),
            "confidence": finding.confidence,
        },
    }
    if ignored:
        justification = "left out by --select or --ignore"
        told["suppressions"] = [{"kind": "external", "status": "accepted", "justification": justification}]
    return told


def _each(names: Iterable[str]) -> list[str]:
    return [escape(name) for name in dict.fromkeys(names) if name]


def _rule(name: str, page: Page | None) -> dict[str, Any]:
    """The descriptor of a rule, from its page or from what is known of a verdict."""
    if page is None:
        summary, meaning = VERDICTS.get(name, (name, name))
        return _descriptor(name, "warning" if name == "depends" else "error", summary, meaning, {"text": meaning})
    page_help = {"text": render_page(page), "markdown": markdown_page(page)}
    return _descriptor(name, page.severity, one_line(page.summary), one_line(page.why), page_help)


def _descriptor(name: str, severity: str, summary: str, why: str, page_help: Mapping[str, str]) -> dict[str, Any]:
    full = why if len(why) <= _MOST_DESCRIPTION else f"{why[: _MOST_DESCRIPTION - 1]}…"
    return {
        "id": name,
        "name": name,
        "shortDescription": {"text": summary},
        "fullDescription": {"text": full},
        "help": dict(page_help),
        "defaultConfiguration": {"level": severity},
        "properties": {"problem.severity": "recommendation" if severity == "note" else severity, "tags": ["abi"]},
    }


def _invocation(report: Report, left_out: int) -> dict[str, Any]:
    """How the run went; what could not be judged makes it no success."""
    told = [("error", f"{escape(failure.target)}: {escape(failure.message)}") for failure in report.errors]
    if left_out > 0:
        told.append(("warning", f"{left_out:,} results, the least severe, are left out: code scanning takes {_MOST_RESULTS:,}"))
    return {
        "executionSuccessful": not report.errors,
        "exitCode": report.exit_code,
        "toolExecutionNotifications": [{"level": level, "message": {"text": texts.plain_text(text)}} for level, text in told],
    }

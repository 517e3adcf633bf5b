"""The report as JUnit XML, a suite for each host, and what every report as JUnit XML has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import escape as escape_text
from xml.sax.saxutils import quoteattr

from abicheck.report.lines import escape
from abicheck.report.terminal import described
from abicheck.report.words import depends_on, is_brief, limit, raised, title

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Literal

    from abicheck.model.report import Failure, Report, Result


class Outcome(NamedTuple):
    """What became of a case that did not pass: in a line, its class, and in full."""

    tag: Literal["failure", "error", "skipped"]
    message: str
    type: str | None = None
    text: str = ""


class Case(NamedTuple):
    """A test case: `output` is what it tells besides; `seconds` None where its time was not taken."""

    classname: str
    name: str
    outcome: Outcome | None = None
    output: str = ""
    seconds: float | None = None


class Suite(NamedTuple):
    """Test cases that belong together."""

    name: str
    cases: Sequence[Case]
    seconds: float | None = None


def render(report: Report) -> str:
    """The report as a suite for each host; what could not be judged and ignores that have expired in others.

    Red is what makes the exit code other than 0, `depends` included: as "skipped" it would pass for green.
    """
    hosts: dict[str, list[Case]] = {}
    for result in report.results:
        hosts.setdefault(result.host.name, []).append(_case(result, report.required))
    suites = [Suite(name, cases) for name, cases in hosts.items()]
    for name, troubles in (("not judged", report.errors), ("expired ignores", report.expired)):
        suites += [Suite(name, failures(troubles, name))] if troubles else []
    return written(suites, report.seconds)


def failures(errors: Iterable[Failure], classname: str) -> list[Case]:
    """What could not be done, a case each."""
    return [Case(classname, error.target, Outcome("error", error.message)) for error in errors]


def written(suites: Sequence[Suite], seconds: float | None = None) -> str:
    """The suites as XML that holds foreign text, whatever is in it; `seconds` is what all of them took together."""
    total = _attributes({"time": _seconds(seconds)})
    lines = ['<?xml version="1.0" encoding="utf-8"?>', f"<testsuites{total}>"]
    return "\n".join([*lines, *(line for suite in suites for line in _suite(suite)), "</testsuites>"]) + "\n"


def _case(result: Result, required: Sequence[str]) -> Case:
    python = f", Python {result.python.version}" if result.python.version else ""
    outcome, text = _outcome(result, required), "" if is_brief(result, required) else described(result)
    if outcome is not None and outcome.tag == "failure":
        outcome, text = outcome._replace(text=text), ""
    return Case(result.host.name, f"{title(result)}{python}", outcome, text)


def _outcome(result: Result, required: Sequence[str]) -> Outcome | None:
    """What the result means for the exit code, the worst first."""
    said = raised(result) or result.verdict
    errors = [finding for finding in result.findings if finding.severity == "error"]
    if result.verdict in ("fails", "not-installable") and (result.counts or "cpu" in required):
        return Outcome("failure", said, errors[0].rule if errors else result.verdict)
    if errors:
        return Outcome("failure", errors[0].message, errors[0].rule)
    needed = [each for each in result.capabilities if each[0] in required and each[0] != "cpu"]
    for wanted in ("fails", "depends"):
        for name, verdict in needed:
            if verdict == wanted:
                return Outcome("failure", limit(name, verdict), verdict)
    if result.verdict == "depends":
        return Outcome("failure", " ".join(depends_on(result)) or said, result.verdict)
    return Outcome("skipped", f"ignored: {said}") if result.verdict != "loads" else None


def _suite(suite: Suite) -> Iterator[str]:
    tags = [case.outcome.tag for case in suite.cases if case.outcome is not None]
    numbers = {
        "name": suite.name,
        "tests": len(suite.cases),
        "failures": tags.count("failure"),
        "errors": tags.count("error"),
        "skipped": tags.count("skipped"),
        "time": _seconds(suite.seconds),
    }
    yield f"<testsuite{_attributes(numbers)}>"
    for case in suite.cases:
        yield from _lines(case)
    yield "</testsuite>"


def _lines(case: Case) -> Iterator[str]:
    inner = []
    if case.outcome is not None:
        tag, message, kind, text = case.outcome
        start = f"{tag}{_attributes({'type': kind, 'message': message})}"
        inner.append(f"<{start}>{_text(text)}</{tag}>" if text else f"<{start}/>")
    if case.output:
        inner.append(f"<system-out>{_text(case.output)}</system-out>")
    start = f"testcase{_attributes({'classname': case.classname, 'name': case.name, 'time': _seconds(case.seconds)})}"
    yield "\n".join((f"<{start}>", *inner)) + "</testcase>"


def _seconds(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds:.3f}"


def _attributes(values: dict[str, object]) -> str:
    """Those that are not None, each with a blank before it."""
    return "".join(f" {name}={quoteattr(escape(str(value)))}" for name, value in values.items() if value is not None)


def _text(foreign: str) -> str:
    """Text as XML may hold it: what is no printable character is written as an escape, line by line."""
    return escape_text("\n".join(map(escape, foreign.splitlines())))

"""The sentences of a report that every format for readers has in common. Foreign text in them is not yet escaped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from abicheck.report.lines import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abicheck.model.process import Missing
    from abicheck.model.report import Finding, Remedy, Report, Result, Verdict

#: The sign of each verdict, and its style on a terminal.
SIGNS: dict[Verdict, tuple[str, str]] = {
    "loads": ("✓", "green"),
    "fails": ("✗", "bold red"),
    "not-installable": ("✗", "bold red"),
    "depends": ("?", "yellow"),
}
#: The rule that says of a distribution what its verdict says already.
NO_CODE = "no-native-code"
#: What a cell says where a capability beside the CPU's is not there.
CPU_ONLY = "CPU only"
#: The end of a rule's name that the sign of a failure says as well.
_UNSAID = re.compile("-(refused|mismatch|exhausted|unsupported)$")
_DOES: dict[Verdict, str] = {
    "loads": "loads on",
    "fails": "does not load on",
    "depends": "may or may not load on",
    "not-installable": "cannot be installed on",
}
_STARTS = {"loads": "starts on", "fails": "does not start on", "depends": "may or may not start on"}
_DEPENDS = {
    "cuda": "Its use of cuda depends on this: {reason}.",
    "import-order": "Import {reason}.",
    "load-order": "In which order its libraries are opened is not known: {reason}.",
    "preload": "What it opens by itself is not known: {reason}.",
}


def title(result: Result) -> str:
    """A distribution by its name and version, a file by its path as it was given; then what sets it apart."""
    artifact = result.artifact
    named = artifact.path if artifact.version is None else f"{artifact.name} {artifact.version}"
    return f"{named}, {result.variant}" if result.variant else named


def place(result: Result) -> str:
    """The host with what decides there: `debian:13 (glibc 2.41, Python 3.12, x86_64)`."""
    facts = result.host.facts(result.python.version)
    return f"{result.host.name} ({facts})" if facts else result.host.name


def has_no_code(result: Result) -> bool:
    """Tell whether there is nothing in the artifact that could be loaded."""
    return any(finding.rule == NO_CODE for finding in (*result.findings, *result.ignored))


def is_brief(result: Result, required: Sequence[str]) -> bool:
    """Tell whether all is well, what is required included, and the verdict all there is to say."""
    fine = result.verdict == "loads" and not any(name in required for name, _ in limits(result))
    return fine and all(finding.severity == "note" for finding in result.findings)


def does(result: Result) -> str:
    """The verdict as the words between the artifact and the host."""
    if has_no_code(result):
        return "has no native code and loads on"
    starts = bool(result.roots) and all(root.kind == "executable" for root in result.roots)
    return _STARTS.get(result.verdict, _DOES[result.verdict]) if starts else _DOES[result.verdict]


def short_reason(result: Result) -> str:
    """Why, in a few words for a cell of a grid; "" where the verdict says it all."""
    if result.verdict == "not-installable":
        return "no wheel"
    if result.verdict == "fails":
        errors = (finding.rule for finding in (*result.findings, *result.ignored) if finding.severity == "error")
        return _UNSAID.sub("", next(errors, "")).replace("-", " ")
    parts = [missing.fact.replace("-", " ") for missing in result.missing_facts][:1] if result.verdict == "depends" else []
    parts += ["no native code"] if has_no_code(result) else []
    problems = sum(finding.severity != "note" for finding in result.findings)
    parts += [count(problems, "warning")] if problems and not parts else []
    limited = dict(limits(result))
    parts += [CPU_ONLY] if "fails" in limited.values() else [f"{name} not known" for name in limited][:1]
    return ", ".join(parts)


def depends_on(result: Result) -> list[str]:
    """What must be known for a verdict, a sentence each."""
    return [
        _DEPENDS.get(missing.fact, "It depends on {fact}: {reason}.").format_map(_plain(missing))
        for missing in result.missing_facts
    ]


def _plain(missing: Missing) -> dict[str, str]:
    return {"fact": missing.fact.replace("-", " "), "reason": missing.reason}


def raised(result: Result) -> str:
    """The loader's text, with what Python puts before it where an import of a distribution raises it."""
    text = result.predicted or ""
    kinds = [root.kind for root in result.roots if root.predicted == result.predicted]
    imported = not result.artifact.is_file and kinds[:1] == ["extension"]
    return f"ImportError: {text}" if imported and not text.startswith(("signal: ", "exit ", "python: ")) else text


def told(findings: Sequence[Finding], result: Result) -> Iterator[tuple[Finding, list[str]]]:
    """Each finding with its message and evidence, without what has been told as the loader's text.

    Of several findings of one rule only the first one's evidence is told: the others' is much the same.
    """
    seen: set[str] = set()
    for finding in findings:
        lines = [line for line in dict.fromkeys((finding.message, *finding.evidence)) if line and line != result.predicted]
        yield finding, lines[:1] if finding.rule in seen else lines
        seen.add(finding.rule)


def advice(remedy: Remedy) -> str:
    """What to do, with the command that does it."""
    return remedy.text + (f": {remedy.command}" if remedy.command else "")


def limit(name: str, verdict: Verdict) -> str:
    """What it means that a capability is not there, or not known to be."""
    if verdict == "depends":
        return f"whether the libraries load that it opens by name for {name} is not known"
    return f"on the CPU only: the libraries that it opens by name for {name} do not load here"


def limits(result: Result) -> list[tuple[str, Verdict]]:
    """The capabilities that it lacks or may lack on the host, though the rest may load; the CPU's is the verdict itself."""
    return [each for each in result.capabilities if each[0] != "cpu" and each[1] not in ("loads", result.verdict)]


def unjudged(results: Sequence[Result]) -> Iterator[str]:
    """How many binaries were not judged: those for something else, and those that nothing loads."""
    reasons = [reason for result in results for _, reason in result.unjudged]
    foreign = sum(reason.startswith(("an extension for", "built for")) for reason in reasons)
    for number, what in ((foreign, "for other Pythons or machines"), (len(reasons) - foreign, "that nothing loads")):
        if number:
            yield f"{number:,} {'binary' if number == 1 else 'binaries'} {what}"


def excuses(result: Result) -> list[str]:
    """Why errors of it do not count, where the project has decided that: a line each."""
    told = (f"{each.rule} does not count ({each.excuse})" for each in result.ignored if each.severity == "error" and each.excuse)
    return list(dict.fromkeys(told))


def figures(report: Report) -> str:
    """The line of figures: `1 artifact · 1 host · 4 objects · 3,412 symbols bound · 1 error, 1 warning · 0.2 s`."""
    results = report.results
    severities = [finding.severity for result in results for finding in result.findings]
    files = all(result.artifact.is_file for result in results)
    found = [count(severities.count("error"), "error")]
    found += [count(severities.count("warning"), "warning")] if "warning" in severities else []
    left_out = list(_left_out(results))
    return " · ".join(
        (
            count(len({(result.artifact.path, result.artifact.name) for result in results}), "file" if files else "artifact"),
            count(len({result.host.name for result in results}), "host"),
            count(sum(result.objects for result in results), "object"),
            count(sum(result.references for result in results), "symbol") + " bound",
            ", ".join(found),
            *((", ".join(left_out),) if left_out else ()),
            *((_outdated(report.outdated),) if report.outdated else ()),
            *((f"{len(report.errors):,} not judged",) if report.errors else ()),
            *((count(len(report.expired), "expired ignore"),) if report.expired else ()),
            *((report.configured,) if report.configured else ()),
            f"{report.seconds:.1f} s",
        )
    )


def _outdated(number: int) -> str:
    return f"{number:,} {'entry' if number == 1 else 'entries'} of the baseline no longer found; write it again"


def _left_out(results: Sequence[Result]) -> Iterator[str]:
    """How many findings do not count, the errors first, and who says so: `2 ignored errors by pyproject.toml`."""
    ignored = [finding for result in results for finding in result.ignored]
    for severity in ("error", "warning", "note"):
        phrases = [_ignored(finding) for finding in ignored if finding.severity == severity]
        for adjective, by in dict.fromkeys(phrases):
            yield count(phrases.count((adjective, by)), f"{adjective} {severity}") + by


def _ignored(finding: Finding) -> tuple[str, str]:
    if finding.excuse is None:
        return "ignored", ""
    return ("known", " of the baseline") if finding.excuse.by is None else ("ignored", f" by {finding.excuse.by}")

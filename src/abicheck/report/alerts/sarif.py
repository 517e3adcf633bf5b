"""Alerts as SARIF 2.1.0: a run of one tool, its rules, and what they found; the limits are those of GitHub's code scanning.

https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
"""

from __future__ import annotations

import json
import posixpath
import re
from typing import TYPE_CHECKING, Any

from abicheck.report.alerts import places
from abicheck.report.rules import markdown_page, one_line, render_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from abicheck.model.rule import Page
    from abicheck.report.alerts.alert import Alert, Alerts, Place, Unjudged

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#: A file with more results in a run is refused; a longer description of a rule, and further locations, are not taken.
_MOST_RESULTS, _MOST_DESCRIPTION, _MOST_PLACES = 25_000, 1_000, 10
#: Nor is a foreign text without end.
_MOST_CHARACTERS = 8_000
#: What a viewer would take for a link or, though there are no arguments, for one's place (SARIF 2.1.0, 3.11.5 and 3.11.6).
_LINK, _ARGUMENT = re.compile(r"(?<!\\)\[(?=[^\[\]]*\]\()"), re.compile(r"\{([0-9]+)\}")
_ROOT = "%SRCROOT%"
#: What has no page, because the verdict or the change says it: its severity, in a sentence, and what it means.
WITHOUT_PAGE = {
    "depends": (
        "warning",
        "Whether it loads depends on something that is not known.",
        "A fact that decides is not known of the host, or another import must come first. Until it is known, this is no promise.",
    ),
    "fails": ("error", "It does not load.", "The loader refuses it, with the text that the result begins with."),
    "not-installable": ("error", "It cannot be installed.", "An installer finds no wheel for this Python and this machine."),
    "capability-missing": (
        "error",
        "A capability that is required is not there.",
        "The libraries that it opens by name for this do not load, or it is not known whether they do; --require counts it.",
    ),
}


def render(found: Alerts, pages: Iterable[Page]) -> str:
    """The alerts as a SARIF document with the rules of `pages`."""
    alerts = found.alerts[:_MOST_RESULTS]
    names = sorted({alert.rule for alert in alerts})
    numbers = {name: number for number, name in enumerate(names)}
    known = {page.name: page for page in pages}
    run = {
        "tool": {"driver": {**found.tool._asdict(), "rules": [_rule(name, known.get(name)) for name in names]}},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The directory that abicheck ran in."}}},
        "invocations": [_invocation(found, len(found.alerts) - len(alerts))],
        "results": [_result(alert, numbers[alert.rule]) for alert in alerts],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _result(alert: Alert, rule_index: int) -> dict[str, Any]:
    name = f"{alert.subject}/{alert.part}"
    logical = {"name": posixpath.basename(name), "fullyQualifiedName": name, "kind": "module"}
    told = {
        "ruleId": alert.rule,
        "ruleIndex": rule_index,
        "level": alert.severity,
        "message": {"text": _plain(alert.message.text), "markdown": _cut(alert.message.markdown)},
        "locations": [{**_location(place), "logicalLocations": [logical]} for place in alert.places[:_MOST_PLACES]],
        # Code scanning reads only the first one, which would else be made of a line of the file.
        "partialFingerprints": {"primaryLocationLineHash": f"{alert.fingerprint}:1", "abicheck/v1": alert.fingerprint},
        "properties": alert.properties,
    }
    if alert.ignored:
        justification = "left out by --select or --ignore"
        told["suppressions"] = [{"kind": "external", "status": "accepted", "justification": justification}]
    return told


def _location(place: Place) -> dict[str, Any]:
    """A place in a file; code scanning shows nothing that has no line."""
    uri = places.uri(place.file)
    base = {} if uri.startswith("file:") else {"uriBaseId": _ROOT}
    return {"physicalLocation": {"artifactLocation": {"uri": uri, **base}, "region": {"startLine": place.line or 1}}}


def _rule(name: str, page: Page | None) -> dict[str, Any]:
    """The descriptor of a rule, from its page or from what is known of it without one."""
    if page is None:
        severity, summary, meaning = WITHOUT_PAGE[name]
        return _descriptor(name, severity, summary, meaning, {"text": meaning})
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


def _invocation(found: Alerts, left_out: int) -> dict[str, Any]:
    """How the run went; what could not be judged makes it no success."""
    told = [_notification(error) for error in found.errors]
    if left_out:
        text = f"{left_out:,} results, the least severe, are left out: code scanning takes {_MOST_RESULTS:,}"
        told.append({"level": "warning", "message": {"text": text}})
    return {"executionSuccessful": not found.errors, "exitCode": found.exit_code, "toolExecutionNotifications": told}


def _notification(error: Unjudged) -> dict[str, Any]:
    where = {"locations": [_location(error.place)]} if error.place is not None else {}
    return {"level": "error", "message": {"text": _plain(error.text)}, **where}


def _plain(text: str) -> str:
    """Plain text as SARIF has it, with neither links nor arguments."""
    return _cut(_LINK.sub(r"\\[", text))


def _cut(text: str) -> str:
    literal = _ARGUMENT.sub(r"{{\1}}", text)
    return literal if len(literal) <= _MOST_CHARACTERS else f"{literal[: _MOST_CHARACTERS - 1]}…"

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
    from abicheck.report.alerts.alert import Alert, Alerts, Place, Trouble

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#: A file with more results in a run is refused; a longer description of a rule, and further locations, are not taken.
_MOST_RESULTS, _MOST_DESCRIPTION, _MOST_PLACES = 25_000, 1_000, 10
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
    "newly-fails": ("error", "It loaded before the upgrade, and does not now.", "The loader refuses the new release."),
    "newly-not-installable": (
        "error",
        "Before the upgrade there was a wheel, now there is none.",
        "An installer finds no wheel of the new release for this Python and this machine.",
    ),
    "newly-depends": (
        "warning",
        "It loaded before the upgrade; whether it does now is not known.",
        "A fact that decides is not known of the host, or another import must come first.",
    ),
    "narrowed": (
        "warning",
        "It loads on fewer glibc releases than before.",
        "Hosts with an older or a newer glibc are shut out, though none of those that were asked about.",
    ),
    "python-dropped": (
        "warning",
        "It has no wheel any more for a Python.",
        "Whoever has that Python cannot take the new release.",
    ),
    "gpu-changed": (
        "warning",
        "It asks for another major of CUDA or cuDNN.",
        "The driver and the libraries of the GPU must be of that major, or it runs on the CPU only.",
    ),
    "yanked": (
        "warning",
        "Its maintainers have taken the new release back.",
        "It is yanked on the index, and installed only because it is pinned: read the reason, and pin another release.",
    ),
    "libraries-added": (
        "warning",
        "It asks the host for further libraries.",
        "They do not come with it: where the host lacks one it does not load.",
    ),
    "trait-added": (
        "warning",
        "It asks more of the machine than before.",
        "An executable stack, a newer kernel or a higher level of the CPU: where the host lacks it, it does not load.",
    ),
    "still-fails": ("note", "It does not load, neither before the upgrade nor after.", "The upgrade does not change it."),
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
        "message": {"text": _plain(alert.message.text), "markdown": _literal(alert.message.markdown)},
        "locations": [{**_location(place), "logicalLocations": [logical]} for place in alert.places[:_MOST_PLACES]],
        # Code scanning reads only the first one, which would else be made of a line of the file.
        "partialFingerprints": {"primaryLocationLineHash": f"{alert.fingerprint}:1", "abicheck/v1": alert.fingerprint},
        "properties": alert.properties,
    }
    if alert.ignored is not None:
        told["suppressions"] = [{"kind": "external", "status": "accepted", "justification": alert.ignored}]
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


def _notification(error: Trouble) -> dict[str, Any]:
    where = {"locations": [_location(error.place)]} if error.place is not None else {}
    return {"level": "error", "message": {"text": _plain(error.text)}, **where}


def _plain(text: str) -> str:
    """Plain text as SARIF has it, with neither links nor arguments."""
    return _literal(_LINK.sub(r"\\[", text))


def _literal(text: str) -> str:
    return _ARGUMENT.sub(r"{{\1}}", text)

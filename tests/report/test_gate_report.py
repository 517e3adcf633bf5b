from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, get_args

import jsonschema
import pytest
from junitparser import JUnitXml

from abicheck.api.rules import rules
from abicheck.model.gate import SEVERITIES, Change, ChangeKind, GateReport
from abicheck.model.report import Failure, Remedy, Tool
from abicheck.report.alerts import gate as alerts
from abicheck.report.alerts import github, sarif
from abicheck.report.gate import json as as_json
from abicheck.report.gate import junit, markdown, terminal
from tests.report.sarif_standard import VALIDATOR

SCHEMA: dict[str, Any] = json.loads((files("abicheck.report") / "schema/gate.json").read_text(encoding="utf-8"))
FAILS = Change(
    "newly-fails", "demo", "1.0", "2.0", "does not load", ("debian:13",), "lib\x1b: no", (Remedy("upgrade", "take 3.0", "pip"),)
)
NARROWED = Change("narrowed", "demo", "1.0", "2.0", "needs glibc 2.27 or newer (before: 2.17)")
REPORT = GateReport(
    Tool("abicheck", "0.1.0"), "demo==1.0", "demo==2.0", ("debian:13",), (FAILS, NARROWED), 3, (Failure("other", "gone"),), 1.25
)


def test_a_line_a_change() -> None:
    assert terminal.render(REPORT, colour=False).splitlines() == [
        "✗ 1 change for the worse on debian:13 · 2 changes · 3 unchanged · 1.2 s",
        "",
        "  ✗ demo 1.0 → 2.0 does not load on debian:13",
        "      lib\\x1b: no",
        "      → take 3.0: pip",
        "  ! demo 1.0 → 2.0 needs glibc 2.27 or newer (before: 2.17)",
    ]


def test_the_verdict_names_the_hosts_that_are_worse() -> None:
    report = REPORT._replace(hosts=("debian:12", "debian:13"))
    assert terminal.render(report, colour=False).startswith("✗ 1 change for the worse on debian:13 · ")


def test_one_line_where_all_is_well() -> None:
    quiet = REPORT._replace(changes=(), errors=())
    assert terminal.render(quiet, colour=False) == "✓ nothing loads worse on debian:13 · 0 changes · 3 unchanged · 1.2 s\n"
    assert terminal.render(quiet._replace(hosts=()), colour=False).startswith("✓ it asks for the same · ")
    narrower = REPORT._replace(hosts=(), changes=(NARROWED,), errors=())
    assert terminal.render(narrower, colour=False).startswith("✓ it asks for more · ")
    assert terminal.render(narrower._replace(hosts=("a", "b")), colour=False).startswith(
        "✓ nothing loads worse on a, b, 1 warning · "
    )


def test_all_is_not_well_where_something_counts_or_was_not_judged() -> None:
    narrower = REPORT._replace(hosts=(), changes=(NARROWED,))
    assert (narrower.exit_code, terminal.render(narrower, colour=False)[:34]) == (4, "? not everything could be compared")
    counted = narrower._replace(fail_on="narrowed")
    assert (counted.exit_code, terminal.render(counted, colour=False)[:24]) == (1, "✗ 1 change for the worse")
    assert markdown.render(counted).startswith("### ✗ 1 change for the worse\n")


def test_a_comment_on_a_pull_request() -> None:
    text = markdown.render(REPORT)
    assert text.startswith("### ✗ 1 change for the worse on debian:13\n\n- ✗ demo 1.0 → 2.0 does not load on debian:13\n")
    assert "- not judged: ``` other ```: gone" in text or "- not judged: `other`: gone" in text
    assert "\x1b" not in text


def test_json_is_valid_and_knows_every_kind() -> None:
    document = json.loads(as_json.render(REPORT))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert [change["severity"] for change in document["changes"]] == ["error", "warning"]
    assert SCHEMA["properties"]["changes"]["items"]["properties"]["kind"]["enum"] == list(get_args(ChangeKind))


PINNED = FAILS._replace(location="locks/uv.lock:12", rule="library-missing", why=("a pin holds it",))


def _sarif(report: GateReport) -> Any:
    document = json.loads(sarif.render(alerts.alerts(report, "/srv"), rules()))
    VALIDATOR.validate(document)
    return document["runs"][0]


def test_code_scanning_sees_what_is_worse_at_the_line_of_the_pin() -> None:
    run = _sarif(REPORT._replace(changes=(PINNED, NARROWED)))
    fails, narrowed = run["results"]
    assert [(each["ruleId"], each["level"]) for each in run["results"]] == [("library-missing", "error"), ("narrowed", "warning")]
    assert fails["message"]["text"] == "demo 1.0 → 2.0 does not load on debian:13\nlib\\x1b: no\na pin holds it\n→ take 3.0: pip"
    assert fails["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "locks/uv.lock", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 12},
    }
    assert narrowed["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "demo==2.0"
    (error,) = run["invocations"][0]["toolExecutionNotifications"]
    assert error["message"]["text"] == "other: gone"
    assert run["invocations"][0]["exitCode"] == 1


@pytest.mark.parametrize("kind", get_args(ChangeKind))
def test_every_kind_but_good_news_has_a_rule_in_code_scanning(kind: ChangeKind) -> None:
    run = _sarif(REPORT._replace(changes=(NARROWED._replace(kind=kind),)))
    told = [(result["ruleId"], result["level"]) for result in run["results"]]
    assert told == ([(kind, SEVERITIES[kind])] if SEVERITIES[kind] != "note" or kind == "still-fails" else [])


def test_a_fingerprint_outlives_versions_and_hosts_and_is_there_once() -> None:
    def prints(*changes: Change) -> list[str]:
        results = _sarif(REPORT._replace(changes=changes))["results"]
        return [result["partialFingerprints"]["primaryLocationLineHash"] for result in results]

    later = PINNED._replace(old="2.0", new="2.1", hosts=("debian:13", "rhel:10"), location="locks/uv.lock:99")
    assert prints(PINNED) == prints(later)
    assert prints(PINNED) != prints(PINNED._replace(location="uv.lock:12"))
    both = prints(NARROWED, NARROWED._replace(text="loads up to glibc 2.40 only (before: on all newer ones)"))
    assert len(set(both)) == 2


def test_annotations_are_at_the_line_of_the_pin_and_the_verdict_comes_last() -> None:
    lines = github.render(alerts.alerts(REPORT._replace(changes=(PINNED, NARROWED)), "/srv")).splitlines()
    told = "demo 1.0 → 2.0 does not load on debian:13%0Alib\\x1b: no%0Aa pin holds it%0A→ take 3.0: pip"
    assert lines == [
        f"::error file=locks/uv.lock,line=12,title=demo 2.0%3A library-missing::{told}",
        "::error title=abicheck::other: gone",
        "::warning title=demo 2.0%3A narrowed::demo 1.0 → 2.0 needs glibc 2.27 or newer (before: 2.17)",
        "✗ 1 change for the worse on debian:13 · 2 changes · 3 unchanged · 1.2 s",
    ]


@pytest.mark.parametrize(("fail_on", "red"), [("new", [True, False, False]), ("narrowed", [True, True, False])])
def test_a_change_is_a_test_that_fails_where_it_shuts_the_gate(fail_on: Any, red: list[bool]) -> None:
    report = REPORT._replace(changes=(PINNED, NARROWED, NARROWED._replace(kind="trait-added")), fail_on=fail_on)
    (suite,) = JUnitXml.fromstring(junit.render(report).encode())
    *cases, error = list(suite)
    assert [bool(case.result) for case in cases] == red
    assert (suite.name, suite.tests, suite.failures, suite.errors) == ("demo==1.0 → demo==2.0", 4, sum(red), 1)
    assert cases[0].result[0].type == "library-missing"
    assert cases[0].result[0].text == "lib\\x1b: no\nlocks/uv.lock:12\na pin holds it\n→ take 3.0: pip"
    assert (error.name, error.result[0].message) == ("other", "gone")


def test_where_nothing_changes_that_is_the_test() -> None:
    (suite,) = JUnitXml.fromstring(junit.render(REPORT._replace(changes=(), errors=())).encode())
    assert [(case.name, case.is_passed) for case in suite] == [("nothing loads worse on debian:13", True)]


def test_many_that_come_and_go_are_told_in_a_line() -> None:
    come = [Change("added", name, None, "1", "is new, and loads", ("a", "b")) for name in "wxyz"]
    gone = [Change("removed", name, "2", None, "is no longer installed", ("a",)) for name in "no"]
    report = REPORT._replace(changes=(*come, *gone), errors=())
    assert terminal.render(report, colour=False).splitlines()[2:] == [
        "  · 4 packages are new, and load on a, b: w 1, x 1, y 1, z 1",
        "  · n 2 is no longer installed on a",
        "  · o 2 is no longer installed on a",
    ]
    assert "- · 4 packages are new, and load on a, b: w 1, x 1, y 1, z 1\n- · n 2" in markdown.render(report)

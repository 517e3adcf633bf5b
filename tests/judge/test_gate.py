from __future__ import annotations

from typing import Any

import pytest

from abicheck.judge.gate import (
    changed_pins,
    compare_exports,
    compare_needs,
    compare_pythons,
    compare_results,
    newly_yanked,
    together,
)
from abicheck.model.elf import Header, SharedObject
from abicheck.model.gate import SEVERITIES, Change, GateReport
from abicheck.model.lock import LockedPackage, Selection
from abicheck.model.report import (
    Artifact,
    Excuse,
    Failure,
    Finding,
    HostSummary,
    PythonSummary,
    Remedy,
    Result,
    Severity,
    Tool,
    Verdict,
    Window,
)
from abicheck.model.requirements import Gpu, HostLibrary, PythonNeed, Requirements, Trait
from tests.judge.rules.environment import distribution

UP_TO_2_40 = Window("2.17", "2.40", "2.44")


def result(
    verdict: Verdict, version: str = "1.0", *, name: str = "demo", host: str = "a", window: Window | None = None
) -> Result:
    return Result(
        artifact=Artifact(name, f"{name}=={version}", "requirement", version),
        host=HostSummary(host, "distribution", "x86_64", "glibc", "2.41"),
        python=PythonSummary("3.12", "cp312", None),
        verdict=verdict,
        predicted=None if verdict == "loads" else "text",
        window=window,
    )


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("loads", "fails", "newly-fails"),
        ("loads", "not-installable", "newly-not-installable"),
        ("loads", "depends", "newly-depends"),
        ("depends", "fails", "newly-fails"),
        ("not-installable", "fails", "newly-fails"),
        ("fails", "loads", "newly-fixed"),
        ("depends", "loads", "newly-fixed"),
        ("fails", "fails", "still-fails"),
        ("fails", "not-installable", "still-fails"),
        ("not-installable", "not-installable", "still-fails"),
        (None, "loads", "added"),
        (None, "fails", "newly-fails"),
        ("loads", None, "removed"),
        ("loads", "loads", None),
        ("depends", "depends", None),
    ],
)
def test_a_verdict_before_and_after(before: Verdict | None, after: Verdict | None, kind: str | None) -> None:
    changes, unchanged = compare_results(
        [result(before)] if before else [],
        [result(after, "2.0")] if after else [],
    )
    assert [change.kind for change in changes] == ([kind] if kind else [])
    assert unchanged == (kind is None)
    if kind in ("newly-fails", "newly-not-installable"):
        assert changes[0].predicted == "text"


def test_a_change_names_the_rule_of_the_first_error_and_the_line_of_the_pin() -> None:
    def found(*findings: Finding, verdict: Verdict = "fails") -> list[tuple[str | None, str | None, tuple[Remedy, ...]]]:
        changes, _ = compare_results([result("loads")], [result(verdict, "2.0")._replace(findings=findings)])
        return [(change.rule, change.location, change.remedies) for change in changes]

    aside = Finding("relative-rpath", "warning", "certain", "a.so", "", remedies=(Remedy("any", "aside"),), location="uv.lock:3")
    errors = [aside._replace(rule=rule, severity="error", remedies=(Remedy("any", rule),)) for rule in ("first", "second")]
    assert found(aside, *errors) == [("first", "uv.lock:3", (Remedy("any", "first"),))]
    assert found(aside, verdict="depends") == [(None, "uv.lock:3", ())]
    assert found() == [(None, None, ())]


@pytest.mark.parametrize(
    ("before", "left", "kind"),
    [
        ("loads", (), "ignored"),
        ("loads", ("warning",), "ignored"),
        ("loads", ("error",), "newly-fails"),
        ("depends", (), "ignored"),
        (None, (), "ignored"),
        ("fails", (), "still-fails"),
    ],
)
def test_what_the_project_ignores_is_a_note(before: Verdict | None, left: tuple[Severity, ...], kind: str) -> None:
    excused = Finding("no-wheel", "error", "certain", "demo", "none", excuse=Excuse("abicheck.toml", "we build it"))
    findings = tuple(Finding("other", severity, "certain", "demo", "bad") for severity in left)
    new = result("fails", "2.0")._replace(findings=findings, ignored=(excused, excused))
    (change,), _ = compare_results([result(before)] if before else [], [new])
    assert change.kind == kind
    assert (change.severity == "note") == (kind != "newly-fails")
    assert ("which is ignored (abicheck.toml: we build it)" in change.text) == (kind == "ignored")


def test_what_is_left_out_without_an_excuse_newly_fails_all_the_same() -> None:
    left_out = Finding("no-wheel", "error", "certain", "demo", "none")
    (change,), _ = compare_results([result("loads")], [result("fails", "2.0")._replace(ignored=(left_out,))])
    assert change.kind == "newly-fails"


def test_hosts_of_which_the_same_is_said_are_told_together() -> None:
    old = [result("loads", host=host) for host in "abc"]
    new = [result("fails", "2.0", host=host) for host in "ab"] + [result("loads", "2.0", host="c")]
    (change,), unchanged = compare_results(old, new)
    assert (change.hosts, change.old, change.new, unchanged) == (("a", "b"), "1.0", "2.0", 1)


def test_a_window_is_told_once_for_all_hosts() -> None:
    old = [result("loads", host=host, window=Window("2.17", None, "2.44")) for host in "ab"]
    new = [result("loads", "2.0", host=host, window=Window("2.27", "2.40", "2.44")) for host in "ab"]
    changes, _ = compare_results(old, new)
    assert [(change.kind, change.text, change.hosts) for change in changes] == [
        ("narrowed", "needs glibc 2.27 or newer (before: 2.17)", ()),
        ("narrowed", "loads up to glibc 2.40 only (before: on all newer ones)", ()),
    ]
    assert [change.kind for change in compare_results(new, old)[0]] == ["widened", "widened"]


def needs(**how: Any) -> Requirements:
    made = Requirements("x86_64", ("glibc",), UP_TO_2_40, (), (), (), (), PythonNeed())
    return made._replace(**how)


def test_what_is_asked_of_any_host() -> None:
    old = needs(
        libraries=(HostLibrary("libz.so.1", (), ()),),
        traits=(Trait("executable-stack", ("a",)), Trait("static-tls", ("a",), "8"), Trait("isa-level", ("a",), "x86-64-v2")),
        gpu=Gpu(("11",), ("8",)),
    )
    new = needs(
        window=UP_TO_2_40._replace(glibc_max=None),
        libraries=(HostLibrary("libssl.so.3", (), ()),),
        traits=(Trait("static-tls", ("a",), "16"), Trait("isa-level", ("a",), "x86-64-v3")),
        gpu=Gpu(("12",), ("8",)),
    )
    assert [(change.kind, change.text) for change in compare_needs("demo", ("1", "2"), old, new)] == [
        ("gpu-changed", "asks for CUDA 12, cuDNN 8, before for CUDA 11, cuDNN 8"),
        ("libraries-added", "needs libssl.so.3"),
        ("trait-added", "asks for isa level x86-64-v3"),
        ("widened", "loads on the newest glibc, too (before: up to 2.40)"),
        ("libraries-dropped", "no longer needs libz.so.1"),
        ("trait-dropped", "no longer asks for executable stack, isa level x86-64-v2"),
    ]
    assert compare_needs("demo", ("1", "1"), old, old) == []


def test_pythons_that_come_and_go() -> None:
    found = compare_pythons("demo", ("1", "2"), {"3.8", "3.9", "3.10"}, {"3.9", "3.10", "3.11", "3.14"})
    assert [(change.kind, change.text) for change in found] == [
        ("python-added", "has wheels for Python 3.11, 3.14, too"),
        ("python-dropped", "has no wheel for Python 3.8 any more"),
    ]
    assert list(compare_pythons("demo", ("1", "2"), {"3.8"}, {"3.8"})) == []


def test_releases_that_were_taken_back() -> None:
    old, new = [
        [distribution(name, version=version, yanked=yanked) for name, version, yanked in each]
        for each in (
            [("stays", "1", "old news"), ("moves", "1", None), ("recovers", "1", "broken")],
            [("stays", "1", "old news"), ("moves", "2", "It segfaults."), ("recovers", "2", None), ("comes", "3", "")],
        )
    ]
    assert [(each.kind, each.package, each.old, each.new, each.text) for each in newly_yanked(old, new)] == [
        ("yanked", "moves", "1", "2", "was taken back by its maintainers (yanked): It segfaults."),
        ("yanked", "comes", None, "3", "was taken back by its maintainers (yanked)"),
    ]


def defining(*names: str) -> SharedObject:
    definitions = dict.fromkeys(names, ())
    return SharedObject(Header(b"", *[0] * (len(Header._fields) - 1)), 0, definitions=definitions)


def test_what_the_libraries_no_longer_define() -> None:
    old = {
        "x.libs/libfoo-0a1b2c3d.so.1.2": defining("a", "b", "c", "d", "e"),
        "x/libbar.so.1": defining("a"),
        "x/libgone.so": defining("a"),
        "x/_ext.so": defining("PyInit_a"),
    }
    new = {
        "x.libs/libfoo-44444444.so.2.0": defining("e", "f"),
        "x/libbar.so.2": defining("a", "b"),
        "x/_ext2.so": defining("PyInit_b"),
    }
    found = compare_exports("demo", ("1", "2"), old, new)
    assert [change.text for change in found] == ["no longer brings libgone.so", "libfoo.so no longer has 4 symbols: a, b, c, ..."]
    one = {"x/libbar.so": defining()}
    assert [change.text for change in compare_exports("demo", ("1", "2"), {"x/libbar.so.1": defining("a")}, one)] == [
        "libbar.so no longer has 1 symbol: a"
    ]


def test_pins_that_come_and_go() -> None:
    before = Selection((LockedPackage("a", "1", "f", 1), LockedPackage("b", "1", "f", 2)))
    after = Selection((LockedPackage("c", "3", "f", 1), LockedPackage("b", "2", "f", 2)))
    assert [(each.kind, each.package, each.old, each.new) for each in changed_pins(before, after)] == [
        ("added", "c", None, "3"),
        ("removed", "a", "1", None),
    ]


def test_what_several_hosts_have_in_common_is_one_change() -> None:
    change = Change("still-fails", "a", "1", "2", "does not load, as before", ("x",))
    worse = change._replace(kind="newly-fails", package="b")
    assert together([change, worse, change._replace(hosts=("y",)), change]) == [worse, change._replace(hosts=("x", "y"))]


def test_what_counts() -> None:
    changes = {
        kind: compare_results([result("loads", window=Window("2.17", None, "2.44"))], [after])[0]
        for kind, after in (
            ("newly-fails", result("fails")),
            ("newly-depends", result("depends")),
            ("narrowed", result("loads", window=Window("2.27", None, "2.44"))),
        )
    }
    report = GateReport(Tool("abicheck", "1"), "a", "b", ("a",), ())
    codes = {
        (kind, fail_on): report._replace(changes=tuple(found), fail_on=fail_on).exit_code
        for kind, found in changes.items()
        for fail_on in ("new", "narrowed", "any")
    }
    assert [place for place, code in codes.items() if code == 1] == [
        *(("newly-fails", fail_on) for fail_on in ("new", "narrowed", "any")),
        ("newly-depends", "any"),
        ("narrowed", "narrowed"),
        ("narrowed", "any"),
    ]
    assert report._replace(errors=(Failure("a", "b"),)).exit_code == 4
    assert report.exit_code == 0
    assert set(SEVERITIES.values()) == {"error", "warning", "note"}

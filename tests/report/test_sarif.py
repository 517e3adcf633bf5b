from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abicheck.api.rules import rules
from abicheck.model.report import Excuse, Failure, Finding, Report, Tool
from abicheck.report.alerts import check, places, sarif
from tests.report.confirmed import NASTY
from tests.report.conftest import DEPENDS, FAILS, IGNORED, LOADS, NOT_INSTALLABLE, REFUSED, REPORTS, TRIXIE, pure
from tests.report.grids import compatibility, many_cells
from tests.report.sarif_standard import SCHEMA, VALIDATOR

if TYPE_CHECKING:
    from abicheck.model.report import Artifact, Result

GOLDEN = Path(__file__).parent / "golden"
PAGES = rules()
BASE = "/srv/project"


def _of(*results: Result, **more: Any) -> Report:
    return Report(Tool("abicheck", "0.1.0"), results, **more)


def _rendered(report: Report, base: str = BASE) -> str:
    return sarif.render(check.alerts(report, base), PAGES)


def _run(report: Report, base: str = BASE) -> Any:
    """The one run of the report, valid, and with all that code scanning asks for."""
    rendered = _rendered(report, base)
    rendered.encode("ascii")
    document = json.loads(rendered)
    json.dumps(document, ensure_ascii=False).encode()  # a surrogate alone is no JSON elsewhere
    VALIDATOR.validate(document)
    (run,) = document["runs"]
    names = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert sorted(set(names)) == names
    for rule in run["tool"]["driver"]["rules"]:
        assert rule["shortDescription"]["text"] and rule["help"]["text"]  # noqa: PT018 -- both are required
        assert 0 < len(rule["fullDescription"]["text"]) <= 1_000
    for result in run["results"]:
        assert names[result["ruleIndex"]] == result["ruleId"]
        assert result["message"]["text"]
        assert all(re.fullmatch(r"[!-~]+", each["physicalLocation"]["artifactLocation"]["uri"]) for each in result["locations"])
        assert result["locations"][0]["physicalLocation"]["region"]["startLine"] >= 1
        for each in (location["physicalLocation"]["artifactLocation"] for location in result["locations"]):
            assert each["uri"].startswith("file:///") or each["uriBaseId"] in run["originalUriBaseIds"]
        assert re.fullmatch("[0-9a-f]{32}:1", result["partialFingerprints"]["primaryLocationLineHash"])
    prints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]
    assert len(prints) == len(set(prints))
    return run


def _results(report: Report, base: str = BASE) -> Any:
    return _run(report, base)["results"]


def _text(result: Any) -> list[str]:
    lines: list[str] = result["message"]["text"].splitlines()
    return lines


def test_the_schema_is_that_of_the_standard() -> None:
    jsonschema.Draft4Validator.check_schema(SCHEMA)
    assert json.loads(_rendered(_of()))["$schema"] == SCHEMA["id"]
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate({"version": "2.1.0", "runs": [{"results": []}]})


@pytest.mark.parametrize("name", REPORTS)
def test_each_kind_of_report_is_valid(name: str) -> None:
    _run(REPORTS[name])


@pytest.mark.parametrize("name", ["fails", "depends", "not-installable", "ignored"])
def test_each_kind_of_report_looks_as_it_should(name: str) -> None:
    assert _rendered(REPORTS[name]) == (GOLDEN / f"{name}.sarif").read_text(encoding="utf-8")


def test_one_of_everything_looks_as_it_should(report: Report) -> None:
    assert _rendered(report) == (GOLDEN / "check.sarif").read_text(encoding="utf-8")
    invocation = _run(report)["invocations"][0]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 1)
    (told,) = invocation["toolExecutionNotifications"]
    assert (told["level"], told["message"]["text"]) == ("error", "c.so: no such file; give the path of a shared object")


def test_grids_are_valid_and_a_problem_on_many_hosts_is_one() -> None:
    results = _results(compatibility())
    stack = [each for each in results if each["ruleId"] == "exec-stack-refused"]
    # 9 releases on distributions, 4 of them beside two others in containers.
    assert len({each["properties"]["artifact"] for each in stack}) == len(stack)
    first = stack[0]
    assert len(first["properties"]["hosts"]) > 8
    assert first["properties"]["pythons"] == ["3.8", "3.9", "3.10", "3.11"]
    assert re.search(r", and \d+ more$", first["message"]["text"].splitlines()[1])
    assert len(_rendered(many_cells())) < 1_000_000


def test_only_what_was_asked_for_and_the_verdict_are_no_results() -> None:
    run = _run(_of(LOADS, pure("tqdm", "4.70.1")))
    assert run["results"] == run["tool"]["driver"]["rules"] == []
    assert run["invocations"] == [{"executionSuccessful": True, "exitCode": 0, "toolExecutionNotifications": []}]
    assert _run(_of())["results"] == []
    assert _run(_of(errors=(Failure("a", NASTY),)))["invocations"][0]["exitCode"] == 4


def test_the_text_of_the_loader_comes_first_and_what_to_do_last() -> None:
    error, warning, note = _results(_of(FAILS))
    assert _text(error) == [
        f"ImportError: {REFUSED}",
        "ctranslate2 4.4.0 does not load on rootfs:/srv/trixie (glibc 2.41, Python 3.12, x86_64)",
        "It asks for an executable stack (PT_GNU_STACK), which dlopen refuses since glibc 2.41.",
        "PT_GNU_STACK has the flags RWE",
        "→ ctranslate2 4.6.0 or newer loads here: pip install 'ctranslate2>=4.6.0'",
        "→ for one process: GLIBC_TUNABLES=glibc.rtld.execstack=2",
    ]
    assert "- for one process: `GLIBC_TUNABLES=glibc.rtld.execstack=2`" in error["message"]["markdown"]
    assert _text(warning)[0] == "Its search path is relative."
    assert _text(warning)[1].startswith("ctranslate2.libs/libcudnn.so.8 of ctranslate2 4.4.0 on rootfs:/srv/trixie (")
    assert [each["level"] for each in (error, warning, note)] == ["error", "warning", "note"]


@pytest.mark.parametrize(
    ("result", "required", "rule", "level", "first"),
    [
        (DEPENDS, (), "depends", "warning", f"ImportError: {DEPENDS.predicted}"),
        (NOT_INSTALLABLE, (), "no-wheel", "error", NOT_INSTALLABLE.predicted),
        (NOT_INSTALLABLE._replace(findings=()), (), "not-installable", "error", NOT_INSTALLABLE.predicted),
        (FAILS._replace(findings=()), (), "fails", "error", f"ImportError: {REFUSED}"),
        (
            LOADS,
            ("cuda",),
            "capability-missing",
            "error",
            "cuda: on the CPU only: the libraries that it opens by name for cuda do",
        ),
        (
            LOADS._replace(capabilities=(("cpu", "loads"), ("cuda", "depends"))),
            ("cuda",),
            "capability-missing",
            "warning",
            "cuda: whether the libraries load that it opens by name for cuda is not known",
        ),
    ],
)
def test_each_verdict_that_counts_is_a_result(
    result: Result, required: tuple[str, ...], rule: str, level: str, first: str
) -> None:
    (told,) = _results(_of(result, required=required))
    assert (told["ruleId"], told["level"]) == (rule, level)
    assert _text(told)[0].startswith(first)


def test_what_is_ignored_is_suppressed() -> None:
    error, *others = _results(_of(IGNORED))
    assert [each["status"] for each in error["suppressions"]] == ["accepted"]
    assert _text(error)[0] == f"ImportError: {REFUSED}"
    assert not any("suppressions" in each for each in others)
    excused = IGNORED.ignored[0]._replace(excuse=Excuse("abicheck.toml", "we build it"))
    error, *_ = _results(_of(IGNORED._replace(ignored=(excused,))))
    assert [each["justification"] for each in error["suppressions"]] == ["abicheck.toml: we build it"]


def test_all_texts_of_one_problem_are_told() -> None:
    def missing(name: str) -> Finding:
        return Finding("symbol-missing", "error", "certain", "libx.so", f"It needs {name}.")

    (told,) = _results(_of(FAILS._replace(findings=tuple(missing(f"symbol_{number}") for number in range(9)))))
    assert _text(told)[2:] == [*(f"It needs symbol_{number}." for number in range(6)), "and 3 more like this"]


def test_fingerprints_depend_on_neither_order_nor_machine_nor_host() -> None:
    report = REPORTS["many"]
    prints = {each["partialFingerprints"]["abicheck/v1"] for each in _results(report)}
    backwards = _results(report._replace(results=report.results[::-1]))
    assert {each["partialFingerprints"]["abicheck/v1"] for each in backwards} == prints
    elsewhere = tuple(result._replace(host=TRIXIE._replace(name="fedora:42")) for result in report.results)
    assert {each["partialFingerprints"]["abicheck/v1"] for each in _results(report._replace(results=elsewhere))} == prints
    assert len(prints) == 4


def _file(path: str, lies: str) -> Result:
    artifact: Artifact = FAILS.artifact._replace(name="a.so", path=path, version=None, kind="file")
    return FAILS._replace(artifact=artifact, findings=(Finding("not-elf", "error", "certain", lies, "It is none."),))


@pytest.mark.parametrize(
    ("path", "base", "lies", "uri", "member"),
    [
        ("build/a.so", "/home/a", "/home/a/build/a.so", "build/a.so", "build/a.so"),
        ("./build/../build/a.so", "/home/b/", "/home/b/build/a.so", "build/a.so", "build/a.so"),
        ("/home/c/build/a.so", "/home/c", "/home/c/build/a.so", "build/a.so", "build/a.so"),
        ("../x/a.so", "/home/a", "/home/x/a.so", "file:///home/x/a.so", "a.so"),
        ("/tmp/1/a.so", "/home/a", "/tmp/1/libx.so", "file:///tmp/1/a.so", "libx.so"),
        ("/tmp/1/a.so", "/home/a", "/lib/libc.so.6", "file:///tmp/1/a.so", "/lib/libc.so.6"),
        ("build\\a.so", "C:\\work", "C:\\work\\build\\a.so", "build/a.so", "build/a.so"),
        ("D:\\a b.so", "C:\\work", "libx.so", "file:///D:/a%20b.so", "libx.so"),
        ("/", "/", "libx.so", ".", "libx.so"),
        ("a:b#c?d%\udcff€.so", "/home/a", "libx.so", "a%3Ab%23c%3Fd%25%FF%E2%82%AC.so", "libx.so"),
        ("\ud800", "/home/a", "libx.so", "%ED%A0%80", "libx.so"),
    ],
)
def test_a_place_is_told_from_where_the_work_lies(path: str, base: str, lies: str, uri: str, member: str) -> None:
    result = _file(path, lies)
    (told,) = _results(_of(result), base)
    assert told["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri
    assert places.member(result.artifact, result.findings[0], base) == member


def test_a_file_has_the_same_fingerprint_on_another_machine() -> None:
    def fingerprint(path: str, base: str) -> str:
        (told,) = _results(_of(_file(path, path)), base)
        return str(told["partialFingerprints"]["abicheck/v1"])

    assert fingerprint("/home/a/dist/a.so", "/home/a") == fingerprint("/builds/dist/a.so", "/builds")
    assert fingerprint("/tmp/x1/a.so", "/home/a") == fingerprint("/tmp/y2/a.so", "/builds")
    assert fingerprint("/home/a/dist/a.so", "/home/a") != fingerprint("/home/a/old/a.so", "/home/a")


def test_a_location_names_file_and_line() -> None:
    findings = tuple(FAILS.findings[0]._replace(location=f"locks/uv.lock:{line}") for line in (12, 40))
    one, other = (FAILS._replace(findings=(finding,)) for finding in findings)
    (told,) = _results(_of(one, other))
    where = [each["physicalLocation"] for each in told["locations"]]
    assert [(each["artifactLocation"]["uri"], each["region"]["startLine"]) for each in where] == [
        ("locks/uv.lock", 12),
        ("locks/uv.lock", 40),
    ]
    (moved,) = _results(_of(other))
    assert moved["partialFingerprints"] == told["partialFingerprints"]
    (whole,) = _results(_of(one._replace(findings=(findings[0]._replace(location="uv.lock"),))))
    assert whole["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "uv.lock", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 1},
    }


def test_what_no_finding_explains_is_at_the_line_of_the_pin_too() -> None:
    pinned = FAILS.findings[2]._replace(location="uv.lock:7")
    told = _results(_of(DEPENDS._replace(findings=(pinned,))))
    assert {each["ruleId"] for each in told} == {"depends", "relative-rpath"}
    assert {each["locations"][0]["physicalLocation"]["region"]["startLine"] for each in told} == {7}


def test_what_could_not_be_judged_is_at_its_line() -> None:
    failures = (Failure(f"{BASE}/uv.lock:3", "this is from a path"), Failure("debian:99", "there is no such host"))
    line, host = _run(_of(LOADS, errors=failures))["invocations"][0]["toolExecutionNotifications"]
    (where,) = line["locations"]
    assert where["physicalLocation"]["artifactLocation"] == {"uri": "uv.lock", "uriBaseId": "%SRCROOT%"}
    assert where["physicalLocation"]["region"] == {"startLine": 3}
    assert host["message"]["text"] == "debian:99: there is no such host"


def test_code_scanning_gets_no_more_than_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "_MOST_RESULTS", 2)
    run = _run(_of(DEPENDS, FAILS, NOT_INSTALLABLE))
    assert [each["level"] for each in run["results"]] == ["error", "error"]
    (told,) = run["invocations"][0]["toolExecutionNotifications"]
    assert told["message"]["text"].startswith("3 results, the least severe, are left out")
    assert run["invocations"][0]["executionSuccessful"]


def _foreign(text: str) -> Report:
    finding = Finding("text-relocation", "error", "likely", text, text, (text, f"a{text}"), FAILS.findings[0].remedies, text)
    remedies = tuple(each._replace(text=text, command=text) for each in finding.remedies)
    result = FAILS._replace(
        artifact=FAILS.artifact._replace(name=text, path=text, version=text),
        host=TRIXIE._replace(name=text),
        predicted=text,
        findings=(finding._replace(remedies=remedies),),
        variant=text,
    )
    return _of(result, errors=(Failure(text, text),))


@given(st.text(st.characters(), min_size=1))
def test_foreign_texts_are_valid(text: str) -> None:
    _run(_foreign(text))


def test_foreign_texts_are_neither_links_nor_placeholders_nor_without_end() -> None:
    text = "see [x](javascript:1), [y] and a{0}b {ORIGIN}"
    told = _run(_foreign(text))
    expected = r"see \[x](javascript:1), [y] and a{{0}}b {ORIGIN}"
    assert _text(told["results"][0])[0] == f"ImportError: {text}" or expected in told["results"][0]["message"]["text"]
    assert told["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"] == f"{expected}: {expected}"
    (long,) = _results(_foreign("x" * 10_000))
    assert {len(each) for each in long["message"].values()} == {8_000}

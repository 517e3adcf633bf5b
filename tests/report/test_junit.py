"""Test reports of a check."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase

from abicheck.model.report import Excuse, Report, Tool
from abicheck.model.report import Failure as NotJudged
from abicheck.report import junit
from tests.report.confirmed import NASTY
from tests.report.conftest import DEPENDS, FAILS, IGNORED, LOADS, NOT_INSTALLABLE, REFUSED, REPORTS, TRIXIE, pure
from tests.report.grids import compatibility, many_cells

if TYPE_CHECKING:
    from abicheck.model.report import Result

GOLDEN = Path(__file__).parent / "golden"
EXCUSED = NOT_INSTALLABLE._replace(
    findings=(), ignored=tuple(each._replace(excuse=Excuse("a.toml", "we build it")) for each in NOT_INSTALLABLE.findings)
)
GPU_UNKNOWN = LOADS._replace(capabilities=(("cpu", "loads"), ("cuda", "depends")))


def _of(*results: Result, required: tuple[str, ...] = (), errors: tuple[NotJudged, ...] = ()) -> Report:
    return Report(Tool("abicheck", "0.1.0"), results, errors, required=required, seconds=0.234)


def _cases(report: Report) -> list[TestCase]:
    """All cases as another program reads them, and as many of each kind as the suites say."""
    cases = []
    for suite in JUnitXml.fromstring(junit.render(report).encode("utf-8")):
        held = [type(outcome) for case in suite for outcome in case.result]
        numbers = (suite.failures, suite.errors, suite.skipped)
        assert numbers == tuple(held.count(kind) for kind in (Failure, Error, Skipped))
        assert suite.tests == len(list(suite))
        cases += list(suite)
    return cases


@pytest.mark.parametrize("name", ["ignored", "many"])
def test_each_kind_of_report_looks_as_it_should(name: str) -> None:
    assert junit.render(REPORTS[name]) == (GOLDEN / f"{name}.xml").read_text(encoding="utf-8")


def test_one_of_everything_looks_as_it_should(report: Report) -> None:
    assert junit.render(report) == (GOLDEN / "check.xml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("result", "required", "kind", "type_", "begins"),
    [
        (LOADS, (), None, None, ""),
        (pure("tqdm", "4.70.1"), (), None, None, ""),
        (FAILS, (), Failure, "exec-stack-refused", f"ImportError: {REFUSED}"),
        (FAILS._replace(findings=()), (), Failure, "fails", f"ImportError: {REFUSED}"),
        (NOT_INSTALLABLE, (), Failure, "no-wheel", "ERROR: No matching distribution found"),
        (DEPENDS, (), Failure, "depends", "Import torch first: "),
        (IGNORED, (), Skipped, None, f"ignored: ImportError: {REFUSED}"),
        (EXCUSED, (), Skipped, None, "ignored: ERROR: No matching distribution found"),
        (IGNORED, ("cpu",), Failure, "fails", f"ImportError: {REFUSED}"),
        (LOADS, ("cuda",), Failure, "fails", "on the CPU only: "),
        (GPU_UNKNOWN, ("cuda",), Failure, "depends", "whether the libraries load"),
        (GPU_UNKNOWN, ("cpu",), None, None, ""),
        (LOADS._replace(findings=FAILS.findings[:1]), (), Failure, "exec-stack-refused", ""),
    ],
)
def test_red_is_what_makes_the_exit_code_other_than_0(
    result: Result, required: tuple[str, ...], kind: type | None, type_: str | None, begins: str
) -> None:
    report = _of(result, required=required)
    (case,) = _cases(report)
    assert [type(each) for each in case.result] == ([kind] if kind else [])
    assert (kind is Failure) == (report.exit_code != 0)
    if kind is not None:
        assert case.result[0].type == type_
        assert case.result[0].message.startswith(begins)


def test_a_host_is_a_suite_and_what_could_not_be_judged_another() -> None:
    report = _of(FAILS, LOADS, NOT_INSTALLABLE, errors=(NotJudged("c.so", "no such file"),))
    suites = list(JUnitXml.fromstring(junit.render(report).encode()))
    assert [(suite.name, len(list(suite))) for suite in suites] == [
        (TRIXIE.name, 2),
        (LOADS.host.name, 1),
        ("not judged", 1),
    ]
    (error,) = list(suites[-1])
    assert (error.name, error.result[0].message) == ("c.so", "no such file")


def test_an_ignore_that_has_expired_is_an_error() -> None:
    report = _of(LOADS)._replace(expired=(NotJudged("abicheck.toml:3", "has expired"),))
    _, suite = JUnitXml.fromstring(junit.render(report).encode())
    assert (suite.name, suite.errors, [case.name for case in suite]) == ("expired ignores", 1, ["abicheck.toml:3"])


def test_a_failure_holds_all_that_the_terminal_says() -> None:
    (case,) = _cases(_of(FAILS))
    assert "→ for one process: GLIBC_TUNABLES=glibc.rtld.execstack=2" in case.result[0].text
    assert case.system_out is None


def test_large_grids_have_a_case_for_each_cell() -> None:
    for report in (compatibility(), many_cells()):
        cases = _cases(report)
        assert len(cases) == len(report.results)
        assert len({(case.classname, case.name) for case in cases}) == len(cases)


def test_it_is_utf_8_whatever_is_in_it() -> None:
    everything = "".join(map(chr, range(0x3000))) + "\ud800\udcff\ufffe\uffff\U000e0001"
    for text in (NASTY, everything):
        result = FAILS._replace(predicted=text, host=TRIXIE._replace(name=text), findings=())
        root = ET.fromstring(junit.render(_of(result, errors=(NotJudged(text, text),))).encode("utf-8"))
        assert all(name.isprintable() for suite in root for name in suite.attrib.values())

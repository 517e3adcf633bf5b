from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abicheck.model.process import Missing
from abicheck.report.lines import escape
from abicheck.report.terminal import render
from abicheck.report.words import short_reason
from tests.report.conftest import FAILS, MANY, REPORTS

if TYPE_CHECKING:
    from abicheck.model.report import Report

GOLDEN = Path(__file__).parent / "golden" / "check.txt"


def test_one_of_everything_looks_as_it_should(report: Report) -> None:
    assert render(report, colour=False) == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", REPORTS)
def test_each_kind_of_report_looks_as_it_should(name: str) -> None:
    assert render(REPORTS[name], colour=False) == (GOLDEN.parent / f"{name}.txt").read_text(encoding="utf-8")


def test_few_that_load_are_not_folded_and_all_are_there_if_they_are() -> None:
    two = REPORTS["many"]._replace(results=MANY[2:4])
    assert render(two, colour=False).splitlines()[:2] == [
        f"✓ native-{number} 1.0 loads on local (glibc 2.36, Python 3.12, x86_64)" for number in (0, 1)
    ]
    text = render(REPORTS["many"], colour=False)
    assert all(f"{result.artifact.name} {result.artifact.version}" in text for result in MANY)


def test_of_several_findings_of_one_rule_the_first_ones_evidence_is_told() -> None:
    finding = FAILS.findings[0]
    second = finding._replace(object="libb.so", message="So does libb.so.", evidence=("evidence of libb.so",))
    bare = second._replace(object="libc.so", message="", evidence=("libc.so: its text", "more"))
    text = render(REPORTS["fails"]._replace(results=(FAILS._replace(findings=(finding, second, bare)),)), colour=False)
    assert "PT_GNU_STACK has the flags RWE" in text
    assert "· libb.so\n    So does libb.so.\n" in text
    assert "· libc.so\n    libc.so: its text\n" in text
    assert "evidence of libb.so" not in text


def test_what_was_not_judged_is_listed_with_the_tree() -> None:
    report = REPORTS["fails"]
    listed = render(report._replace(results=(report.results[0]._replace(tree=()),)), colour=False)
    assert "  not judged: /site/ctranslate2/arm.so: built for aarch64\n" in listed
    assert "3 binaries" not in listed


def test_colours_change_nothing_else(report: Report) -> None:
    coloured = render(report, colour=True)
    assert "\x1b[1;31m✗" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render(report, colour=False)


@pytest.mark.parametrize("colour", [False, True])
def test_foreign_text_is_never_markup_and_never_acts_on_the_terminal(report: Report, *, colour: bool) -> None:
    result = report.results[0]
    nasty = result._replace(
        artifact=result.artifact._replace(path="[red]a[/red]\x1b]0;title\x07.so"),
        predicted="[bold]\x9b31m\r\u202etxt\udcff[/bold]\nsecond line",
    )
    text = render(report._replace(results=(nasty,)), colour=colour)
    assert "[red]a[/red]\\x1b]0;title\\x07.so" in text
    assert "[bold]\\x9b31m\\x0d\\u202etxt\\xff[/bold]\\x0asecond line" in text


def test_many_errors_are_cut_short(report: Report) -> None:
    result = report.results[0]
    many = result._replace(findings=result.findings * 600)
    lines = render(report._replace(results=(many,)), colour=False).splitlines()
    assert len(lines) < 60
    assert "  and 1,190 more (all of them: --format json)" in lines
    assert "1,200 errors" in lines[-1]


def test_nothing_judged_says_nothing(report: Report) -> None:
    assert render(report._replace(results=()), colour=False) == ""


@given(st.text())
def test_escaped_text_is_printable(text: str) -> None:
    assert escape(text).isprintable()
    escape(text).encode("utf-8")


def test_rich_is_for_terminals_only() -> None:
    program = "import sys, abicheck.report.terminal, abicheck.report.json; print('rich' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


def test_what_is_not_known_of_a_capability_is_told() -> None:
    unknown = Missing("cuda", "whether libcublas.so.12 is installed on there")
    result = REPORTS["loads"].results[0]._replace(capabilities=(("cpu", "loads"), ("cuda", "depends")), missing_facts=(unknown,))
    text = render(REPORTS["loads"]._replace(results=(result,), required=("cuda",)), colour=False)
    assert "Its use of cuda depends on this: whether libcublas.so.12 is installed on there." in text
    assert "whether the libraries load that it opens by name for cuda is not known" in text
    assert short_reason(result) == "cuda not known"
    many = [result._replace(artifact=result.artifact._replace(name=f"n{at}", path=f"n{at}")) for at in range(12)]
    folded = render(REPORTS["loads"]._replace(results=tuple(many)), colour=False)
    assert "whether cuda loads is not known: n0 4.8.5, n1 4.8.5" in folded

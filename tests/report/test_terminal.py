from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abicheck.report.lines import escape
from abicheck.report.terminal import render

if TYPE_CHECKING:
    from abicheck.model.report import Report

GOLDEN = Path(__file__).parent / "golden" / "check.txt"


def test_one_of_everything_looks_as_it_should(report: Report) -> None:
    assert render(report, colour=False) == GOLDEN.read_text(encoding="utf-8")


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
    assert "  and 1,190 more errors (all of them: --format json)" in lines
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

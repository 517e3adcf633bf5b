from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt

from abicheck.report.markdown import render
from abicheck.report.markup import code, text
from tests.report.conftest import REPORTS

if TYPE_CHECKING:
    from abicheck.model.report import Report

GOLDEN = Path(__file__).parent / "golden"
NASTY = "`a``b` | <img src=x onerror=alert(1)> [x](javascript:1) *b* _c_ &amp; \\| #1 ~~d~~\x1b[31m\nnew line"


@pytest.mark.parametrize("name", REPORTS)
def test_each_kind_of_report_looks_as_it_should(name: str) -> None:
    assert render(REPORTS[name]) == (GOLDEN / f"{name}.md").read_text(encoding="utf-8")


def test_one_of_everything_looks_as_it_should(report: Report) -> None:
    assert render(report) == (GOLDEN / "check.md").read_text(encoding="utf-8")


def test_foreign_text_formats_nothing(report: Report) -> None:
    """Rendered as GitHub does, every text is there as it was and makes no element of its own."""
    first = report.results[0]
    finding = first.findings[0]._replace(object=NASTY, message=NASTY, evidence=("a" + NASTY,))
    remedies = tuple(each._replace(text=NASTY, command=NASTY) for each in finding.remedies)
    nasty = first._replace(
        artifact=first.artifact._replace(path=NASTY),
        host=first.host._replace(name=NASTY),
        predicted=NASTY,
        findings=(finding._replace(remedies=remedies),),
    )
    html = MarkdownIt("gfm-like", {"linkify": False}).render(render(report._replace(results=(nasty, nasty))))
    for element in ("<img", "<a ", "<em>", "<s>", 'javascript:1"'):
        assert element not in html
    assert html.count("<tr>") == 2
    assert html.count("<td>") == 2
    assert html.count("<strong>") == 2
    shown = "`a``b` | &lt;img src=x onerror=alert(1)&gt; [x](javascript:1) *b* _c_ &amp;amp; \\| #1 ~~d~~\\x1b[31m\\x0anew line"
    assert html.count(shown) == 2 * 7 + 2


@pytest.mark.parametrize("foreign", ["`", "``a`", "a`b", " a ", "a"])
def test_a_code_span_holds_what_it_was_given(foreign: str) -> None:
    (inline,) = [token for token in MarkdownIt().parse(f"x{code(foreign)}x") if token.type == "inline"]
    assert [child.content for child in inline.children or [] if child.type == "code_inline"] == [
        foreign.strip()
    ] or foreign == " a "


def test_an_empty_report_is_empty(report: Report) -> None:
    assert render(report._replace(results=(), errors=())) == ""
    assert "no such file" in render(report._replace(results=()))
    assert text("a_b") == r"a\_b"

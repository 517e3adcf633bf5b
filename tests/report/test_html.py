"""The page of `check` and of `confirm`: golden, harmless, and each thing told once."""

from __future__ import annotations

import base64
import hashlib
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abicheck.model.host import Assumption
from abicheck.model.report import Report, Tool
from abicheck.report.confirm import html as confirm_html
from abicheck.report.grid.arrange import Entry, Mark
from abicheck.report.html import check as html_check
from abicheck.report.html.grid import make_grid
from abicheck.report.words import short_reason
from tests.report.confirmed import MATRIX, NASTY, SINGLE
from tests.report.conftest import DEPENDS, FAILS, IGNORED, LOADS, NOT_INSTALLABLE, REPORTS, TRIXIE, distribution, pure
from tests.report.grids import many_cells

if TYPE_CHECKING:
    from abicheck.model.confirm import ConfirmReport
    from abicheck.model.report import Result

GOLDEN = Path(__file__).parent / "golden"
SHOWN = '`a``b` | ]]> <img src=x> &amp; *b* "q"\\x1b[31m\\x00\\xff\\u2028\\ufffe\\x0anew line'
#: HTML's elements without an end.
_VOID = {"meta", "link", "input", "br"}


class Parsed(HTMLParser):
    """The elements of a page, and its text without the script and the style; complains of what is not closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] not in (["style"], ["script"]):
            self.text += data

    def attributes(self, name: str) -> list[str]:
        return [value or "" for _, attributes in self.elements for key, value in attributes.items() if key == name]


def _report(*results: Result) -> Report:
    return Report(Tool("abicheck", "0.1.0"), results, seconds=0.234)


def _main(page: str) -> str:
    """What is between the head and the script: those are the same in every page."""
    return _readable(page[page.index("<main>") : page.index("</main>")] + "</main>\n")


def _readable(page: str) -> str:
    """The page with the characters themselves where it names them by their numbers, to pass through any encoding."""
    assert page.isascii()
    return re.sub(r"&#(\d{3,});", lambda match: chr(int(match[1])), page)


@pytest.mark.parametrize("name", REPORTS)
def test_each_kind_of_report_looks_as_it_should(name: str) -> None:
    assert _main(html_check.render(REPORTS[name])) == (GOLDEN / f"{name}.html").read_text(encoding="utf-8")


def test_one_of_everything_looks_as_it_should(report: Report) -> None:
    assert _main(html_check.render(report)) == (GOLDEN / "check.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "confirmed"), [("matrix", MATRIX), ("single", SINGLE)])
def test_confirmed_cells_look_as_they_should(name: str, confirmed: ConfirmReport) -> None:
    assert _main(confirm_html.render(confirmed)) == (GOLDEN / f"confirm-{name}.html").read_text(encoding="utf-8")


PAGES = {
    **{name: html_check.render(made) for name, made in REPORTS.items()},
    "confirm-matrix": confirm_html.render(MATRIX),
    "confirm-single": confirm_html.render(SINGLE),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_needs_nothing_else_and_is_well_formed(name: str) -> None:
    page = Parsed(PAGES[name])
    names = page.attributes("id")
    assert len(names) == len(set(names))
    inside = {f"#{each}" for each in names}
    assert set(page.attributes("href")) <= {*inside, "#", "data:,"}
    assert {each for value in page.attributes("aria-labelledby") for each in value.split()} <= set(names)
    assert not [key for _, attributes in page.elements for key in attributes if key in ("src", "style") or key.startswith("on")]
    assert sum(tag == "h1" for tag, _ in page.elements) == 1


def test_a_browser_heeds_only_the_style_and_the_script_of_the_page() -> None:
    page = PAGES["many"]
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    for element in ("style", "script"):
        (content,) = re.findall(f"<{element}>(.*?)</{element}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")


def _nasty(result: Result, nasty: str) -> Result:
    """The result with `nasty` for every foreign text in it."""
    finding = result.findings[0]
    remedies = tuple(each._replace(text=nasty, command=nasty) for each in finding.remedies)
    return result._replace(
        artifact=result.artifact._replace(name=nasty, path=nasty, version=nasty, sha256=nasty, tags=(nasty,)),
        host=result.host._replace(name=nasty, libc_version=nasty),
        python=result.python._replace(version=nasty),
        prefix=nasty,
        predicted=nasty,
        roots=(result.roots[0]._replace(path=nasty, predicted="x" + nasty), result.roots[0]._replace(path=nasty)),
        findings=(finding._replace(object=nasty, message=nasty, evidence=("a" + nasty,), remedies=remedies, location=nasty),),
        unjudged=((nasty, nasty),),
        assumptions=(Assumption(nasty, nasty),),
    )


def test_foreign_text_is_text_wherever_it_stands(report: Report) -> None:
    """Names, paths, texts and commands make no element and no attribute, and nothing that is not printable is left."""
    everything = report.results[1]._replace(roots=(), findings=())
    results = (_nasty(FAILS, NASTY), _nasty(FAILS, NASTY + "\u202e")._replace(tree=everything.tree), everything)
    for page in (html_check.render(_report(*results)), html_check.render(_report(results[0])), PAGES["confirm-matrix"]):
        parsed = Parsed(page)
        assert not {tag for tag, _ in parsed.elements} & {"img", "a b", "svg"}
        assert sum(tag == "script" for tag, _ in parsed.elements) == 1
        assert parsed.text.count(SHOWN) >= 5
        assert all(character.isprintable() or character == "\n" for character in unescape(page))
        assert not [name for name in parsed.attributes("id") if re.search(r"[^A-Za-z0-9._:~/@=-]", name)]


@settings(max_examples=50, deadline=None)
@given(st.text(min_size=1))
def test_no_text_changes_what_the_page_consists_of(foreign: str) -> None:
    def elements(text: str) -> list[str]:
        return [tag for tag, _ in Parsed(html_check.render(_report(_nasty(FAILS, text), LOADS))).elements]

    assert elements(foreign) == elements("plain")


def test_what_is_the_same_for_several_hosts_is_told_once() -> None:
    here = [FAILS._replace(host=FAILS.host._replace(name=f"host-{number}")) for number in range(3)]
    elsewhere = FAILS._replace(host=FAILS.host._replace(name="host-3"), prefix="/opt/site", findings=FAILS.findings[:1])
    page = _readable(html_check.render(_report(*here, elsewhere)))
    assert page.count("<article") == 2
    assert "host-0</bdi>, <bdi>host-1</bdi>, <bdi>host-2</bdi> · Python 3.12" in page
    assert page.count('href="#e1"') == 3


def test_texts_that_differ_by_the_place_of_a_root_only_are_told_once() -> None:
    other = FAILS.roots[0]._replace(path="/opt/ctranslate2/_ext.so")
    page = html_check.render(_report(FAILS, FAILS._replace(host=LOADS.host, prefix="/opt", roots=(other,), unjudged=())))
    assert page.count("<article") == 2, "its lists of what was not judged differ"
    page = html_check.render(_report(IGNORED, IGNORED._replace(host=LOADS.host, prefix="/opt", roots=(other,))))
    assert page.count("<article") == 1


def test_many_cells_stay_small() -> None:
    """20 versions for 5 Pythons on 40 hosts, where versions, Pythons and kinds of hosts fail with texts of their own."""
    page = html_check.render(many_cells())
    assert page.count("<td><a ") == 4_000
    assert page.count("<article") >= 400
    assert len(page.encode()) < 3_000_000


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (FAILS, "exec stack"),
        (IGNORED, "exec stack"),
        (DEPENDS, "import order"),
        (DEPENDS._replace(missing_facts=()), ""),
        (NOT_INSTALLABLE, "no wheel"),
        (LOADS, "CPU only"),
        (LOADS._replace(capabilities=()), ""),
        (LOADS._replace(findings=FAILS.findings[1:]), "1 warning, CPU only"),
        (pure("tqdm", "4.70.1"), "no native code"),
    ],
)
def test_a_cell_says_why_in_a_few_words(result: Result, reason: str) -> None:
    assert short_reason(result) == reason


GOOD = Mark("loads", "✓", "loads")


def _entry(artifact: str, host: str, python: str | None = None) -> Entry:
    return Entry(artifact, TRIXIE._replace(name=host), GOOD, 1, python=python)


def test_a_row_is_an_artifact_where_each_host_has_its_own_python() -> None:
    grid = make_grid([_entry("a", "x", "3.11"), _entry("b", "x", "3.11"), _entry("a", "y", "3.13")])
    assert [(row.artifact, row.python) for row in grid.rows] == [("a", None), ("b", None)]
    assert [column.facts for column in grid.columns] == [
        "glibc 2.41, x86_64, Python 3.11",
        "glibc 2.41, x86_64, Python 3.13",
    ]
    assert [len(cells) for row in grid.rows for cells in row.cells] == [1, 1, 1, 0]


def test_a_row_is_for_one_python_where_a_host_has_several() -> None:
    grid = make_grid([_entry("a", "x", "3.11"), _entry("a", "x", "3.12"), _entry("b", "y", "3.12")])
    assert [(row.artifact, row.python) for row in grid.rows] == [("a", "3.11"), ("a", "3.12"), ("b", "3.12")]


def test_a_cell_tells_its_python_where_neither_row_nor_column_does() -> None:
    grid = make_grid([_entry("a", "x", "3.11"), _entry("b", "x", "3.12"), _entry("a", "y", "3.12")])
    assert [[cell.python for cells in row.cells for cell in cells] for row in grid.rows] == [["3.11", None], ["3.12"]]


def test_a_row_tells_its_python_where_it_has_one() -> None:
    grid = make_grid([_entry("a", "x", "3.11"), _entry("a", "y", "3.11"), _entry("b", "x", "3.12")])
    assert [row.python for row in grid.rows] == ["3.11", "3.12"]
    assert {column.facts for column in grid.columns} == {"glibc 2.41, x86_64"}


def test_rows_differ_by_what_is_beside_an_artifact_and_tell_the_gpu() -> None:
    beside = LOADS._replace(variant="with a&b==1", gpu=("CUDA 12", "cuDNN 9"))
    page = html_check.render(_report(LOADS, beside, LOADS._replace(host=TRIXIE)))
    assert "<bdi>ctranslate2 4.8.5</bdi> <small><bdi>with a&amp;b==1</bdi></small>" in page
    assert '<th scope="col">GPU</th>' in page
    assert '<td class="window">CUDA 12, cuDNN 9</td>' in page
    assert '<option value="2">' in page
    assert "ctranslate2 4.8.5, with a&amp;b==1" in page


def test_no_two_links_are_alike() -> None:
    grid = make_grid([_entry("a b", "x"), _entry("a b", "x"), _entry("a-b", "x"), _entry("a-b@x~2", "x")])
    names = [cell.name for row in grid.rows for cells in row.cells for cell in cells]
    assert len(set(names)) == 4
    assert names[0] == "a-b@x"


def test_an_empty_report_is_empty_and_errors_alone_are_told(report: Report) -> None:
    assert html_check.render(report._replace(results=(), errors=())) == ""
    assert confirm_html.render(SINGLE._replace(cells=())) == ""
    alone = html_check.render(report._replace(results=()))
    assert "no such file" in alone
    assert "<h1>Nothing could be judged</h1>" in alone
    assert "no space left" in confirm_html.render(MATRIX._replace(cells=()))


def test_few_problems_are_open_and_many_are_not() -> None:
    def problems(number: int) -> str:
        named = [distribution(f"p{each}", "1", "fails", f"text {each}") for each in range(number)]
        return html_check.render(_report(*named, LOADS, LOADS._replace(host=TRIXIE)))

    assert problems(5).count(" open>") == 5
    assert problems(6).count(" open>") == 0

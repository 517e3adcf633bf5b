"""Predictions beside observations in each format."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from markdown_it import MarkdownIt

from abicheck.report.confirm import json as as_json
from abicheck.report.confirm import junit, markdown, terminal
from abicheck.report.confirm.words import figures, heard, observed, predicted, row, sign
from tests.report.confirmed import (
    CELLS,
    DEPENDS,
    DISAGREES,
    FAILS_AS_PREDICTED,
    HEARD,
    MATRIX,
    NASTY,
    NO_WHEEL,
    ROLLING,
    SINGLE,
)
from tests.report.conftest import REFUSED

if TYPE_CHECKING:
    from abicheck.model.confirm import Confirmed, ConfirmReport

GOLDEN = Path(__file__).parent / "golden"
SCHEMAS = files("abicheck.report") / "schema"
SCHEMA: dict[str, Any] = json.loads((SCHEMAS / "confirm.json").read_text(encoding="utf-8"))
CHECK: dict[str, Any] = json.loads((SCHEMAS / "check.json").read_text(encoding="utf-8"))
BOTH = pytest.mark.parametrize("report", [MATRIX, SINGLE], ids=["matrix", "single"])
EMPTY = SINGLE._replace(cells=())
#: As a terminal and XML may hold it.
SHOWN = '`a``b` | ]]> <img src=x> &amp; *b* "q"\\x1b[31m\\x00\\xff\\u2028\\ufffe\\x0anew line'


def _valid(report: ConfirmReport) -> Any:
    rendered = as_json.render(report)
    rendered.encode("ascii")
    document = json.loads(rendered)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    return document


@pytest.mark.parametrize(("cell", "expected"), list(zip(CELLS, "✓✗≠?-≠", strict=True)))
def test_each_kind_of_cell_has_its_sign(cell: Confirmed, expected: str) -> None:
    assert sign(cell) == expected


@pytest.mark.parametrize(
    ("cell", "prediction", "observation", "transcript"),
    [
        (HEARD, "loads", "loads", "2 clips: ask not / What your country"),
        (FAILS_AS_PREDICTED, REFUSED, REFUSED, ""),
        (DISAGREES, "loads", NASTY, ""),
        (DEPENDS, "depends", "loads", "1 clip: ask not"),
        (NO_WHEEL, "ERROR: No matching distribution found for ctranslate2==4.4.0", "nothing to observe", ""),
    ],
)
def test_both_sides_in_a_line(cell: Confirmed, prediction: str, observation: str, transcript: str) -> None:
    assert (predicted(cell), observed(cell.observed), heard(cell.observed)) == (prediction, observation, transcript)


def test_a_row_is_the_name_without_the_host_even_if_that_has_a_slash() -> None:
    slashed = HEARD.cell._replace(host="debian/13", name="debian/13/python3.9/ctranslate2-4.8.5")
    assert row(HEARD) == row(HEARD._replace(cell=slashed)) == "python3.9/ctranslate2-4.8.5"


@pytest.mark.parametrize(
    ("report", "parts"),
    [
        (
            MATRIX,
            [
                "4 cells compared",
                "2 agree (1 load, 1 fail)",
                "2 not as predicted",
                "3 transcribed",
                "1 not predicted",
                "1 without a wheel",
                "1 not done",
                "docker",
                "12 s",
            ],
        ),
        (SINGLE, ["1 cell compared", "1 agrees (1 load, 0 fail)", "0 not as predicted", "1 transcribed", "2 s"]),
    ],
)
def test_the_figures_count_each_kind(report: ConfirmReport, parts: list[str]) -> None:
    assert figures(report).split(" · ") == parts


def test_a_matrix_looks_as_it_should_on_a_terminal() -> None:
    assert terminal.render(MATRIX, colour=False) == (GOLDEN / "confirm.txt").read_text(encoding="utf-8")


def test_a_single_cell_is_told_without_a_grid() -> None:
    assert terminal.render(SINGLE, colour=False).splitlines() == [
        "✓ python3.9/ctranslate2-4.8.5 on glibc-2.36 (glibc 2.36, Python 3.9, x86_64): loads, as predicted",
        "",
        "  predicted: loads",
        "  observed:  loads",
        "  heard:     2 clips: ask not / What your country",
        "",
        figures(SINGLE),
    ]


@BOTH
def test_colours_change_nothing_but_escapes(report: ConfirmReport) -> None:
    coloured = terminal.render(report, colour=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == terminal.render(report, colour=False)


def test_foreign_text_never_acts_on_the_terminal() -> None:
    text = terminal.render(MATRIX, colour=False)
    assert all(line.isprintable() for line in text.split("\n"))
    assert f"  observed:  {SHOWN}\n" in text
    assert f"  by hand:   docker run {SHOWN}\n" in text


def test_the_columns_of_a_grid_stay_straight_under_foreign_names() -> None:
    named = HEARD._replace(cell=HEARD.cell._replace(name=f"glibc-2.36/python3.9/{NASTY}"))
    lines = terminal.render(MATRIX._replace(cells=(named, *CELLS[1:])), colour=False).splitlines()
    grid = [line for line in lines if line.startswith("python3.")]
    assert len(grid) == 6
    assert len({len(line) for line in grid}) == 1


@pytest.mark.parametrize("format_", [lambda report: terminal.render(report, colour=False), markdown.render])
def test_a_column_of_two_pythons_claims_neither(format_: Any) -> None:
    rendered = format_(MATRIX).replace("\\", "")
    assert "glibc-2.41 (glibc 2.41, x86_64)" in rendered
    assert "glibc-2.41 (glibc 2.41, Python 3.13, x86_64)" not in rendered


def test_many_differences_and_much_output_are_cut_short() -> None:
    assert DISAGREES.observed is not None
    output = "".join(f"line {number}\n" for number in range(40))
    many = DISAGREES._replace(
        differences=tuple(f"difference {number}" for number in range(1010)), observed=DISAGREES.observed._replace(output=output)
    )
    lines = terminal.render(SINGLE._replace(cells=(many,)), colour=False).splitlines()
    assert [line for line in lines if "differs:" in line][7:] == [
        "  differs:   difference 7",
        "  differs:   1,002 more (--format json)",
    ]
    assert [line for line in lines if line.startswith("    ")] == [f"    line {number}" for number in range(30, 40)]


def test_a_matrix_looks_as_it_should_in_markdown() -> None:
    assert markdown.render(MATRIX) == (GOLDEN / "confirm.md").read_text(encoding="utf-8")


def test_a_single_cell_has_its_section_even_if_it_is_as_predicted() -> None:
    text = markdown.render(SINGLE)
    assert "### ✓ python3.9/ctranslate2-4.8.5 on glibc-2.36 (glibc 2.36, Python 3.9, x86\\_64)" in text
    assert "###" not in markdown.render(MATRIX._replace(cells=(HEARD, FAILS_AS_PREDICTED, NO_WHEEL)))


def test_foreign_text_formats_nothing_in_markdown() -> None:
    nasty = DISAGREES._replace(cell=DISAGREES.cell._replace(name=f"glibc-2.41/{NASTY}"))
    html = MarkdownIt("gfm-like", {"linkify": False}).render(markdown.render(MATRIX._replace(cells=(nasty, ROLLING))))
    for element in ("<img", "<em>", "<strong>"):
        assert element not in html
    assert html.count("<tr>") == 3
    assert html.count("<td>") == html.count("<th>") * 2 == 6
    shown = SHOWN.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    # Table, title, observed, first difference, by hand, and the error's target and message.
    assert html.count(shown) == 7


def test_junit_looks_as_it_should() -> None:
    assert junit.render(MATRIX) == (GOLDEN / "confirm.xml").read_text(encoding="utf-8")


@BOTH
def test_junit_counts_what_it_holds(report: ConfirmReport) -> None:
    (suite,) = ET.fromstring(junit.render(report))
    held = {
        "tests": suite.findall("testcase"),
        "failures": suite.findall("testcase/failure"),
        "skipped": suite.findall("testcase/skipped"),
        "errors": suite.findall("testcase/error"),
    }
    assert {key: int(suite.attrib[key]) for key in held} == {key: len(elements) for key, elements in held.items()}
    assert len(held["tests"]) == len(report.cells) + len(report.errors)


@pytest.mark.parametrize(
    ("number", "tag", "message"),
    [
        (0, None, None),
        (1, None, None),
        (2, "failure", f"/site/ctranslate2/_ext.so: predicted: loads; observed: {SHOWN}"),
        (3, "skipped", "the prediction depends"),
        (4, "skipped", "ERROR: No matching distribution found for ctranslate2==4.4.0"),
        (5, "skipped", "not as predicted, on a host that changes by itself"),
        (6, "error", f"no space left; prune images {SHOWN}"),
    ],
)
def test_junit_says_what_became_of_each_case(number: int, tag: str | None, message: str | None) -> None:
    case = ET.fromstring(junit.render(MATRIX)).findall("testsuite/testcase")[number]
    told = [(each.tag, each.attrib["message"]) for each in case if each.tag != "system-out"]
    assert told == ([] if tag is None else [(tag, message)])


def test_junit_holds_differences_the_way_by_hand_and_the_output_line_by_line() -> None:
    root = ET.fromstring(junit.render(MATRIX))
    failure = root.find("testsuite/testcase/failure")
    assert failure is not None
    assert failure.text is not None
    assert failure.text.splitlines()[-1] == "last ]]> line"
    assert "predicted: loads; observed: signal: SIGSEGV" in failure.text.splitlines()
    assert any(line.startswith("by hand: docker run `a``b` | ]]> <img") for line in failure.text.splitlines())
    assert [case.findtext("system-out") for case in root.findall("testsuite/testcase")][:2] == [
        "predicted: loads\nobserved: loads\n2 clips: ask not / What your country",
        f"predicted: {REFUSED}\nobserved: {REFUSED}",
    ]


def test_junit_is_utf_8_whatever_is_in_it() -> None:
    ET.fromstring(junit.render(MATRIX).encode("utf-8"))
    everything = "".join(map(chr, range(0x3000))) + "\ud800\udcff\ufffe\uffff\U000e0001"
    (suite,) = ET.fromstring(junit.render(SINGLE._replace(name=everything)).encode("utf-8"))
    assert suite.attrib["name"].isprintable()


@pytest.mark.parametrize("report", [MATRIX, SINGLE, EMPTY, SINGLE._replace(engine="podman")])
def test_json_is_valid_in_ascii(report: ConfirmReport) -> None:
    document = _valid(report)
    assert (document["verdict"], document["agree"], document["engine"]) == (report.verdict, report.agree, report.engine)
    assert [each["cell"] for each in document["results"]] == [each.cell.name for each in report.cells]


def test_json_holds_both_sides_of_a_cell() -> None:
    results = _valid(MATRIX)["results"]
    assert results[0]["observed"] == {
        "verdict": "loads",
        "text": None,
        "transcript": "ask not / What your country",
        "seconds": 2.346,
        "clips": [
            {"audio": "one.wav", "expected": "Ask not.", "text": "ask not", "wrong": []},
            {"audio": "two.wav", "expected": "What your country", "text": "What your country", "wrong": []},
        ],
        "output": "",
    }
    assert [each["agree"] for each in results] == [True, True, False, None, None, False]
    assert [each["rolling"] for each in results] == [False] * 5 + [True]
    assert results[2]["observed"]["text"] == NASTY
    assert results[2]["differences"] == list(DISAGREES.differences)
    assert (results[2]["remedy"], results[2]["settings"]) == ("set-tunable", {"GLIBC_TUNABLES": "x=2"})
    assert results[4]["observed"] is None
    assert results[5]["observed"]["clips"][0]["wrong"] == ["ask what"]


def test_the_schema_is_one_and_every_key_is_required() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert set(SCHEMA["properties"]) == set(SCHEMA["required"])
    result = SCHEMA["$defs"]["result"]
    assert set(result["properties"]) == set(result["required"])


def test_a_cell_holds_what_a_result_of_check_does_described_alike() -> None:
    of_check = {
        key: value for key, value in CHECK["$defs"]["result"]["properties"].items() if key in CHECK["$defs"]["result"]["required"]
    }
    of_confirm = SCHEMA["$defs"]["result"]["properties"]
    assert {key: of_confirm.get(key) for key in of_check} == of_check
    assert SCHEMA["$defs"]["verdict"] == CHECK["$defs"]["verdict"]


@pytest.mark.parametrize("change", [{"verdict": "maybe"}, {"schema_version": 2}, {"engine": "lxc"}, {"agree": 1}, {"extra": 1}])
def test_the_schema_refuses_anything_else(change: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate({**json.loads(as_json.render(SINGLE)), **change})


@pytest.mark.parametrize("change", [{"observed": {}}, {"deed": "guess"}, {"remedy": "pray"}, {"tree": []}])
def test_the_schema_refuses_any_other_cell(change: dict[str, Any]) -> None:
    document = json.loads(as_json.render(SINGLE))
    document["results"][0] |= change
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(document)


def test_without_cells_a_reader_is_told_only_of_errors() -> None:
    assert terminal.render(EMPTY, colour=False) == markdown.render(EMPTY) == ""
    assert markdown.render(EMPTY._replace(errors=MATRIX.errors)).startswith("- not done: ``` glibc-2.43 ")

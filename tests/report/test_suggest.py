from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema

from abicheck.model.report import Failure, Tool
from abicheck.model.suggest import Release, Suggestion, SuggestReport
from abicheck.report.suggest import json as as_json
from abicheck.report.suggest import markdown, terminal
from tests.report.conftest import DEPENDS, FAILS, LOADS

SCHEMA: dict[str, Any] = json.loads((files("abicheck.report") / "schema/suggest.json").read_text(encoding="utf-8"))
RELEASES = (
    Release("4.8.0", (LOADS,)),
    Release("4.6.0", (LOADS,)),
    Release("4.5.0", (FAILS,)),
    Release("4.4.0", (DEPENDS,), (Failure("demo", "no\x1bsuch file"),)),
)
REPORT = SuggestReport(
    Tool("abicheck", "0.1.0"),
    ("debian:13",),
    (Suggestion("demo>=4", "4.8.0", "demo>=4.6.0", RELEASES, 7), Suggestion("other", None, None, RELEASES[2:3])),
    RELEASES[3].failures,
)


def test_the_answer_comes_first_and_neighbours_share_a_row() -> None:
    lines = terminal.render(REPORT, colour=False).splitlines()
    assert lines[0] == "✓ demo>=4: 4.8.0 is the newest that loads"
    assert lines[2].startswith("  4.6.0\N{EN DASH}4.8.0  ✓ ")
    assert lines[3].startswith("  4.5.0        ✗ ")
    assert lines[3].endswith(": exec stack")
    assert lines[5] == "               not judged: no\\x1bsuch file"
    assert lines[6:9] == ["  7 older      not judged", "", "  constraint: demo>=4.6.0"]
    assert "✗ other: its only release does not load" in lines


def test_markdown_has_a_table_and_the_constraints() -> None:
    text = markdown.render(REPORT)
    assert "### ✓ demo>=4: 4.8.0 is the newest that loads" in text.replace("\\", "")
    assert "| releases | hosts |\n|---|---|\n" in text
    assert text.endswith("demo>=4.6.0\n```\n")
    assert "\x1b" not in text


def test_json_is_valid() -> None:
    document = json.loads(as_json.render(REPORT))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert document["suggestions"][0]["releases"][0]["loads"] is True
    assert [each["loads"] for each in document["suggestions"][0]["releases"]] == [True, True, False, False]
    assert document["constraints"] == "demo>=4.6.0\n"


def test_nothing_loads_is_an_answer() -> None:
    assert REPORT._replace(errors=()).exit_code == 0
    assert REPORT.exit_code == 4

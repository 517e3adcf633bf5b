"""Annotations of a check, read as GitHub's runner reads workflow commands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abicheck.model.report import Failure, Report, Tool
from abicheck.report.alerts import check, github
from tests.report.conftest import DEPENDS, FAILS, IGNORED, LOADS, REFUSED, REPORTS
from tests.report.grids import many_cells

if TYPE_CHECKING:
    from abicheck.model.report import Result


def _rendered(*results: Result, **more: Any) -> str:
    return github.render(check.alerts(Report(Tool("abicheck", "0.1.0"), results, **more), "/srv"))


def _read(text: str) -> tuple[list[tuple[str, dict[str, str], str]], list[str]]:
    """The commands, as the runner takes them apart (ActionCommand.TryParseV2), and the lines that are none."""
    commands, others = [], []
    for line in re.split(r"\r\n|\r|\n", text.removesuffix("\n")):
        if not line.lstrip().startswith("::"):
            others.append(line)
            continue
        head, _, data = line.lstrip()[2:].partition("::")
        level, _, told = head.partition(" ")
        pairs = (each.partition("=")[::2] for each in told.split(","))
        properties = {name: _unescaped(_unescaped(value, (":", ",")), ("\r", "\n", "%")) for name, value in pairs}
        commands.append((level, properties, _unescaped(data, ("\r", "\n", "%"))))
    return commands, others


def _unescaped(text: str, characters: tuple[str, ...]) -> str:
    for each in characters:
        text = text.replace(f"%{ord(each):02X}", each)
    return text


def test_errors_and_warnings_are_annotations_and_the_figures_come_last() -> None:
    pinned = tuple(each._replace(location="requirements.txt:3") for each in FAILS.findings)
    commands, (figures,) = _read(_rendered(FAILS._replace(findings=pinned), LOADS))
    levels = [(level, properties.get("file"), properties.get("line"), properties["title"]) for level, properties, _ in commands]
    assert levels == [
        ("error", "requirements.txt", "3", "ctranslate2 4.4.0: exec-stack-refused"),
        ("warning", "requirements.txt", "3", "ctranslate2 4.4.0: relative-rpath"),
    ]
    assert commands[0][2].splitlines()[0] == f"ImportError: {REFUSED}"
    assert commands[0][2].splitlines()[-1].startswith("→ ")
    assert figures.startswith("✗ 1 artifact · 2 hosts · ")


@pytest.mark.parametrize(
    ("name", "mark", "levels"),
    [("loads", "✓", []), ("depends", "?", ["warning"]), ("fails", "✗", ["error", "warning"]), ("ignored", "✓", ["warning"])],
)
def test_the_mark_says_what_the_exit_code_says(name: str, mark: str, levels: list[str]) -> None:
    commands, (figures,) = _read(github.render(check.alerts(REPORTS[name], "/srv")))
    assert [level for level, _, _ in commands] == levels
    assert figures.startswith(f"{mark} ")


def test_what_is_in_no_file_names_none() -> None:
    for result in (FAILS, DEPENDS, IGNORED):
        assert all("file" not in properties for _, properties, _ in _read(_rendered(result))[0])


def test_what_could_not_be_judged_is_an_error_at_its_line() -> None:
    failures = (Failure("/srv/uv.lock:4", "this is from a path"), Failure("debian:99", "there is no such host"))
    commands, (figures,) = _read(_rendered(errors=failures))
    assert commands == [
        ("error", {"file": "uv.lock", "line": "4", "title": "abicheck"}, "/srv/uv.lock:4: this is from a path"),
        ("error", {"title": "abicheck"}, "debian:99: there is no such host"),
    ]
    assert figures.startswith("? ")


def test_an_ignore_that_has_expired_is_an_error_at_its_line() -> None:
    (command,), (figures,) = _read(_rendered(LOADS, expired=(Failure("abicheck.toml:3", "has expired"),)))
    assert command == ("error", {"file": "abicheck.toml", "line": "3", "title": "abicheck"}, "abicheck.toml:3: has expired")
    assert figures.startswith("? ")


def test_no_more_are_written_than_are_shown() -> None:
    commands, (figures,) = _read(github.render(check.alerts(many_cells(), "/srv")))
    levels = [level for level, _, _ in commands]
    assert levels.count("error") == levels.count("warning") == 10
    assert int(re.search(r" · (\d+) more not shown$", figures.replace(",", ""))[1]) > 10  # type: ignore[index]


@given(st.text(min_size=1))
def test_foreign_text_is_nothing_but_text(text: str) -> None:
    finding = FAILS.findings[0]._replace(message=text, object=text, evidence=(text,), location=f"{text}:7")
    result = FAILS._replace(artifact=FAILS.artifact._replace(name=text, version=text), predicted=text, findings=(finding,))
    commands, others = _read(_rendered(result, errors=(Failure(text, text),)))
    assert [level for level, _, _ in commands] == ["error", "error"]
    assert len(others) == 1
    assert set(commands[0][1]) == {"file", "line", "title"}
    assert commands[0][1]["line"] == "7"

"""Small programs in the shape of known bugs, and of what only looks like one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from abicheck.api.lint import lint
from abicheck.api.rules import source_rules

SHAPES = Path(__file__).parent / "shapes"
#: A line that is to be found says so itself.
_EXPECTED = re.compile(r"(?://|<!--).*\bFOUND: (?P<rules>[a-z-]+(?:, [a-z-]+)*)")
_BESIDE = re.compile(r"// beside (?P<name>\S+) with (?P<content>.*)")


def _sources(kind: str) -> list[Path]:
    """All shapes; those that need a build beside them have a directory of their own, with that of the build."""
    return sorted(file for file in SHAPES.glob(f"{kind}/**/*.*") if file.suffix != ".txt")


def _expected(file: Path) -> list[tuple[int, str]]:
    lines = enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
    return sorted(
        (number, rule) for number, line in lines if (match := _EXPECTED.search(line)) for rule in match["rules"].split(", ")
    )


def _found(path: Path) -> list[tuple[int, str]]:
    report = lint([str(path)])
    assert not report.errors
    return sorted((each.line, each.rule) for each in report.findings)


@pytest.mark.parametrize("file", _sources("bad"), ids=lambda file: file.name)
def test_known_bugs_are_found_where_they_are(file: Path) -> None:
    expected = _expected(file)
    assert expected
    assert _found(file) == expected


@pytest.mark.parametrize("file", _sources("good"), ids=lambda file: file.name)
def test_fixes_and_what_is_synchronous_or_owning_are_silent(file: Path) -> None:
    assert _found(file) == []


@pytest.mark.parametrize("rule", [each for each in source_rules() if each != "ignore-without-reason"])
def test_the_example_of_a_page_breaks_its_rule_alone_and_its_fix_none(rule: str, tmp_path: Path) -> None:
    page = source_rules()[rule]
    assert [name for _, name in _found(_written(page.example, tmp_path))] == [rule]
    assert _found(_written(page.fix, tmp_path)) == []


def _written(example: str, folder: Path) -> Path:
    """The example as a file, and the one beside it that it speaks of."""
    beside = _BESIDE.search(example)
    if beside is not None:
        (folder / beside["name"]).write_text(beside["content"], encoding="utf-8")
    source = folder / ("example.html" if example.startswith("<") else "example.js" if beside is not None else "example.cpp")
    source.write_text(example, encoding="utf-8")
    return source


def test_every_rule_has_an_example_and_a_shape() -> None:
    shown = {rule for file in _sources("bad") for _, rule in _expected(file)}
    assert {*shown, "ignore-without-reason"} == set(source_rules())
    assert all(page.example and page.fix for page in source_rules().values())

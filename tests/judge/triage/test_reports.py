"""What people wrote, and what triage makes of it. README.md in `reports` describes the form; `held_out` is measured elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from abicheck.judge.triage.read import read_report
from abicheck.read.toml import parse_toml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.model.triage import Diagnosis

FOLDERS = ("reports", "held_out")


def _reports(folder: str) -> Iterator[dict[str, Any]]:
    for path in sorted((Path(__file__).parent / folder).glob("*.toml")):
        yield from parse_toml(path.read_text(encoding="utf-8"))["report"]


def _diagnosis(report: dict[str, Any]) -> Diagnosis:
    return read_report(report["text"].encode())


def _first(report: dict[str, Any]) -> str:
    causes = _diagnosis(report).causes
    return causes[0].class_ if causes else ""


def _right(report: dict[str, Any]) -> bool:
    return _first(report) in (report["class"], *report.get("also", ()))


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_first_cause_is_right(folder: str) -> None:
    reports = list(_reports(folder))
    wrong = [f"{each['source']}: {_first(each)!r} for {each['class']!r}" for each in reports if not _right(each)]
    if len(wrong) > 0.05 * len(reports):
        pytest.fail(_told(folder, wrong, len(reports)))


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_is_claimed_of_what_is_no_question_of_the_environment(folder: str) -> None:
    reports = [each for each in _reports(folder) if not each["class"]]
    claimed = [each["source"] for each in reports if not _right(each)]
    if claimed:
        pytest.fail(_told(folder, claimed, len(reports)))


def _told(folder: str, wrong: list[str], count: int) -> str:
    """How many, and which: but of what is held out nobody is to be told, so that it stays a measure."""
    return "\n".join((f"{len(wrong)} of {count} in {folder}", *(wrong if folder != "held_out" else ())))


@pytest.mark.parametrize("report", list(_reports("reports")), ids=lambda report: report["source"])
def test_what_follows_is_found_too(report: dict[str, Any]) -> None:
    classes = [cause.class_ for cause in _diagnosis(report).causes]
    assert set(report.get("then", ())) <= set(classes[1:])


@pytest.mark.parametrize("report", [each for each in _reports("reports") if "culprit" in each], ids=lambda each: each["source"])
def test_the_culprit_is_named(report: dict[str, Any]) -> None:
    if _first(report) == report["class"]:
        assert report["culprit"] in str(_diagnosis(report).causes[0].culprit)


def _same(wanted: object, got: object) -> bool:
    """A longer version says the same; Linux and Debian call one machine by two names."""
    if not isinstance(wanted, str) or not isinstance(got, str):
        return wanted == got
    return got == wanted.replace("arm64", "aarch64") or got.startswith((f"{wanted}.", f"{wanted}+"))


def test_the_facts_are_found() -> None:
    """Of the facts that the reports are known to hold, nearly all."""
    known, missed = 0, []
    for report in _reports("reports"):
        facts = _diagnosis(report).facts
        have = {**facts._asdict(), "container": facts.container is not None, "packages": dict(facts.packages)}
        wanted = {**report.get("facts", {})}
        pairs = [(key, value, have["packages"].get(key)) for key, value in wanted.pop("packages", {}).items()]
        pairs += [(key, value, have.get(key)) for key, value in wanted.items()]
        known += len(pairs)
        missed += [f"{report['source']}: {key} {value!r}, not {got!r}" for key, value, got in pairs if not _same(value, got)]
    assert len(missed) <= 0.05 * known, f"{len(missed)} of {known} missed:\n" + "\n".join(missed)

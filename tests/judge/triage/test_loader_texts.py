"""Every text of the loaders has a class, and what the simulation predicts is read as the rule that it stands for."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from abicheck.judge.rules import pages
from abicheck.judge.triage.read import read_report
from abicheck.model.process import ErrorKind
from abicheck.read.toml import parse_toml

TABLE = parse_toml((Path(__file__).parent / "loader_texts.toml").read_text(encoding="utf-8"))


def _texts(section: str) -> list[tuple[str, str]]:
    return [(class_, text) for class_, texts in TABLE[section].items() for text in texts]


def _classes(text: str, *, environment: bool = True) -> list[str]:
    diagnosis = read_report(text.encode())
    assert not (diagnosis.others if environment else diagnosis.causes)
    return [cause.class_ for cause in (diagnosis.causes if environment else diagnosis.others)]


@pytest.mark.parametrize(("class_", "text"), _texts("environment"))
def test_a_text_has_its_class_and_no_other(class_: str, text: str) -> None:
    assert _classes(text) == [class_]
    assert _classes(f'Traceback (most recent call last):\n  File "x.py", line 1\nImportError: {text}') == [class_]


@pytest.mark.parametrize(("class_", "text"), _texts("not-environment"))
def test_what_the_callers_code_did_is_no_environment(class_: str, text: str) -> None:
    assert _classes(text, environment=False) == [class_]


def test_every_kind_of_error_is_a_class() -> None:
    """A kind is the name of a rule; triage must know a text for it."""
    assert set(get_args(ErrorKind)) <= set(pages.names())
    assert set(get_args(ErrorKind)) <= TABLE["environment"].keys()

"""What a run exits with: the findings that count, what was not judged, and what is required."""

from __future__ import annotations

import pytest

from abicheck.model.report import Excuse, Failure, Report, Result, Tool
from tests.report.conftest import DEPENDS, FAILS, IGNORED, LOADS, NOT_INSTALLABLE, distribution, pure

FAILURE = (Failure("a.so", "no such file"),)
EXCUSED = NOT_INSTALLABLE.findings[0]._replace(excuse=Excuse("abicheck.toml", "we build it"))
WARNED = FAILS.findings[0]._replace(severity="warning")


@pytest.mark.parametrize(
    ("results", "errors", "required", "code"),
    [
        ((LOADS, pure("tqdm", "4")), (), (), 0),
        ((LOADS._replace(findings=(WARNED,)),), (), (), 0),
        ((LOADS._replace(findings=FAILS.findings[:1]),), (), (), 1),
        ((LOADS, FAILS), FAILURE, (), 1),
        ((IGNORED,), (), (), 0),
        ((IGNORED,), FAILURE, (), 4),
        ((IGNORED, DEPENDS), (), (), 3),
        ((IGNORED,), (), ("cpu",), 1),
        ((FAILS._replace(findings=()),), (), (), 1),
        ((NOT_INSTALLABLE._replace(findings=(), ignored=NOT_INSTALLABLE.findings),), (), (), 1),
        ((NOT_INSTALLABLE._replace(findings=(), ignored=(EXCUSED,)),), (), (), 0),
        ((NOT_INSTALLABLE._replace(ignored=(EXCUSED,)),), (), (), 1),
        ((NOT_INSTALLABLE._replace(findings=(), ignored=(EXCUSED,)),), (), ("cpu",), 1),
        ((DEPENDS, LOADS), (), (), 3),
        ((DEPENDS, LOADS), FAILURE, (), 4),
        ((LOADS,), (), ("cuda",), 1),
        ((LOADS,), (), ("cpu",), 0),
        ((distribution("a", "1", capabilities=(("cpu", "loads"), ("cuda", "depends"))),), (), ("cuda",), 3),
        ((), FAILURE, (), 4),
    ],
)
def test_exit_code(results: tuple[Result, ...], errors: tuple[Failure, ...], required: tuple[str, ...], code: int) -> None:
    assert Report(Tool("abicheck", "0"), results, errors, required=required).exit_code == code


def test_an_expired_ignore() -> None:
    report = Report(Tool("abicheck", "0"), (LOADS, DEPENDS), expired=FAILURE)
    assert report.exit_code == 4
    assert report._replace(results=(FAILS,)).exit_code == 1

"""What a run exits with: the findings that count, what was not judged, and what is required."""

from __future__ import annotations

import pytest

from abicheck.model.report import Failure, Report, Result, Tool
from tests.report.conftest import DEPENDS, FAILS, IGNORED, LOADS, NOT_INSTALLABLE, distribution, pure

FAILURE = (Failure("a.so", "no such file"),)
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

"""What `confirm` exits with: what is not as predicted, what was not done, and what depends."""

from __future__ import annotations

import pytest

from abicheck.model.confirm import Confirmed, Heard, Observed
from abicheck.model.report import Failure
from tests.report.confirmed import DEPENDS, DISAGREES, FAILS_AS_PREDICTED, HEARD, NO_WHEEL, ROLLING, SINGLE

FAILURE = (Failure("glibc-2.44", "no space left"),)
DEPENDS_ROLLING = DEPENDS._replace(rolling=True)


@pytest.mark.parametrize(
    ("cells", "errors", "agree", "code"),
    [
        ((HEARD, FAILS_AS_PREDICTED), (), True, 0),
        ((HEARD, FAILS_AS_PREDICTED), FAILURE, True, 4),
        ((HEARD, DISAGREES), (), False, 1),
        ((HEARD, DISAGREES, DEPENDS), FAILURE, False, 1),
        ((HEARD, ROLLING), (), True, 0),
        ((ROLLING,), (), None, 0),
        ((ROLLING, DISAGREES), (), False, 1),
        ((HEARD, DEPENDS), (), True, 3),
        ((DEPENDS,), (), None, 3),
        ((DEPENDS,), FAILURE, None, 4),
        ((HEARD, DEPENDS_ROLLING), (), True, 0),
        ((NO_WHEEL,), (), None, 0),
        ((HEARD, NO_WHEEL), (), True, 0),
        ((), (), None, 4),
        ((), FAILURE, None, 4),
    ],
)
def test_exit_code(cells: tuple[Confirmed, ...], errors: tuple[Failure, ...], agree: bool | None, code: int) -> None:  # noqa: FBT001
    report = SINGLE._replace(cells=cells, errors=errors)
    assert (report.agree, report.exit_code) == (agree, code)


@pytest.mark.parametrize(
    ("cells", "verdict"),
    [
        ((), None),
        ((HEARD,), "loads"),
        ((HEARD, DEPENDS), "depends"),
        ((DEPENDS, NO_WHEEL), "not-installable"),
        ((NO_WHEEL, FAILS_AS_PREDICTED), "fails"),
    ],
)
def test_the_verdict_is_the_worst_prediction(cells: tuple[Confirmed, ...], verdict: str | None) -> None:
    assert SINGLE._replace(cells=cells).verdict == verdict


@pytest.mark.parametrize(
    ("texts", "transcript"),
    [((), None), ((None,), None), (("a", None, "b"), "a / b"), (("",), "")],
)
def test_a_transcript_is_what_was_heard_of_all_clips(texts: tuple[str | None, ...], transcript: str | None) -> None:
    heard = tuple(Heard("a.wav", "words", text) for text in texts)
    assert Observed("loads", None, heard).transcript == transcript

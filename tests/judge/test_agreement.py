"""The observation beside the prediction, to the letter."""

from __future__ import annotations

from typing import Any

import pytest

from abicheck.judge.agreement import compare, heard_right, predicted_failures, words
from abicheck.model.confirm import Heard, Observed
from abicheck.model.report import (
    Artifact,
    Finding,
    HostSummary,
    PythonSummary,
    Result,
    RootResult,
    Verdict,
)

HOST = HostSummary("glibc-2.41", "rootfs", "x86_64", "glibc", "2.41")
PYTHON = PythonSummary("3.9", "cp39", "/usr/bin/python3.9")
REFUSED = "libct.so: cannot enable executable stack as shared object requires: Invalid argument"
MISSING = "libgomp.so.1: cannot open shared object file: No such file or directory"
RIGHT = Heard("one.wav", "Ask not, America!", "ask not America")
SEGFAULT = Observed("fails", "signal: SIGSEGV")
ALL_WELL = Observed("loads", None, (RIGHT,))


def _root(name: str, predicted: str | None = None, verdict: Verdict | None = None) -> RootResult:
    return RootResult(f"/site/{name}", "extension", verdict or ("fails" if predicted else "loads"), predicted)


def _result(name: str, verdict: Verdict, *roots: RootResult, **more: Any) -> Result:
    predicted = next((root.predicted for root in roots if root.verdict == verdict), None)
    return Result(Artifact(name, name, "distribution", "1"), HOST, PYTHON, verdict, predicted, roots=roots, **more)


LOADS = _result("ct", "loads", _root("ct/_ext.so"))
FAILS = _result("ct", "fails", _root("ct/_ext.so", REFUSED), _root("ct/_other.so", MISSING))
DEPENDS = _result("ct", "depends", _root("ct/_ext.so", REFUSED, "depends"))
OTHER_FAILS = _result("av", "fails", _root("av/_core.so", MISSING))
SILENT = _result(
    "ct",
    "fails",
    _root("ct/_ext.so"),
    _root("ct/_fast.so", MISSING),
    findings=(Finding("extension-silently-missing", "warning", "certain", "ct/_fast.so", "It does without."),),
)


#: As a browser, of which it is not known what it says.
WORDLESS = _result("m.wasm", "fails", _root("m.wasm", None, "fails"))


def _observed(text: str | None, *extensions: tuple[str, str | None]) -> Observed:
    return Observed("loads" if text is None else "fails", text, extensions=tuple((f"/site/{p}", t) for p, t in extensions))


@pytest.mark.parametrize(
    ("results", "observed", "differences"),
    [
        pytest.param((LOADS,), ALL_WELL, (), id="loads, and did"),
        pytest.param((WORDLESS,), _observed("CompileError: expected 0x61"), (), id="fails, whatever it says, and did"),
        pytest.param(
            (WORDLESS,), _observed(None), ("predicted: fails; observed: loads",), id="fails, whatever it says, and did not"
        ),
        pytest.param(
            (WORDLESS,), SEGFAULT, ("predicted: fails; observed: signal: SIGSEGV",), id="a crash is none of the failures expected"
        ),
        pytest.param((LOADS,), _observed(None, ("ct/_ext.so", None)), (), id="loads, and its extension did"),
        pytest.param((LOADS,), SEGFAULT, ("predicted: loads; observed: signal: SIGSEGV",), id="loads, and was killed"),
        pytest.param(
            (LOADS,),
            _observed(REFUSED, ("ct/_ext.so", REFUSED)),
            (f"/site/ct/_ext.so: predicted: loads; observed: {REFUSED}", f"predicted: loads; observed: {REFUSED}"),
            id="loads, and was refused",
        ),
        pytest.param(
            (LOADS,),
            _observed(None, ("ct/_ext.so", MISSING)),
            (f"/site/ct/_ext.so: predicted: loads; observed: {MISSING}",),
            id="loads, and Python did without an extension that does not",
        ),
        pytest.param((LOADS,), _observed(None, ("stdlib/_ssl.so", MISSING)), (), id="an extension that nobody judged"),
        pytest.param(
            (LOADS,),
            Observed("loads", None, (RIGHT, RIGHT._replace(text="ask what"))),
            ("one.wav: expected 'Ask not, America!'; heard 'ask what'",),
            id="loads, and heard something else",
        ),
        pytest.param(
            (LOADS,),
            Observed("loads", None, (RIGHT._replace(text=None),)),
            ("one.wav: expected 'Ask not, America!'; heard nothing",),
            id="loads, and heard nothing",
        ),
        pytest.param(
            (LOADS,),
            Observed("loads", None, (RIGHT._replace(wrong=("ask", "what")),)),
            ("one.wav: expected 'Ask not, America!'; heard 'ask not America', and under load 'ask', 'what'",),
            id="loads, and heard something else under load",
        ),
        pytest.param((FAILS,), _observed(REFUSED), (), id="fails, with the text"),
        pytest.param(
            (FAILS,),
            _observed(REFUSED, ("ct/_ext.so", REFUSED), ("ct/_other.so", MISSING)),
            (),
            id="fails, each extension with its text",
        ),
        pytest.param(
            (FAILS,),
            _observed(f"ImportError: {REFUSED}"),
            (f"predicted: {REFUSED}; observed: ImportError: {REFUSED}",),
            id="fails, with nearly the text",
        ),
        pytest.param((FAILS,), SEGFAULT, (f"predicted: {REFUSED}; observed: signal: SIGSEGV",), id="fails, with another text"),
        pytest.param(
            (FAILS,),
            SEGFAULT._replace(extensions=(("/site/ct/_ext.so", REFUSED),)),
            (f"predicted: {REFUSED}; observed: signal: SIGSEGV",),
            id="fails as predicted, and then is killed",
        ),
        pytest.param((FAILS,), ALL_WELL, (f"predicted: {REFUSED}; observed: loads",), id="fails, and loads"),
        pytest.param(
            (FAILS,),
            _observed(REFUSED, ("ct/_ext.so", REFUSED), ("ct/_other.so", None)),
            (f"/site/ct/_other.so: predicted: {MISSING}; observed: loads",),
            id="fails, but one extension of two does not",
        ),
        pytest.param(
            (FAILS,),
            _observed(MISSING, ("ct/_ext.so", MISSING)),
            (f"/site/ct/_ext.so: predicted: {REFUSED}; observed: {MISSING}",),
            id="fails, an extension with the text of another",
        ),
        pytest.param(
            (FAILS,),
            _observed(None, ("ct/_ext.so", REFUSED)),
            (),
            id="fails, with the text where it was opened by its path and no import led there",
        ),
        pytest.param(
            (OTHER_FAILS, DEPENDS),
            _observed(MISSING, ("ct/_ext.so", None), ("av/_core.so", MISSING)),
            (),
            id="fails, beside an extension of which nothing certain is said",
        ),
        pytest.param((SILENT,), ALL_WELL, (), id="an extension is silently missing"),
        pytest.param((SILENT,), _observed(None, ("ct/_fast.so", MISSING)), (), id="an extension is seen silently missing"),
        pytest.param(
            (SILENT,),
            _observed(MISSING, ("ct/_fast.so", MISSING)),
            (f"predicted: loads; observed: {MISSING}",),
            id="an extension is missed aloud",
        ),
        pytest.param(
            (SILENT,),
            _observed(None, ("ct/_fast.so", None)),
            (f"/site/ct/_fast.so: predicted: {MISSING}; observed: loads",),
            id="an extension that should be silently missing is there",
        ),
    ],
)
def test_what_is_not_as_predicted_is_said(results: tuple[Result, ...], observed: Observed, differences: tuple[str, ...]) -> None:
    agreement = compare(results, observed)
    assert agreement.differences == differences
    assert agreement.agree is not bool(differences)


@pytest.mark.parametrize("observed", [ALL_WELL, SEGFAULT, _observed(REFUSED, ("ct/_ext.so", REFUSED))])
@pytest.mark.parametrize("results", [(DEPENDS,), (LOADS, DEPENDS)])
def test_what_depends_is_not_compared(results: tuple[Result, ...], observed: Observed) -> None:
    agreement = compare(results, observed)
    assert agreement.agree is None
    assert agreement.differences == ()
    assert agreement.result == DEPENDS


@pytest.mark.parametrize(
    ("results", "decides"),
    [
        ((LOADS, LOADS._replace(artifact=Artifact("av", "av"))), "ct"),
        ((LOADS, OTHER_FAILS), "av"),
        ((DEPENDS, OTHER_FAILS), "av"),
        ((FAILS, OTHER_FAILS), "ct"),
        ((SILENT, OTHER_FAILS), "av"),
    ],
)
def test_the_first_of_the_worst_decides(results: tuple[Result, ...], decides: str) -> None:
    assert compare(results, SEGFAULT).result.artifact.name == decides


@pytest.mark.parametrize(
    ("results", "observed", "predicted"),
    [
        ((FAILS,), _observed(REFUSED), REFUSED),
        ((FAILS,), _observed(MISSING), MISSING),
        ((FAILS, OTHER_FAILS._replace(roots=(_root("av/_core.so", "text of av"),))), _observed("text of av"), "text of av"),
        ((FAILS,), _observed("ImportError", ("ct/_other.so", MISSING), ("ct/_ext.so", REFUSED)), MISSING),
        ((FAILS,), _observed(MISSING, ("ct/_ext.so", REFUSED)), MISSING),
        ((FAILS,), SEGFAULT, REFUSED),
        ((LOADS,), SEGFAULT, None),
    ],
)
def test_the_text_of_the_failure_that_is_met_first_is_the_prediction(
    results: tuple[Result, ...], observed: Observed, predicted: str | None
) -> None:
    assert compare(results, observed).result.predicted == predicted


def test_what_is_silently_missing_makes_the_prediction_one_of_loading() -> None:
    assert SILENT.predicted == MISSING
    assert compare((SILENT,), ALL_WELL).result[3:5] == ("loads", None)


@pytest.mark.parametrize(
    "roots",
    [
        (_root("ct/_ext.so", REFUSED), _root("ct/_fast.so", MISSING)),
        (_root("ct/not_fast.so", MISSING),),
        (_root("other/xct/_fast.so", MISSING),),
    ],
)
def test_a_failure_that_its_code_does_not_do_without_stays_one(roots: tuple[RootResult, ...]) -> None:
    assert compare((SILENT._replace(roots=roots),), ALL_WELL).agree is False


def test_the_failures_are_those_that_are_certain_in_order() -> None:
    assert [root.path for root in predicted_failures((LOADS, SILENT, DEPENDS, OTHER_FAILS))] == [
        "/site/ct/_fast.so",
        "/site/av/_core.so",
    ]


@pytest.mark.parametrize(
    ("text", "compared"),
    [
        (" And so, my fellow Americans: ASK not!\n", "and so my fellow americans ask not"),
        ("don't -- do", "don't do"),
        ("'quoted'", "quoted"),
        ("STRASSE Straße", "strasse strasse"),
        ("one two", "one two"),
        ("…?!", ""),
    ],
)
def test_words_are_compared_without_case_and_punctuation(text: str, compared: str) -> None:
    assert words(text) == compared


@pytest.mark.parametrize(
    ("heard", "right"),
    [
        (RIGHT, True),
        (RIGHT._replace(text="ASK -- not america"), True),
        (RIGHT._replace(text="ask not America again"), False),
        (RIGHT._replace(text="not ask America"), False),
        (RIGHT._replace(text=""), False),
        (RIGHT._replace(text=None), False),
        (RIGHT._replace(wrong=("Ask not America.",)), True),
        (RIGHT._replace(wrong=("ask not America", "ask")), False),
    ],
)
def test_a_clip_is_heard_right_if_it_is_each_time(heard: Heard, right: bool) -> None:  # noqa: FBT001
    assert heard_right(heard) is right

"""Confirms on this machine: a prediction for what is installed, then an import and a transcription in fresh processes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from abicheck import __version__
from abicheck.act.confirm.observe import Ask, observe
from abicheck.act.confirm.places import Here
from abicheck.api.checking import check
from abicheck.api.options import Options
from abicheck.api.selection import environment_of
from abicheck.errors import TargetError
from abicheck.judge.agreement import compare, heard_right, predicted_failures
from abicheck.model.confirm import Cell, Confirmed, ConfirmReport
from abicheck.model.report import Tool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from abicheck.model.confirm import Observed, Speech

#: What transcription takes: the distributions that are judged with all that they require, and their modules.
_DISTRIBUTIONS = ("ctranslate2", "faster-whisper")
_MODULES = ("ctranslate2", "faster_whisper")


def confirm_here(
    speech: Speech,
    *,
    environment: str | None = None,
    settings: Mapping[str, str] | None = None,
    runs: int = 3,
    seconds: float = 300.0,
    progress: Callable[[str], None] | None = None,
) -> ConfirmReport:
    """Predict whether ctranslate2 and faster-whisper load here, then import them and transcribe in `runs` fresh processes.

    The first process transcribes with all threads of `speech`, the others with one. `environment` is the directory or Python in
    which they are installed (None: `$VIRTUAL_ENV`, else this interpreter's). `settings` are set for the prediction and for the
    processes, each of which may take `seconds`. What is not installed is listed in `ConfirmReport.errors`.

    Raises:
        TargetError: there is no such environment, or no Python in it.

    """
    started = time.perf_counter()
    progress = progress or (lambda _: None)
    found = environment_of(environment)
    if found.python is None:
        raise TargetError("no Python in it; name a virtual environment with --env", found.prefix)
    progress("predicting")
    options = Options(environment=environment)
    report = check(_DISTRIBUTIONS, python=found.python if environment else None, settings=settings, options=options)
    lacking = {failure.target for failure in report.errors}
    errors = [
        each._replace(message=_absent(found.prefix)) if each.message.startswith("not installed") else each
        for each in report.errors
    ]
    cells: tuple[Confirmed, ...] = ()
    if report.results and lacking.isdisjoint(_DISTRIBUTIONS):
        subject = report.results[0]
        name = f"{subject.artifact.name}-{subject.artifact.version}"
        version = subject.python.version or ""
        requirements = tuple(f"{each.artifact.name}=={each.artifact.version}" for each in report.results)
        cell = Cell(f"local/python{version}/{name}", "local", version, requirements, _MODULES, seconds=seconds)
        tried = tuple(root.path for root in predicted_failures(report.results))
        ask = Ask(found.python, (), _MODULES, tried, speech, settings=tuple((settings or {}).items()), seconds=seconds)
        observed = _worst(ask, runs, progress)
        agreement = compare(report.results, observed)
        by_hand = Here().by_hand([found.python, "-c", f"import {', '.join(_MODULES)}"], (), settings or {})
        cells = (Confirmed(cell, agreement.result, observed, agreement.agree, agreement.differences, by_hand),)
    return ConfirmReport(Tool("abicheck", __version__), "this machine", cells, tuple(errors), time.perf_counter() - started)


def _absent(prefix: str) -> str:
    return f"not installed in {prefix}; pip install 'abicheck-env[confirm]' brings all that a transcription takes"


def _worst(ask: Ask, runs: int, progress: Callable[[str], None]) -> Observed:
    """What the first process that did not do all well did, else what the first one did."""
    first: Observed | None = None
    for number in range(runs):
        speech = ask.speech
        if number and speech is not None:
            speech = speech._replace(threads=1, repeat=1)
        progress(f"importing and transcribing, process {number + 1} of {runs}")
        observed = observe(Here(), ask._replace(speech=speech))
        if observed.verdict != "loads" or not all(map(heard_right, observed.heard)):
            return observed
        first = first or observed
    assert first is not None
    return first

"""A report of `confirm` built by hand, with one cell of each kind, and one of a single cell."""

from __future__ import annotations

from abicheck.model.confirm import Cell, Confirmed, ConfirmReport, Heard, Observed
from abicheck.model.process import Missing
from abicheck.model.report import Artifact, Failure, HostSummary, PythonSummary, Result, Tool
from tests.report.conftest import REFUSED, distribution

#: What ends an XML section, a table's cell, a code span and a line, what a terminal acts on, and what is in no encoding.
NASTY = '`a``b` | ]]> <img src=x> &amp; *b* "q"\x1b[31m\x00\udcff\u2028\ufffe\nnew line'
SPEECH = (Heard("one.wav", "Ask not.", "ask not"), Heard("two.wav", "What your country", "What your country"))
SITE = "/site/ctranslate2/_ext.so"


def _on(glibc: str, python: str, version: str, verdict: str = "loads", predicted: str | None = None) -> Result:
    host = HostSummary(f"glibc-{glibc}", "rootfs", "x86_64", "glibc", glibc)
    made = distribution("ctranslate2", version, verdict, predicted)  # type: ignore[arg-type]
    return made._replace(host=host, python=PythonSummary(python, f"cp{python.replace('.', '')}", f"/usr/bin/python{python}"))


def cell(result: Result, rest: str = "") -> Cell:
    """The cell for a result, whose name ends with `rest`."""
    python = result.python.version or ""
    named = f"{result.host.name}/python{python}/{result.artifact.name}-{result.artifact.version}{rest}"
    requirement = f"{result.artifact.name}=={result.artifact.version}"
    return Cell(named, result.host.name, python, (requirement, "faster-whisper==1.2.1"), ("ctranslate2", "faster_whisper"))


LOADS = _on("2.36", "3.9", "4.8.5")
HEARD = Confirmed(cell(LOADS), LOADS, Observed("loads", None, SPEECH, 2.3456), agree=True, reproduce="docker run a")

_FAILS = _on("2.41", "3.9", "4.4.0", "fails", REFUSED)
FAILS_AS_PREDICTED = Confirmed(
    cell(_FAILS), _FAILS, Observed("fails", REFUSED, (), 0.5, ((SITE, REFUSED),)), agree=True, reproduce="docker run b"
)

_LOADS_NOT = _on("2.41", "3.9", "4.8.5")
_CHANGED = cell(_LOADS_NOT, "/set-tunable")._replace(remedy="set-tunable", settings=(("GLIBC_TUNABLES", "x=2"),))
DISAGREES = Confirmed(
    _CHANGED,
    _LOADS_NOT,
    Observed("fails", NASTY, (SPEECH[0]._replace(text=None),), 1.0, ((SITE, NASTY),), f"line {NASTY}\nlast ]]> line\n"),
    agree=False,
    differences=(f"{SITE}: predicted: loads; observed: {NASTY}", "predicted: loads; observed: signal: SIGSEGV"),
    reproduce=f"docker run {NASTY}",
)

_DEPENDS = _on("2.36", "3.11", "4.4.0", "depends")._replace(missing_facts=(Missing("import-order", f"torch first {NASTY}"),))
DEPENDS = Confirmed(cell(_DEPENDS), _DEPENDS, Observed("loads", None, SPEECH[:1], 1.5), reproduce="docker run d")

_NO_WHEEL = _on("2.41", "3.13", "4.4.0", "not-installable", "ERROR: No matching distribution found for ctranslate2==4.4.0")
NO_WHEEL = Confirmed(
    cell(_NO_WHEEL),
    _NO_WHEEL._replace(artifact=Artifact("ctranslate2", "ctranslate2==4.4.0", "requirement", "4.4.0"), roots=(), prefix=None),
)

_ROLLING = _on("2.44", "3.9", "4.8.5")
ROLLING = Confirmed(
    cell(_ROLLING),
    _ROLLING,
    Observed("loads", None, (Heard("one.wav", "Ask not.", "ask not", ("ask what",)),), 3.0),
    agree=False,
    differences=("one.wav: expected 'Ask not.'; heard 'ask not', and under load 'ask what'",),
    reproduce="docker run f",
    rolling=True,
)

CELLS = (HEARD, FAILS_AS_PREDICTED, DISAGREES, DEPENDS, NO_WHEEL, ROLLING)
MATRIX = ConfirmReport(
    Tool("abicheck", "0.1.0"),
    f"matrix {NASTY}",
    CELLS,
    (Failure(f"glibc-2.43 {NASTY}", f"no space left; prune images {NASTY}"),),
    seconds=12.3456,
    engine="docker",
)
SINGLE = ConfirmReport(Tool("abicheck", "0.1.0"), "this machine", (HEARD,), seconds=2.5)

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from abicheck.judge.triage.read import read_report
from abicheck.model.report import Remedy, Tool
from abicheck.model.triage import Cause, Diagnosis, Question, Replay, ReportFacts, Triage
from abicheck.report.triage import json as as_json
from abicheck.report.triage import markdown, terminal

SCHEMA: dict[str, Any] = json.loads((files("abicheck.report") / "schema/triage.json").read_text(encoding="utf-8"))
LINE = "ImportError: libx-1a2b3c4d.so.1: cannot enable\x1b[31m executable stack"
CAUSE = Cause(
    "exec-stack-refused",
    "likely",
    "libx-1a2b3c4d.so.1 asks for an executable stack.",
    "libx-1a2b3c4d.so.1",
    (LINE,),
    (Remedy("upgrade", "x 2 or newer loads here", "pip install 'x>=2'"),),
    (Question("glibc", "Which C library does it run on?", "ldd --version"),),
    rule="exec-stack-refused",
)
LATER = CAUSE._replace(class_="import-hidden", consequence=True, confidence="certain", culprit=None, evidence=())
FACTS = ReportFacts(
    distribution="debian 13",
    host_distribution="ubuntu 24.04",
    container="python:3.12-slim",
    python="3.12",
    gpu="RTX 3090",
    driver="550.54",
    kinds=("venv",),
    installer="pip",
    packages=(("numpy", "1.26"), ("x", "1.0")),
    wheels=("x",),
)
REPLAY = Replay(
    agrees=True,
    reason="",
    requirement="x==1.0",
    host="debian:13 (glibc 2.41)",
    python="3.12",
    predicted="libx-1a2b3c4d.so.1: no",
    reported=LINE,
    basis="wheel",
)
FOUND = Triage(Tool("abicheck", "0.1.0"), Diagnosis((CAUSE, LATER), (), FACTS), REPLAY)
OTHER = FOUND._replace(diagnosis=Diagnosis((), (CAUSE._replace(class_="callers-code"),), FACTS), replay=None)
NOTHING = FOUND._replace(diagnosis=Diagnosis((), (), ReportFacts(), CAUSE.questions), replay=None, unread=1234)


def test_the_cause_comes_first_then_what_it_rests_on() -> None:
    assert terminal.render(FOUND, colour=False).splitlines() == [
        "✗ exec-stack-refused (likely) · libx-1a2b3c4d.so.1",
        "",
        "  libx-1a2b3c4d.so.1 asks for an executable stack.",
        "  | ImportError: libx-1a2b3c4d.so.1: cannot enable\\x1b[31m executable stack",
        "  → x 2 or newer loads here: pip install 'x>=2'",
        "",
        " · import-hidden  a consequence",
        "    libx-1a2b3c4d.so.1 asks for an executable stack.",
        "",
        "  host: debian 13 (container python:3.12-slim) on ubuntu 24.04",
        "  system: Python 3.12",
        "  GPU: RTX 3090, driver 550.54",
        "  installed: venv, by pip",
        "  packages: x 1.0 (as its library's name proves), numpy 1.26",
        "  replay: x==1.0 on debian:13 (glibc 2.41), Python 3.12 says the same",
        "    libx-1a2b3c4d.so.1: no",
        "  ask: Which C library does it run on?  ldd --version",
    ]


def test_what_is_no_problem_of_the_environment() -> None:
    lines = terminal.render(OTHER, colour=False).splitlines()
    assert lines[0] == "✓ No problem of the environment was found"
    assert "  libx-1a2b3c4d.so.1 asks for an executable stack." in lines


def test_nothing_recognised() -> None:
    assert terminal.render(NOTHING, colour=False).splitlines() == [
        "? Nothing in the report was recognised",
        "",
        "  ask: Which C library does it run on?  ldd --version",
        "  1,234 bytes in the middle of the report were not read",
    ]


@pytest.mark.parametrize(
    ("replay", "said"),
    [
        (Replay(None, "the report names no host"), "not judged again: the report names no host"),
        (REPLAY._replace(agrees=False, reason="it loads there"), "says otherwise: it loads there"),
        (REPLAY._replace(reason="by shipped facts", basis="facts"), "says the same (by shipped facts)"),
    ],
)
def test_the_replay_in_words(replay: Replay, said: str) -> None:
    assert said in terminal.render(FOUND._replace(replay=replay), colour=False)


def test_markdown_is_a_reply() -> None:
    reply = markdown.render(FOUND)
    assert reply.startswith("**exec-stack-refused (likely) · libx-1a2b3c4d.so.1**\n\n")
    assert "```text\nImportError: libx-1a2b3c4d.so.1: cannot enable\\x1b[31m executable stack\n```" in reply
    assert "- x 2 or newer loads here: `pip install 'x>=2'`" in reply
    assert "Please tell:\n\n- Which C library does it run on? `ldd --version`" in reply
    assert "\x1b" not in reply


@pytest.mark.parametrize("found", [FOUND, OTHER, NOTHING])
def test_json_is_valid(found: Triage) -> None:
    document = json.loads(as_json.render(found))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert document["answer"] == found.diagnosis.answer
    assert [each["class"] for each in document["causes"]] == [each.class_ for each in found.diagnosis.causes]


def test_json_of_a_real_report_is_valid() -> None:
    diagnosis = read_report(
        b"ctranslate2==4.4.0\nlibctranslate2-d3638643.so.4.4.0: cannot enable executable stack as shared object"
    )
    document = json.loads(as_json.render(FOUND._replace(diagnosis=diagnosis)))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert document["facts"]["packages"] == {"ctranslate2": "4.4.0"}

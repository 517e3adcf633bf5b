from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, get_args

import jsonschema

from abicheck.model.gate import Change, ChangeKind, GateReport
from abicheck.model.report import Failure, Remedy, Tool
from abicheck.report.gate import json as as_json
from abicheck.report.gate import markdown, terminal

SCHEMA: dict[str, Any] = json.loads((files("abicheck.report") / "schema/gate.json").read_text(encoding="utf-8"))
FAILS = Change(
    "newly-fails", "demo", "1.0", "2.0", "does not load", ("debian:13",), "lib\x1b: no", (Remedy("upgrade", "take 3.0", "pip"),)
)
NARROWED = Change("narrowed", "demo", "1.0", "2.0", "needs glibc 2.27 or newer (before: 2.17)")
REPORT = GateReport(
    Tool("abicheck", "0.1.0"), "demo==1.0", "demo==2.0", ("debian:13",), (FAILS, NARROWED), 3, (Failure("other", "gone"),), 1.25
)


def test_a_line_a_change() -> None:
    assert terminal.render(REPORT, colour=False).splitlines() == [
        "✗ 1 change for the worse on debian:13 · 2 changes · 3 unchanged · 1.2 s",
        "",
        "  ✗ demo 1.0 → 2.0 does not load on debian:13",
        "      lib\\x1b: no",
        "      → take 3.0: pip",
        "  ! demo 1.0 → 2.0 needs glibc 2.27 or newer (before: 2.17)",
    ]


def test_one_line_where_all_is_well() -> None:
    quiet = REPORT._replace(changes=(), errors=())
    assert terminal.render(quiet, colour=False) == "✓ nothing loads worse on debian:13 · 0 changes · 3 unchanged · 1.2 s\n"
    assert terminal.render(quiet._replace(hosts=()), colour=False).startswith("✓ it asks for the same · ")
    assert terminal.render(REPORT._replace(hosts=(), changes=(NARROWED,)), colour=False).startswith("✓ it asks for more · ")


def test_a_comment_on_a_pull_request() -> None:
    text = markdown.render(REPORT)
    assert text.startswith("### ✗ 1 change for the worse on debian:13\n\n- ✗ demo 1.0 → 2.0 does not load on debian:13\n")
    assert "- not judged: ``` other ```: gone" in text or "- not judged: `other`: gone" in text
    assert "\x1b" not in text


def test_json_is_valid_and_knows_every_kind() -> None:
    document = json.loads(as_json.render(REPORT))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert [change["severity"] for change in document["changes"]] == ["error", "warning"]
    assert SCHEMA["properties"]["changes"]["items"]["properties"]["kind"]["enum"] == list(get_args(ChangeKind))

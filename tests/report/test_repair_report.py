from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from abicheck.model.repair import Change, Check, Edit, Repair, RepairReport, RepairState
from abicheck.model.report import Failure, Tool
from abicheck.report.repair import json as as_json
from abicheck.report.repair import terminal

SCHEMA: dict[str, Any] = json.loads((files("abicheck.report") / "schema/repair.json").read_text(encoding="utf-8"))
STACK = Change("demo.libs/libdemo.so", "exec-stack-refused", Edit(124, b"\7", b"\6"), "PT_GNU_STACK RWE → RW")
PATH = Change("demo.libs/li\x1b.so", "relative-rpath", Edit(600, b"demo.libs", b"$ORIGIN\0\0"), "DT_RPATH demo.libs → $ORIGIN")
CHECK = Check("debian:13", "3.12", "fails", "loads", "libdemo.so: cannot enable executable stack", None)
WHEEL = Repair(
    "demo",
    "1.0",
    "wheel",
    "demo-1.0-py3-none-any.whl",
    "repaired",
    3,
    (STACK, PATH),
    (STACK.object, PATH.object, "demo-1.0.dist-info/WHEEL", "demo-1.0.dist-info/RECORD"),
    output="a b/demo-1.0-1abicheck-py3-none-any.whl",
    checks=(CHECK,),
)
INSTALLED = Repair(
    "demo",
    "1.0",
    "distribution",
    "/v/site-packages/demo-1.0.dist-info",
    "repaired",
    3,
    (STACK,),
    (STACK.object, "demo-1.0.dist-info/RECORD"),
    backup="/v/site-packages/demo-1.0.dist-info/abicheck-repair.json",
)
IDLE = Repair("other", "2", "distribution", "/v/site-packages/other-2.dist-info", "nothing-to-do", 1)


def _report(*repairs: Repair, errors: tuple[Failure, ...] = ()) -> RepairReport:
    return RepairReport(Tool("abicheck", "0.1.0"), repairs, errors)


def _said(*repairs: Repair) -> str:
    return terminal.render(_report(*repairs), colour=False)


def test_a_wheel_says_which_bytes_and_what_next() -> None:
    lines = _said(WHEEL).splitlines()
    assert lines[0] == "✓ demo 1.0 repaired: a b/demo-1.0-1abicheck-py3-none-any.whl"
    assert lines[2:4] == ["  demo.libs/libdemo.so", "    byte 124: 07 → 06 (PT_GNU_STACK RWE → RW)"]
    assert lines[4] == "  demo.libs/li\\x1b.so"
    assert lines[5].startswith("    bytes from 600: 64 65 6d 6f 2e 6c 69 62 73 → 24 4f ")
    assert lines[6] == "  WHEEL and RECORD: hashes and the build tag; nothing else changes"
    assert lines[7] == "  on debian:13 with Python 3.12 it loads (before: libdemo.so: cannot enable executable stack)"
    assert any("crash" in line for line in lines)
    assert lines[-2] == "  → install it: pip install --force-reinstall --no-deps 'a b/demo-1.0-1abicheck-py3-none-any.whl'"


def test_what_is_installed_says_how_to_undo_it() -> None:
    said = _said(INSTALLED, IDLE)
    assert said.startswith("✓ demo 1.0 repaired in /v/site-packages\n")
    assert "gone when the distribution is installed anew" in said
    assert "→ to undo it: abicheck repair --undo --env /v/site-packages demo\n" in said
    assert said.endswith("✓ nothing to repair in 1 distribution with 1 object\n")


@pytest.mark.parametrize(
    ("state", "head"),
    [
        ("repairable", "! demo 1.0 would be repaired (nothing was written)"),
        ("undone", "✓ demo 1.0 is as it was installed"),
        ("undoable", "! demo 1.0 would be as it was installed (nothing was written)"),
    ],
)
def test_other_states(state: RepairState, head: str) -> None:
    changes = INSTALLED.changes if state == "repairable" else ()
    lines = _said(INSTALLED._replace(state=state, changes=changes)).splitlines()
    assert lines[0] == head
    assert "  demo.libs/libdemo.so" in lines


def test_nothing_to_do() -> None:
    assert _said(IDLE) == "✓ other 2: nothing to repair in 1 object\n"
    assert _said() == "nothing to do\n"


def test_json_is_valid() -> None:
    report = _report(WHEEL, INSTALLED, IDLE, errors=(Failure("x.whl", "it is signed"),))
    document = json.loads(as_json.render(report))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert document["repairs"][0]["changes"][0] == {
        "object": "demo.libs/libdemo.so",
        "rule": "exec-stack-refused",
        "offset": 124,
        "old": "07",
        "new": "06",
        "meaning": "PT_GNU_STACK RWE → RW",
    }
    assert (report.exit_code, _report(WHEEL).exit_code) == (4, 0)

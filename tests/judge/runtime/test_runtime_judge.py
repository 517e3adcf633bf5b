from __future__ import annotations

import pytest

from abicheck.judge.runtime import inexact, judge
from abicheck.model.wasm import Damaged, Family, Feature, Limits, Module, Runtime, Use

FEATURES = {
    "simd": Feature("SIMD", "no -msimd128"),
    "threads": Feature("threads", "no -pthread"),
    "bigint": Feature("BigInt", loading=False),
}
NODE = Family(
    "node",
    "Node.js",
    (26,),
    {"simd": (16, 4), "threads": (16, 4), "bigint": (15, 0)},
    texts={"threads-limits": "bad flags @+{offset}", "simd-instruction": "function #{function}: bad @+{offset}"},
    texts_until=(15, 0),
    section_lengths_since=(20, 0),
)
SAFARI = Family("safari", "Safari", (27, 2), {"simd": (16, 4), "threads": (15, 2)}, isolated_since=(15, 2), unisolated="no!")
SIMD, THREADS, BIGINT = Use("simd", 500, "instruction", 7), Use("threads", 90, "limits"), Use("bigint", 50, "signature")
SHARED = Module(size=1000, memories=(Limits(256, 32768, shared=True),), uses=(THREADS, SIMD))
ALONE = Module(size=1000, memories=(Limits(8192, 8192),), uses=(SIMD,))


def _runtime(name: str) -> Runtime:
    kind, _, version = name.partition(":")
    family = {"node": NODE, "safari": SAFARI}[kind]
    return Runtime(name, family, tuple(map(int, version.split("."))), FEATURES, (NODE, SAFARI), "2026-11-12")


@pytest.mark.parametrize(
    ("module", "host", "verdict", "rules"),
    [
        (ALONE, "node:14", "fails", ["wasm-feature-missing", "wasm-needs"]),
        (ALONE, "node:16.3.9", "fails", ["wasm-feature-missing", "wasm-needs"]),
        (ALONE, "node:16.4.0", "loads", ["wasm-needs"]),
        (ALONE, "node:16", "loads", ["wasm-needs"]),
        (ALONE, "node:26.99", "loads", ["wasm-needs"]),
        (ALONE, "node:27", "depends", ["wasm-needs"]),
        (ALONE, "safari:16.3", "fails", ["wasm-feature-missing", "wasm-needs"]),
        (ALONE, "safari:16.4", "loads", ["wasm-needs"]),
        (SHARED, "node:16.4", "loads", ["wasm-needs"]),
        (SHARED, "safari:16.4", "depends", ["wasm-not-isolated", "wasm-needs"]),
        (SHARED, "safari:15.2", "fails", ["wasm-feature-missing", "wasm-not-isolated", "wasm-needs"]),
        (SHARED, "safari:14.1", "fails", ["wasm-feature-missing", "wasm-feature-missing", "wasm-needs"]),
        (Module(8), "node:4", "loads", ["wasm-needs"]),
    ],
)
def test_verdicts(module: Module, host: str, verdict: str, rules: list[str]) -> None:
    found = judge(module, _runtime(host), "m.wasm")
    assert (found.verdict, [each.rule for each in found.findings]) == (verdict, rules)
    assert bool(found.missing_facts) == (verdict == "depends")


@pytest.mark.parametrize(
    ("module", "host", "text"),
    [
        (ALONE, "node:14.21", "CompileError: WebAssembly.Module(): function #7: bad @+500"),
        (SHARED, "node:14.21", "CompileError: WebAssembly.Module(): bad flags @+90"),
        (ALONE, "node:15.1", None),  # nobody has seen what that says
        (ALONE, "safari:16.3", None),
        (ALONE._replace(uses=(SIMD._replace(form="type"),)), "node:14.21", None),
        (SHARED, "node:20", None),
    ],
)
def test_a_text_is_predicted_only_where_it_was_seen(module: Module, host: str, text: str | None) -> None:
    assert judge(module, _runtime(host), "m.wasm").predicted == text


@pytest.mark.parametrize(
    ("module", "host", "isolated", "verdict", "text"),
    [
        (SHARED, "safari:16.4", True, "loads", None),
        (SHARED, "safari:16.4", False, "fails", "no!"),
        (SHARED, "safari:16.3", False, "fails", None),  # for want of SIMD
        (SHARED, "safari:28", False, "depends", None),
        (SHARED, "safari:28", True, "depends", None),
        (ALONE, "safari:16.4", False, "loads", None),
        (SHARED, "node:16.4", False, "loads", None),
    ],
)
def test_a_page_whose_isolation_is_known(module: Module, host: str, verdict: str, text: str | None, *, isolated: bool) -> None:
    found = judge(module, _runtime(host)._replace(isolated=isolated), "m.wasm")
    assert (found.verdict, found.predicted) == (verdict, text)
    assert "cross-origin-isolation" not in {each.fact for each in found.missing_facts}
    severities = {each.severity for each in found.findings if each.rule == "wasm-not-isolated"}
    assert severities == (set() if isolated or verdict == "loads" else {"warning" if verdict == "depends" else "error"})


def test_what_only_a_call_needs_is_a_warning() -> None:
    found = judge(Module(8, uses=(BIGINT,)), _runtime("safari:27.2"), "m.wasm")
    assert (found.verdict, found.findings[0].severity) == ("loads", "warning")
    found = judge(Module(8, uses=(BIGINT, SIMD)), _runtime("safari:16.3"), "m.wasm")
    assert [each.severity for each in found.findings] == ["error", "warning", "note"]


def test_of_a_version_beyond_the_table_nothing_is_certain() -> None:
    found = judge(Module(8, uses=(BIGINT,)), _runtime("safari:28"), "m.wasm")
    assert (found.verdict, found.findings[0].severity) == ("depends", "warning")
    (missing,) = found.missing_facts
    assert "Safari up to 27.2 (the table is of 2026-11-12)" in missing.reason


def test_a_major_version_is_its_newest_release_unless_strict() -> None:
    runtime = _runtime("node:16")
    assert inexact(ALONE, runtime) == (SIMD,)
    assert inexact(ALONE, _runtime("node:17")) == ()
    assert inexact(Module(8, uses=(BIGINT,)), _runtime("node:15")) == ()  # 15.0 has it
    found = judge(ALONE, runtime, "m.wasm", strict=True)
    assert (found.verdict, found.missing_facts[0].fact) == ("depends", "release")


def test_an_unknown_instruction_is_told() -> None:
    found = judge(ALONE._replace(unknown="an instruction at byte 7"), _runtime("node:20"), "m.wasm")
    assert (found.verdict, found.missing_facts[0].reason) == ("depends", "it uses an instruction at byte 7")


@pytest.mark.parametrize(
    ("damage", "host", "text"),
    [
        (Damaged("truncated", "cut", "new", "old"), "node:20", "new"),
        (Damaged("truncated", "cut", "new", "old"), "node:18.20", "old"),
        (Damaged("truncated", "cut", "new", "old", uses=(THREADS,)), "node:14", None),
        (Damaged("malformed", "odd"), "node:20", None),
        (Damaged("truncated", "cut", "new", "old"), "safari:17", None),
    ],
)
def test_what_is_no_module_fails_everywhere(damage: Damaged, host: str, text: str | None) -> None:
    found = judge(damage, _runtime(host), "m.wasm")
    assert (found.verdict, found.predicted) == ("fails", text and f"CompileError: WebAssembly.Module(): {text}")
    (finding,) = found.findings
    assert (finding.rule, finding.confidence) == ("wasm-module-corrupt", "likely" if damage.kind == "malformed" else "certain")


def test_the_words() -> None:
    missing, isolation, needs = judge(SHARED, _runtime("safari:15.2"), "m.wasm").findings
    assert missing.message == "It uses SIMD. Safari has it since 16.4. Elsewhere: Node.js 16.4."
    assert missing.evidence == ("first used in function 7 at byte 500 of 1,000",)
    assert missing.remedies[0].text == "ask for Safari 16.4 or newer"
    assert "(16 MiB, at most 2,048 MiB, shared)" in isolation.message
    assert needs.message == (
        "It needs threads, SIMD. Memory: 16 MiB, at most 2,048 MiB, shared. First to load it: Node.js 16.4, Safari 16.4."
    )
    assert judge(Module(8, uses=(BIGINT,)), _runtime("node:20"), "m").findings[0].message == "It needs BigInt. Memory: none."
    assert "Memory: 512 MiB, which cannot grow." in judge(ALONE, _runtime("node:20"), "m").findings[0].message


@pytest.mark.parametrize(("kind", "advice"), [("pointer", "git lfs pull"), ("truncated", None), ("other-file", None)])
def test_what_to_do_about_what_is_no_module(kind: str, advice: str | None) -> None:
    found = judge(Damaged(kind, "x"), _runtime("node:20"), "m").findings[0]  # type: ignore[arg-type]  # one of them
    assert found.remedies[0].command == advice
    told = " ".join(each.text for each in found.remedies)
    assert ("compare its size" in told) == (kind == "truncated")
    assert ("Content-Type" in told) == (kind != "truncated")

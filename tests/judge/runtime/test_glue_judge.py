from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from abicheck.judge.runtime import judge
from abicheck.judge.runtime.glue import with_glue, with_workers
from abicheck.model.wasm import Extern, Glue, Limits, Module
from abicheck.read.runtimes import open_runtime
from abicheck.read.wasm import read_wasm
from tests.wasmwriter import FUNCREF, PLAIN, module, name, section, signature, vector

if TYPE_CHECKING:
    from pathlib import Path

    from abicheck.model.report import Judgement

NODE = shutil.which("node")


def _names(*names: str) -> frozenset[str]:
    return frozenset(names)


def _module(imports: str, exports: str, namespace: str = "env") -> Module:
    given = tuple(Extern("function", each, namespace) for each in imports.split())
    return Module(8, imports=given, exports=tuple(Extern("function", each) for each in exports.split()))


def _judged(module: Module, glue: Glue, host: str = "node:20") -> Judgement:
    runtime = open_runtime(host)
    return with_glue(judge(module, runtime, "m.wasm"), module, glue, runtime, "glue.js")


FITS = [
    (_module("f g", "run memory"), Glue(({"env": _names("f", "g", "h")},), (_names("run"),))),
    (_module("f", "run"), Glue(({"e": _names("f")}, {"env": _names("f")}), (_names("f"), _names("run")))),
    (_module("f", "run"), Glue(({"env": None},), (_names("run"),))),
    (_module("f", "run"), Glue(({"env": _names("f")},), (_names("default"),))),  # that is something else
    (_module("", "run"), Glue()),
    (_module("a b", "c", "a"), Glue(({"a": _names("a", "b")},), (_names("c"),))),
]
#: A module, its script, and what of each kind does not fit.
MISFITS = [
    (_module("f g", "run"), Glue(({"env": _names("f")},), (_names("run"),)), ("env.g", "", "")),
    (_module("f", "run"), Glue(({"env": _names("f")},), (_names("run", "walk"),)), ("", "walk", "")),
    (_module("f", "run"), Glue(({"a": _names("a")},), (_names("b"), _names("c", "d"))), ("env.f", "c, d", "")),
    (_module("a", "c", "a"), Glue(({"a": _names("a", "b")},), (_names("c"),)), ("", "", "b")),  # names are shortened
    (_module("", "run"), Glue((), (_names("run", "walk"),)), ("", "walk", "")),
]


@pytest.mark.parametrize(("module", "glue"), FITS)
def test_what_fits(module: Module, glue: Glue) -> None:
    assert _judged(module, glue) == judge(module, open_runtime("node:20"), "m.wasm")


@pytest.mark.parametrize(("module", "glue", "told"), MISFITS)
def test_what_does_not(module: Module, glue: Glue, told: tuple[str, str, str]) -> None:
    found = _judged(module, glue)
    first, *_ = found.findings
    assert (found.verdict, first.rule, first.object) == ("fails", "wasm-glue-mismatch", "glue.js")
    assert first.confidence == ("certain" if told[0] else "likely")
    assert tuple(each.partition(": ")[2] for each in first.evidence) == tuple(filter(None, told))
    assert all(each in first.message for each in told)
    assert (found.predicted is None) == (not told[0])


def test_what_is_not_seen_is_missing() -> None:
    found = _judged(_module("f g", "run"), Glue())
    assert (found.verdict, found.missing_facts[0].reason) == (
        "depends",
        "abicheck does not see in glue.js what it gives to the module, which imports 2 names",
    )


def test_a_module_that_is_refused_before_says_so() -> None:
    plain = _module("f", "run")
    module = plain._replace(uses=read_wasm(b"\0asm\1\0\0\0" + section(5, vector(b"\x03\x01\x02"))).uses)
    found = _judged(module, Glue(({"env": _names()},)), "node:14")
    assert [each.rule for each in found.findings] == ["wasm-feature-missing", "wasm-glue-mismatch", "wasm-needs"]
    assert "invalid memory limits" in str(found.predicted)
    assert _judged(module, Glue(), "node:14").missing_facts == ()


def test_many_names_are_counted() -> None:
    module = _module(" ".join(f"f{number:03}" for number in range(100)), "")
    (found, *_) = _judged(module, Glue(({"env": _names()},))).findings
    assert found.message.endswith("env.f005 and 94 more.")
    assert found.evidence[0].endswith("env.f059 and 40 more")


SHARED = Module(8, memories=(Limits(1, 2, shared=True),))


@pytest.mark.parametrize(
    ("module", "absent", "host", "verdict", "text"),
    [
        (SHARED, ("/w/x.js",), "node:20", "fails", "Error: Cannot find module '/w/x.js'"),
        (SHARED, ("/w/x.js",), "chrome:120", "fails", None),
        (SHARED, (), "node:20", "loads", None),
        (Module(8), ("/w/x.js",), "node:20", "loads", None),  # it has no threads
    ],
)
def test_a_worker_that_is_not_there(module: Module, absent: tuple[str, ...], host: str, verdict: str, text: str | None) -> None:
    runtime = open_runtime(host)
    found = with_workers(judge(module, runtime, "m.wasm"), module, absent, runtime, "glue.js")
    assert (found.verdict, found.predicted) == (verdict, text)
    rules = [each.rule for each in found.findings]
    assert ("wasm-worker-missing" in rules) == (verdict == "fails")


@pytest.mark.skipif(NODE is None, reason="there is no Node.js here")
@pytest.mark.parametrize("name", ["x.js", "x.mjs"])
def test_node_says_what_is_predicted_of_a_worker(tmp_path: Path, name: str) -> None:
    told = "e => console.log(`${e.name}: ${e.message.split('\\n')[0]}`)"
    script = f"new (require('worker_threads').Worker)(process.argv[1]).on('error', {told})"
    assert NODE is not None
    command = [NODE, "-e", script, str(tmp_path / name)]
    observed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    runtime = open_runtime("node")
    found = with_workers(judge(SHARED, runtime, "m"), SHARED, [str(tmp_path / name)], runtime, "s")
    assert found.predicted == observed.strip()


KINDS = {"function": b"\x00\x00", "table": b"\x01" + FUNCREF + b"\x00\x01", "memory": b"\x02" + PLAIN}
SCRIPT = """
const [file, given] = process.argv.slice(1), bytes = require("fs").readFileSync(file);
try { new WebAssembly.Instance(new WebAssembly.Module(bytes), JSON.parse(given)); console.log("null"); }
catch (error) { console.log(JSON.stringify(`${error.name}: ${error.message}`)); }
"""


@pytest.mark.skipif(NODE is None, reason="there is no Node.js here")
@pytest.mark.parametrize("given", [{}, {"env": {}}, {"other": {}}])
@pytest.mark.parametrize("kind", KINDS)
def test_node_says_what_is_predicted(tmp_path: Path, kind: str, given: dict[str, dict[str, str]]) -> None:
    data = module(section(1, vector(signature())), section(2, vector(name("env") + name("f") + KINDS[kind])))
    (tmp_path / "m.wasm").write_bytes(data)
    runtime = open_runtime("node")
    facts = read_wasm(data)
    assert isinstance(facts, Module)
    glue = Glue(({namespace: _names() for namespace in given},))
    predicted = with_glue(judge(facts, runtime, "m"), facts, glue, runtime, "s").predicted
    if str(runtime.version[0]) not in runtime.family.link_places:
        assert predicted is None
        pytest.skip("nobody has seen what this Node.js says")
    assert NODE is not None
    command = [NODE, "-e", SCRIPT, str(tmp_path / "m.wasm"), json.dumps(given)]
    assert predicted == json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

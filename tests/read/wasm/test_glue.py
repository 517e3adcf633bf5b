from __future__ import annotations

import pytest

from abicheck.model.wasm import Glue
from abicheck.read.wasm.glue import read_glue

RUN = "WebAssembly.instantiate(x, info);"
#: As emscripten 4 does it.
LATER = """
function get(){set();return{a:lib}} var lib; function set(){lib={b:_f}}
async function run(b,i){WebAssembly.instantiate(b,i)} async function make(){var info=get();return await run(bin,info)}
"""
#: Scripts as compilers write them, and what they give.
OFFERS = [
    ('var lib={"b":_f,"c":_g};function make(){var info={"a":lib};' + RUN + "}", {"a": {"b", "c"}}),  # emscripten 3.1
    (LATER, {"a": {"b"}}),
    ("var lib={f:_f};var info={env:lib,wasi_snapshot_preview1:lib};" + RUN, {"env": {"f"}, "wasi_snapshot_preview1": {"f"}}),
    ("const info={};info.wbg={};info.wbg.f=function(a){};info.wbg['x.y']=()=>0;" + RUN, {"wbg": {"f", "x.y"}}),  # wasm-bindgen
    ("new WebAssembly.Instance(m,{env:{f(){},'g':h,k}})", {"env": {"f", "g", "k"}}),
    ("const info={env:{...all,f}};" + RUN, {"env": None}),
    ("const info={env:new Proxy(all,{})};" + RUN, {"env": None}),
    ("const info={env:load('x'),b:{}};" + RUN, {"env": None, "b": set()}),
    ("const run=(b,i)=>self.WebAssembly.instantiateStreaming(b,i);run(f,{e:{n}})", {"e": {"n"}}),
    ("(function(i){WebAssembly.instantiate(b,i)})({e:{n}})", {"e": {"n"}}),
    ("let info; if(x) info={e:{n}}; else info=null;" + RUN, {"e": {"n"}}),
    ("{let info={wrong:{n}}}let info={e:{n}};" + RUN, {"e": {"n"}}),  # another variable of this name
]  # fmt: skip
#: And what they take.
ASKS = [
    ('function got(i){var exports=i.exports;M["asm"]=exports;M["asm"]["ctors"]}var _f=M["_f"]=M["asm"]["f"]', {"ctors", "f"}),
    ("var e;function make(){function got(i,m){e=i.exports;take(e);return e}}function take(x){_f=x['f'];_g=x.g}", {"f", "g"}),
    ("const {memory:m, run}=(await WebAssembly.instantiate(b)).instance.exports; run()", {"memory", "run"}),
    ("e=i.exports; if(e.a)e.a(); e.b&&e.b(); e.c?.(); typeof e.d; e.f?1:2; e.h||k; e?.i; e.z()", {"z"}),
    (
        "function wrap(name,table){var t=table||M.asm;return function(){t[name]()}} M.asm=i.exports; wrap('f'); wrap('g')",
        {"f", "g"},
    ),
    ("async function make(){return i.exports} async function main(){const e=await make(); e.f()}", {"f"}),
    ("e=i.exports; e.f=1; e[n]; e[0]", {"0"}),
]
#: Modules of CommonJS are no instances.
NOTHING = [
    "module.exports={f}; module.exports.g()",
    "var n=t[r]={exports:{}};f(n);x=n.exports;x.g()",
    "function f(e){e.exports={};var x=e.exports;x.g()}",
]


@pytest.mark.parametrize(("script", "given"), OFFERS)
def test_what_a_script_gives(script: str, given: dict[str, set[str] | None]) -> None:
    assert [dict(each) for each in read_glue(script.encode()).offers] == [given]


@pytest.mark.parametrize("script", ["WebAssembly.instantiate(x)", "instantiate(x, {a:{b}})", "WebAssembly.instantiate(x, go.i)",
                                    "WebAssembly.instantiate(x, {})", "WebAssembly.instantiate(x, {...a})"])  # fmt: skip
def test_what_is_not_seen_is_not_told(script: str) -> None:
    assert read_glue(script.encode()).offers == ()


@pytest.mark.parametrize(("script", "asked"), ASKS)
def test_what_a_script_takes(script: str, asked: set[str]) -> None:
    assert frozenset().union(*read_glue(script.encode()).asks) == asked


@pytest.mark.parametrize("script", NOTHING)
def test_what_it_takes_from_something_else(script: str) -> None:
    assert read_glue(script.encode()).asks == ()


def test_files_that_it_names() -> None:
    script = b'f("x.wasm"); new URL("./lib/y.wasm", import.meta.url); "no .wasm here"; `z${n}.wasm`; "x.wasm" // "c.wasm"'
    assert read_glue(script).files == ("x.wasm", "./lib/y.wasm")


@pytest.mark.parametrize(
    ("script", "workers"),
    [
        (
            "function at(p){return M.f?M.f(p,d):d+p} at('x.wasm'); var w=at('x.worker.js'); new Worker(w)",
            ["x.worker.js"],
        ),
        ("new Worker(new URL('./x.mjs', import.meta.url), {type:'module'})", ["x.mjs"]),
        ("new global.Worker(dir + 'lib/x.js')", ["lib/x.js"]),
        (
            "new Worker(new URL('', here)); new Worker('blob:x.js'); new Worker('/x.js'); new Worker(); Worker('y.js')",
            [],
        ),
    ],
)
def test_workers_that_it_starts(script: str, workers: list[str]) -> None:
    assert [each.removeprefix("./") for each in read_glue(script.encode()).workers] == workers


@pytest.mark.parametrize(
    "script",
    [b"", b"\xff\0", b"<html>", b"function (", b"a=a;a=b;b=a;a.exports.f", b"e=e.exports;e.f", b"(" * 500, b"x=" * 5000 + b"y",
     b"function f(){return f()} f().g; WebAssembly.instantiate(f(), f())", b"a." * 3000 + b"b"],
)  # fmt: skip
def test_no_script_is_too_odd(script: bytes) -> None:
    assert isinstance(read_glue(script), Glue)

"""WebAssembly modules on the runtimes that are their hosts."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from abicheck.errors import TargetError
from abicheck.judge import runtime as judge
from abicheck.model.host import Assumption
from abicheck.model.report import Artifact, HostSummary, PythonSummary, Result, RootResult
from abicheck.model.wasm import Module
from abicheck.read.runtimes import is_runtime, open_runtime
from abicheck.read.wasm import open_modules, read_wasm

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abicheck.api.kinds import Kind
    from abicheck.api.options import Options
    from abicheck.api.work import Outcome, Task
    from abicheck.model.wasm import Runtime, WasmFile
    from abicheck.read.files import FactStore

_EXAMPLES = "--host node:20, chrome:120, firefox:120 or safari:17.4"


def judge_modules(task: Task, targets: Sequence[tuple[Kind, int, str]], store: FactStore, outcome: Outcome) -> None:
    """Judge each target on a runtime; what is none of the two is an error of the outcome."""
    spec = task.place.spec
    runtime = None
    for kind, number, given in targets:
        with outcome.noting_errors():
            if kind != "module":
                raise TargetError(f"{spec} runs WebAssembly modules only; give a .wasm, or a script that brings one along", given)
            if not is_runtime(spec):
                raise TargetError(f"a WebAssembly module needs a runtime as its host; give {_EXAMPLES}", given)
            runtime = runtime or open_runtime(spec)
            if given not in store.modules:
                store.modules[given] = tuple(map(identified, open_modules(given)))
            results = module_results(given, store.modules[given], runtime, task.options)
            outcome.results.extend((number, result) for result in results)


def identified(data: bytes) -> tuple[str, WasmFile]:
    """The SHA-256 and the facts of a module."""
    return hashlib.sha256(data).hexdigest(), read_wasm(data)


def module_results(given: str, modules: Sequence[tuple[str, WasmFile]], runtime: Runtime, options: Options) -> Iterator[Result]:
    """Judge each of the modules in the file `given`."""
    name = os.path.basename(given)
    for number, (digest, file) in enumerate(modules, 1):
        judged = judge.judge(file, runtime, name, strict=options.strict)
        assumed = isinstance(file, Module) and not options.strict and judge.inexact(file, runtime)
        newest = Assumption("release", f"the newest of {runtime.name}")
        yield Result(
            artifact=Artifact(name, given, "module", sha256=digest if options.digests else None),
            host=HostSummary(runtime.name, "runtime"),
            python=PythonSummary(None, None, None),
            verdict=judged.verdict,
            predicted=judged.predicted,
            capabilities=(("cpu", judged.verdict),),
            roots=(RootResult(name, judged.kind, judged.verdict, judged.predicted),),
            findings=judged.findings,
            assumptions=(newest,) if assumed else (),
            missing_facts=judged.missing_facts,
            objects=judged.objects,
            variant=f"module {number} of {len(modules)}" if len(modules) > 1 else "",
        )

"""WebAssembly modules on the runtimes that are their hosts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from abicheck.errors import TargetError
from abicheck.judge import runtime as judge
from abicheck.judge.runtime.card import first, needs_of
from abicheck.judge.runtime.glue import with_glue, with_workers
from abicheck.judge.runtime.isolation import with_headers
from abicheck.model.host import Assumption
from abicheck.model.report import Artifact, Failure, HostSummary, PythonSummary, Result, RootResult
from abicheck.model.wasm import Damaged, Module, ModuleCard
from abicheck.read.runtimes import is_runtime, open_runtime, table
from abicheck.read.wasm.deployed import read_deployed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abicheck.api.kinds import Kind
    from abicheck.api.options import Options
    from abicheck.api.work import Outcome, Task
    from abicheck.model.wasm import Deployed, Runtime, Served
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
            deployed = _read(given, store)
            served = _served(task.options.urls, store, outcome) if runtime.family.isolated_since else []
            if deployed.unread:
                outcome.errors.append(Failure(given, f"its names were not compared with the module's: {deployed.unread}"))
            results = module_results(given, deployed, runtime, task.options, served)
            outcome.results.extend((number, result) for result in results)


def module_cards(given: str) -> Iterator[ModuleCard]:
    """The cards of the modules in a file, or beside a script. Raises `TargetError` where one of them is none."""
    date, families, features = table()
    known = tuple(families.values())
    for path, digest, file in read_deployed(given).modules:
        if isinstance(file, Damaged):
            raise TargetError(f"no WebAssembly module that could be loaded: {file.detail}; fetch or build it again", path)
        needs = needs_of(file, features, known)
        floors = first([each.feature for each in needs if each.loading], known)
        yield ModuleCard(os.path.basename(given), given, path, digest, file, floors, needs, date)


def _read(given: str, store: FactStore) -> Deployed:
    """What lies there; read once for all hosts that share the store."""
    if given not in store.modules:
        store.modules[given] = read_deployed(given)
    return store.modules[given]


def _served(urls: Sequence[str], store: FactStore, outcome: Outcome) -> list[Served]:
    """What servers send; each is asked once for all modules and hosts that share the store."""
    if not urls:
        return []
    from abicheck.read.runtimes.serving import ask  # noqa: PLC0415 -- urllib.request takes longer to import than most checks take

    for url in urls:
        with outcome.noting_errors():
            store.served[url] = store.served.get(url) or ask(url)
    return [store.served[url] for url in urls if url in store.served]


def module_results(
    given: str, deployed: Deployed, runtime: Runtime, options: Options, served: Sequence[Served] = ()
) -> Iterator[Result]:
    """Judge each of the modules that lie at `given`."""
    name = os.path.basename(given)
    for number, (path, digest, file) in enumerate(deployed.modules, 1):
        judged = judge.judge(file, runtime, os.path.basename(path), strict=options.strict)
        if isinstance(file, Module):
            if served:
                judged = with_headers(judged, file, served, runtime, os.path.basename(path))
            if deployed.glue is not None:
                judged = with_glue(judged, file, deployed.glue, runtime, name)
            judged = with_workers(judged, file, deployed.absent, runtime, name)
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
            variant=f"module {number} of {len(deployed.modules)}" if len(deployed.modules) > 1 else "",
        )

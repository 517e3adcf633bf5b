"""`check`: targets on hosts to one report."""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

from abicheck import __version__
from abicheck.api.files import HostRun
from abicheck.api.ignoring import expired, shown_by
from abicheck.api.kinds import kind_of
from abicheck.api.options import Options
from abicheck.api.places import places
from abicheck.api.work import Outcome, Task, spread
from abicheck.errors import UsageError
from abicheck.model.report import Failure, Report, Result, Tool
from abicheck.read.files import FactStore
from abicheck.read.hosts.targets import Locator
from abicheck.read.runtimes import is_runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from abicheck.model.report import Result
    from abicheck.read.files import View


def check(
    targets: Sequence[str],
    hosts: Sequence[str] = ("local",),
    *,
    python: str | None = None,
    settings: Mapping[str, str] | None = None,
    options: Options | None = None,
    store: FactStore | None = None,
    progress: Callable[[str], None] | None = None,
) -> Report:
    """Say for each target what loading it would say on each host.

    A target is a shared object, a wheel, a lock file, a directory or an environment, by its path; the name of an installed
    distribution; or a requirement (`NAME==VERSION`) from the package index. Without targets the environment of `options` is
    judged, all of it. WebAssembly modules are judged on the runtimes among the hosts (`node:20`).
    `python` is the target Python (`X.Y` or a path on the hosts), `settings` stand over the loader's environment. A host or target
    that cannot be judged is listed in `Report.errors`; an unknown kind of host, setting or rule raises `UsageError`.
    Calls that share a `store` read a file once; they must not run at the same time. `progress` is told what takes long, by a run
    in one process.
    """
    started = time.perf_counter()
    options = options or Options()
    shows = shown_by(options)
    _demand_module(targets, options)
    targets = targets or (options.environment or os.environ.get("VIRTUAL_ENV") or sys.prefix,)
    numbered = tuple(enumerate(targets))
    size = -(-len(numbered) // max(options.jobs, 1)) or 1
    alone = options.jobs == 1
    with places(hosts) as (found, failures):
        tasks = [
            Task(place, python, dict(settings or {}), numbered[first : first + size], options, progress if alone else None)
            for place in found
            for first in range(0, len(numbered), size)
        ]
        # In other processes nothing is shared.
        shared = (store or FactStore()) if alone or len(tasks) == 1 else None
        outcomes = list(spread(partial(_perform, store=shared), tasks, options.jobs))
    numbered_results = sorted((each for outcome in outcomes for each in outcome.results), key=lambda each: each[0])
    results = tuple(shows(result) for result in _once(numbered_results))
    errors = dict.fromkeys(failures)
    errors |= dict.fromkeys(error for outcome in outcomes for error in outcome.errors)
    return Report(
        tool=Tool("abicheck", __version__),
        results=results,
        errors=(*errors, *incapable(results, options.require)),
        symbol=options.symbol,
        seconds=time.perf_counter() - started,
        required=options.require,
        expired=expired(options.ignores),
    )


def _demand_module(targets: Sequence[str], options: Options) -> None:
    """A server is asked about modules alone, and where it may be."""
    if options.urls and not any(kind_of(target) == "module" for target in targets):
        raise UsageError("--url is about WebAssembly modules in browsers; name a module, and a host as in chrome:120")
    if options.urls and options.offline:
        raise UsageError("--url asks a server; leave out --offline")


def _once(numbered: Iterable[tuple[int, Result]]) -> list[Result]:
    """The results in the order of the targets; a distribution that comes with several of them is told once."""
    seen = set()
    kept = []
    for _, result in numbered:
        artifact = result.artifact
        key = (artifact.name, artifact.version, artifact.sha256, result.host, result.python, result.verdict, result.prefix)
        if artifact.version is None or key not in seen:
            kept.append(result)
        seen.add(key)
    return kept


def incapable(results: Sequence[Result], required: Sequence[str]) -> Iterator[Failure]:
    """A failure for each required capability that nothing has: whoever requires it has something else in mind."""
    for name in dict.fromkeys(required) if results else ():
        if not any(name in dict(result.capabilities) for result in results):
            given = ", ".join(dict.fromkeys(result.artifact.name for result in results))
            yield Failure(given, f"nothing in it is for {name}; leave out --require {name}")


def _perform(task: Task, store: FactStore | None = None) -> Outcome:
    """Judge all targets of one task."""
    outcome = Outcome([], [])
    store = store or FactStore()
    kinds = [(kind_of(given), number, given) for number, given in task.targets]
    modules = kinds if is_runtime(task.place.spec) else [each for each in kinds if each[0] == "module"]
    if modules:
        from abicheck.api.modules import judge_modules  # noqa: PLC0415 -- few targets are one

        judge_modules(task, modules, store, outcome)
        kinds = [each for each in kinds if each not in modules]
    files = [(number, given) for kind, number, given in kinds if kind == "file"]
    others = [each for each in kinds if each[0] != "file"]
    with outcome.noting_errors():
        if files:
            locator = Locator(task.place.open(python=task.python, settings=task.settings, store=store))
            _judge_files(files, locator, task.options, outcome)
    with outcome.noting_errors():
        if others:
            from abicheck.api.environment import judge  # noqa: PLC0415 -- files alone need none of it

            judge(task, others, store, outcome)
    if task.options.cross_check:
        outcome.errors.extend(_differences(store))
    return outcome


def _differences(store: FactStore) -> Iterator[Failure]:
    """What pyelftools reads otherwise in the files that were read."""
    from abicheck.read.elf.crosscheck import cross_check  # noqa: PLC0415 -- pyelftools is slow to import and rarely asked

    for path in store.paths.values():
        for difference in cross_check(path) if os.path.isfile(path) else ():
            yield Failure(path, f"pyelftools reads it otherwise: {difference}; please report this with the file")


def _judge_files(targets: Sequence[tuple[int, str]], locator: Locator, options: Options, outcome: Outcome) -> None:
    """Judge each target; those that see the same files share the process that their loads start from."""
    runs: dict[View | None, HostRun] = {}
    for number, given in targets:
        with outcome.noting_errors():
            target = locator.locate(given)
            if target.view not in runs:
                runs[target.view] = HostRun(target, options)
            outcome.results.append((number, runs[target.view].result(target)))
    for run in runs.values():
        run.close()

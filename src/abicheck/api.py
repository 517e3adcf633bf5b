"""The public library: the only place where reading and judging meet."""

from __future__ import annotations

import os
import posixpath
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from abicheck import __version__
from abicheck.errors import HostError, TargetError
from abicheck.model.report import (
    Artifact,
    Failure,
    Finding,
    HostSummary,
    Judgement,
    PythonSummary,
    Report,
    Result,
    RootResult,
    Tool,
)
from abicheck.read.files import FactStore, Trace, Traced
from abicheck.read.hosts import open_host
from abicheck.read.hosts.targets import Locator, digest
from abicheck.read.hosts.tree import machine_name
from abicheck.read.verdicts import Shelf, cache_directory, code_state

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from abicheck.judge.loader import Memo
    from abicheck.model.elf import ElfFile
    from abicheck.model.host import Host
    from abicheck.model.process import LinkMap, Process
    from abicheck.read.files import View
    from abicheck.read.hosts.targets import Target


class Options(NamedTuple):
    """How much to find out and how.

    `tree` and `symbol` ask for what was loaded from where and for what one symbol binds to; `digests` for the hashes of the
    targets. `stored` allows verdicts of earlier runs where nothing has changed since. `cross_check` reads every file a second
    time with pyelftools and compares. `jobs` is the number of processes.
    """

    tree: bool = False
    symbol: str | None = None
    digests: bool = False
    stored: bool = True
    cross_check: bool = False
    jobs: int = 1


class _Task(NamedTuple):
    """Some targets on one host, by their place on the command line."""

    spec: str
    python: str | None
    settings: Mapping[str, str]
    targets: tuple[tuple[int, str], ...]
    options: Options


class _Outcome(NamedTuple):
    """What came of a task."""

    results: list[tuple[int, Result]]
    errors: list[Failure]

    @contextmanager
    def noting_errors(self) -> Iterator[None]:
        """What cannot be judged is listed, and the rest goes on."""
        try:
            yield
        except (HostError, TargetError) as error:
            self.errors.append(Failure(error.subject, error.message))


def check(
    targets: Sequence[str],
    hosts: Sequence[str] = ("local",),
    *,
    python: str | None = None,
    settings: Mapping[str, str] | None = None,
    options: Options | None = None,
) -> Report:
    """Say for each target what loading it would say on each host.

    `python` is the target Python (`X.Y` or a path on the hosts), `settings` stand over the loader's environment. A host or target
    that cannot be judged is listed in `Report.errors`; an unknown kind of host or setting raises `UsageError`.
    """
    started = time.perf_counter()
    options = options or Options()
    numbered = tuple(enumerate(targets))
    size = -(-len(numbered) // max(options.jobs, 1)) or 1
    tasks = [
        _Task(spec, python, dict(settings or {}), numbered[first : first + size], options)
        for spec in hosts
        for first in range(0, len(numbered), size)
    ]
    outcomes = _run(tasks, options.jobs)
    results = sorted((each for outcome in outcomes for each in outcome.results), key=lambda each: each[0])
    return Report(
        tool=Tool("abicheck", __version__),
        results=tuple(result for _, result in results),
        errors=tuple(dict.fromkeys(error for outcome in outcomes for error in outcome.errors)),
        symbol=options.symbol,
        seconds=time.perf_counter() - started,
    )


def _run(tasks: Sequence[_Task], jobs: int) -> list[_Outcome]:
    """Every task's outcome: the one place where work is spread over processes."""
    if jobs > 1 and len(tasks) > 1:
        from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 -- costs 9 ms, and one process is enough for most

        with ProcessPoolExecutor(min(jobs, len(tasks))) as executor:
            return list(executor.map(_perform, tasks))
    store = FactStore()
    return [_perform(task, store) for task in tasks]


def _perform(task: _Task, store: FactStore | None = None) -> _Outcome:
    """Judge all targets of one task."""
    outcome = _Outcome([], [])
    store = store or FactStore()
    with outcome.noting_errors():
        _judge_all(task, Locator(open_host(task.spec, python=task.python, settings=task.settings, store=store)), outcome)
    if task.options.cross_check:
        outcome.errors.extend(_differences(store))
    return outcome


def _differences(store: FactStore) -> Iterator[Failure]:
    """What pyelftools reads otherwise in the files that were read."""
    from abicheck.read.elf.crosscheck import cross_check  # noqa: PLC0415 -- pyelftools is slow to import and rarely asked

    for path in store.paths.values():
        for difference in cross_check(path) if os.path.isfile(path) else ():
            yield Failure(path, f"pyelftools reads it otherwise: {difference}; please report this with the file")


def _judge_all(task: _Task, locator: Locator, outcome: _Outcome) -> None:
    """Judge each target; those that see the same files share the process that their loads start from."""
    runs: dict[View | None, _HostRun] = {}
    for number, given in task.targets:
        with outcome.noting_errors():
            target = locator.locate(given)
            if target.view not in runs:
                runs[target.view] = _HostRun(target, task.options)
            outcome.results.append((number, runs[target.view].result(target)))
    for run in runs.values():
        run.close()


class _HostRun:
    """One host with one view of its files, and the process that its Python is once it has started."""

    def __init__(self, target: Target, options: Options) -> None:
        self._host = target.host
        self._options = options
        self._memo: Memo | None = None
        self._process: Process | None = None
        self._start = Trace()
        self._shelf = None
        if options.stored and not (options.tree or options.symbol or options.cross_check):
            key = (code_state(__version__), _fingerprint(target.host), repr(target.view), repr(options.digests))
            self._shelf = Shelf(cache_directory(os.environ), key)

    def close(self) -> None:
        """Store what was judged."""
        if self._shelf is not None:
            self._shelf.save()

    def result(self, target: Target) -> Result:
        """The verdict on one target: the stored one where nothing has changed since."""
        stored = self._shelf.get(target.path, self._host.files) if self._shelf is not None else None
        if stored is not None:
            arch, sha256, plain = stored
            return self._assemble(target, arch, sha256, _restored(plain))
        trace = Trace()
        facts = self._facts(target)
        link_map, judgement = self._judge(target, facts, trace)
        header = facts.header
        arch = machine_name(header.machine, header.elf_class, header.data) if header is not None else None
        sha256 = digest(target.place) if self._options.digests else None
        if self._shelf is not None:
            self._shelf.put(target.path, (arch, sha256, judgement), (self._start, trace))
        return self._detailed(self._assemble(target, arch, sha256, judgement), link_map)

    def _facts(self, target: Target) -> ElfFile:
        file = self._host.files.stat(target.path)
        if isinstance(file, int):
            raise TargetError(f"{os.strerror(file)}; it went away while abicheck ran, so run it again", target.given)
        return self._host.files.facts(file)

    def _judge(self, target: Target, facts: ElfFile, trace: Trace) -> tuple[LinkMap, Judgement]:
        """Load the target into a fresh process of the host's Python, or start it where it is a program."""
        from abicheck.judge import loader, verdict  # noqa: PLC0415 -- a run that finds all its verdicts stored judges nothing

        host = self._host._replace(files=Traced(self._host.files, trace))
        if self._memo is None:
            self._memo = loader.Memo()
        kind = verdict.root_kind(facts, target.path, host.python.version if host.python else None)
        if kind == "executable":
            link_map, _ = loader.start(host, target.path, self._memo)
        else:
            link_map, _ = loader.dlopen(self._python(self._memo), target.path, host, self._memo)
        return link_map, verdict.judge(link_map, kind)

    def _python(self, memo: Memo) -> Process:
        """The host's Python, started."""
        if self._process is None:
            from abicheck.judge import loader  # noqa: PLC0415 -- as above

            host = self._host._replace(files=Traced(self._host.files, self._start))
            assert host.python is not None
            link_map, process = loader.start(host, host.python.path, memo)
            if link_map.predicted is not None:
                message = f"its Python {host.python.path} does not start ({link_map.predicted}); name another with --python"
                raise HostError(message, host.name)
            self._process = process
        return self._process

    def _assemble(self, target: Target, arch: str | None, sha256: str | None, judgement: Judgement) -> Result:
        host = self._host
        version = ".".join(map(str, host.python.version)) if host.python and host.python.version else None
        return Result(
            artifact=Artifact(name=posixpath.basename(target.path), path=target.given, sha256=sha256, arch=arch),
            host=HostSummary(host.name, host.kind, host.arch, host.libc.kind, ".".join(map(str, host.libc.version))),
            python=PythonSummary(
                version=version,
                abi="cp" + version.replace(".", "") if version else None,
                path=host.python.path if host.python else None,
            ),
            verdict=judgement.verdict,
            predicted=judgement.predicted,
            capabilities=(("cpu", judgement.verdict),),
            roots=(RootResult(target.path, judgement.kind, judgement.verdict, judgement.predicted),),
            findings=judgement.findings,
            assumptions=host.assumptions,
            missing_facts=judgement.missing_facts,
            objects=judgement.objects,
            references=judgement.references,
        )

    def _detailed(self, result: Result, link_map: LinkMap) -> Result:
        """The result with what `--tree` and `--why` ask for."""
        if not (self._options.tree or self._options.symbol):
            return result
        from abicheck.judge import explain, verdict  # noqa: PLC0415 -- as above

        return result._replace(
            tree=verdict.tree(link_map) if self._options.tree else None,
            bindings=explain.explain(link_map, self._host, self._options.symbol) if self._options.symbol else None,
        )


def _fingerprint(host: Host) -> str:
    """All facts of a host that no trace of questions about files covers."""
    loader = host.loader._replace(cache=None)
    rest = [value for name, value in host._asdict().items() if name not in ("files", "loader")]
    return repr((loader, host.files.stat("/etc/ld.so.cache"), rest))


def _restored(plain: list[Any]) -> Judgement:
    """The judgement that JSON made lists of."""
    judgement = Judgement(*plain)
    if judgement.missing_facts:
        from abicheck.model.process import Missing  # noqa: PLC0415 -- as above

        judgement = judgement._replace(missing_facts=tuple(Missing(*each) for each in judgement.missing_facts))
    findings = (Finding(*each) for each in judgement.findings)
    return judgement._replace(
        findings=tuple(each._replace(evidence=tuple(each.evidence), remedies=()) for each in findings),
    )

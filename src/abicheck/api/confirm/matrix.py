"""Confirms a matrix: for each cell a prediction, a fresh process in a container, and whether the two agree."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from abicheck import __version__
from abicheck.act.confirm import journal
from abicheck.act.confirm.bytecode import bytecode_of
from abicheck.act.confirm.images import Preparer
from abicheck.act.confirm.observe import PROBE, Ask, observe
from abicheck.act.confirm.places import SITE, Emulated, InContainer
from abicheck.act.confirm.sites import make_site
from abicheck.act.confirm.speech import embedded
from abicheck.act.engine import Engine
from abicheck.api.checking import check
from abicheck.api.confirm.listing import confirm_listing
from abicheck.api.options import Options
from abicheck.api.summaries import python_of, summary_of
from abicheck.errors import AbicheckError, TargetError, UsageError
from abicheck.judge.agreement import compare, predicted_failures
from abicheck.model.confirm import Confirmed, ConfirmReport
from abicheck.model.index import NotInstallable, Target
from abicheck.model.report import Artifact, Failure, Result, Tool
from abicheck.read.files import FactStore
from abicheck.read.hosts import Wanted, open_host
from abicheck.read.index.closure import resolve
from abicheck.read.index.store import Store
from abicheck.read.matrix import read_matrix
from abicheck.read.verdicts import cache_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from abicheck.act.confirm.bytecode import Bytecode
    from abicheck.act.confirm.images import Prepared
    from abicheck.act.confirm.observe import Place
    from abicheck.model.confirm import Cell, Matrix, MatrixHost, Observed, Speech
    from abicheck.model.host import Host

#: How long (in seconds) a matrix is installed from the same releases: whatever they are, the same are predicted and observed.
_DAY = 86_400.0
T = TypeVar("T")
R = TypeVar("R")


class MatrixOptions(NamedTuple):
    """How a matrix is confirmed.

    `hosts` are those of its hosts that are asked (none: all); `engine` is docker or podman (None: whichever answers); `jobs` is
    how many cells run at once. `fresh` forgets what an interrupted run has observed; `offline` asks no package index.
    """

    hosts: tuple[str, ...] = ()
    engine: str | None = None
    jobs: int = 1
    fresh: bool = False
    offline: bool = False


class _Stopped(Exception):  # noqa: N818 -- no error: the run is over
    """The run was interrupted."""


def confirm_matrix(
    path: str,
    options: MatrixOptions | None = None,
    *,
    speech: Speech | None = None,
    progress: Callable[[str], None] | None = None,
) -> ConfirmReport:
    """Predict and observe each cell of the matrix in the file `path`.

    What was observed is kept until the run comes to its end, so that one that was interrupted goes on when it is run again. A
    cell that could not be observed is listed in `ConfirmReport.errors`.

    Raises:
        TargetError: the matrix cannot be read (the message names the key), or there is nothing in it to run.
        UsageError: it has no such host, or there is no such engine.
        EngineError: there is no engine, or it does not answer.

    """
    options = options or MatrixOptions()
    started = time.perf_counter()
    progress = progress or (lambda _: None)
    matrix = read_matrix(path)
    if not matrix.cells:
        raise TargetError(f"nothing in it is to be confirmed; judge it with `abicheck check {path}`", path)
    hosts = _chosen(matrix, options.hosts)
    cells = [cell for cell in matrix.cells if cell.host in hosts]
    contained = any(host.kind == "container" for host in hosts.values())
    engine = Engine.find(options.engine) if contained else None
    for name in engine.clear() if engine is not None else ():
        progress(f"removed {name}, which an earlier run left behind")
    run = _Run(matrix, engine, options, speech or embedded(), progress)
    run.prepare(tuple(hosts.values()))
    outcomes = run.confirm(cells)
    errors = [*run.errors, *(each for each in outcomes if isinstance(each, Failure))]
    if not errors:
        run.journal.finish()
    return ConfirmReport(
        Tool("abicheck", __version__),
        matrix.name,
        tuple(each for each in outcomes if isinstance(each, Confirmed)),
        tuple(errors),
        time.perf_counter() - started,
        engine.name if engine is not None else None,
    )


def _chosen(matrix: Matrix, wanted: Sequence[str]) -> dict[str, MatrixHost]:
    """The hosts that are asked, by name. Raises `UsageError`."""
    known = {host.name: host for host in matrix.hosts}
    for name in wanted:
        if name not in known:
            raise UsageError(f"--host {name}: no such host in the matrix; there are {', '.join(known)}")
    used = {cell.host for cell in matrix.cells}
    return {name: host for name, host in known.items() if name in used and (not wanted or name in wanted)}


class _Run:
    """One run over a matrix; its cells are confirmed in threads, each of which mostly waits for a process."""

    def __init__(
        self, matrix: Matrix, engine: Engine | None, options: MatrixOptions, speech: Speech, progress: Callable[[str], None]
    ) -> None:
        cache = cache_directory(os.environ)
        self._directory = os.path.join(cache, "confirm")
        self._engine = engine
        self._options = options
        self._speech = speech
        self._progress = progress
        self._preparer = Preparer(matrix, engine, self._directory)
        self._store = Store(cache, offline=options.offline, fresh=_DAY)
        with open(PROBE, "rb") as file:
            self._probe = file.read()
        self._resolving = threading.Lock()
        self._own = threading.local()
        self._stopping = threading.Event()
        self._hosts: dict[str, tuple[MatrixHost, Prepared]] = {}
        self.errors: list[Failure] = []
        name = journal.key(matrix, engine.name if engine is not None else None, __version__)
        self.journal = journal.Journal(os.path.join(self._directory, "runs", f"{name}.jsonl"), fresh=options.fresh)
        if len(self.journal):
            progress(f"going on: {len(self.journal)} cells were observed before the interruption")

    def prepare(self, hosts: Sequence[MatrixHost]) -> None:
        """Make the hosts ready; one that cannot be is listed, and its cells with it."""
        self._spread(self._prepare, hosts, lambda _: None)

    def _prepare(self, host: MatrixHost) -> None:
        if self._stopping.is_set():
            return
        self._progress(f"{host.name}: making ready")
        try:
            self._hosts[host.name] = host, self._preparer.prepare(host)
        except (AbicheckError, OSError) as error:
            self.errors.append(_failure(host.name, error))

    def confirm(self, cells: Sequence[Cell]) -> list[Confirmed | Failure]:
        """Every cell's outcome, in order; cells of hosts that are not ready are left out."""
        ready = [cell for cell in cells if cell.host in self._hosts]
        return self._spread(self._outcome, ready, lambda done: self._progress(f"[{done}/{len(ready)}] {ready[done - 1].name}"))

    def _spread(self, work: Callable[[T], R], items: Sequence[T], tell: Callable[[int], None]) -> list[R]:
        """Do the work on each item in threads, and tell how many are done; an interrupt ends what runs and begins no more."""
        results: list[R] = []
        with ThreadPoolExecutor(self._options.jobs) as pool:
            try:
                for result in pool.map(work, items):
                    results.append(result)
                    tell(len(results))
            except BaseException:  # before the pool waits for its threads
                self._stopping.set()
                if self._engine is not None:
                    self._engine.stop_own()
                raise
        return results

    def _outcome(self, cell: Cell) -> Confirmed | Failure:
        if self._stopping.is_set():
            raise _Stopped
        try:
            return self._confirm(cell)
        except (AbicheckError, OSError) as error:
            if self._stopping.is_set():
                raise _Stopped from None
            return _failure(cell.name, error)

    def _confirm(self, cell: Cell) -> Confirmed:
        host, prepared = self._hosts[cell.host]
        wanted = Wanted(cell.python, may_lack=True, libc="musl") if cell.deed == "load" else Wanted(cell.python)
        root = open_host(f"rootfs:{prepared.root}", python=wanted)._replace(name=host.name)
        if cell.deed == "load":
            found = confirm_listing(cell, root, self._store, self._directory, lambda site: self._container(prepared, site))
            return found._replace(rolling=host.rolling)
        major, minor = cell.python.split(".")
        target = Target((int(major), int(minor)), root.arch, root.libc)
        with self._resolving:  # what two cells have in common is fetched once
            wheels = resolve(cell.requirements, target, self._store, override=cell.override)
        if isinstance(wheels, NotInstallable):
            return Confirmed(cell, _refused(wheels, root), rolling=host.rolling)
        site = make_site(wheels, self._directory, cell.remedy)
        prefix = SITE if host.kind == "container" else site
        results = self._predict(cell, host, prepared, site, prefix)
        speech = self._speech._replace(clips=self._speech.clips[: cell.clips]) if cell.deed == "transcribe" else None
        python = dict(host.pythons).get(cell.python, f"/usr/bin/python{cell.python}")
        tried = tuple(each.path for each in predicted_failures(results))
        bytecode = bytecode_of(self._directory, prepared.root, python, site)
        ask = Ask(
            python,
            (site,),
            cell.imports,
            tried,
            speech,
            isolated=True,
            settings=cell.settings,
            seconds=cell.seconds,
            bytecode=bytecode,
        )
        if host.kind == "container":
            place: Place = self._container(prepared, site, speech, bytecode)
        else:
            place = Emulated(prepared.root, host.arch, python)
        observed = self._observe(cell, place, ask, (prepared, sorted(wheel.sha256 for wheel in wheels)))
        agreement = compare(results, observed)
        by_hand = place.by_hand([python, "-c", f"import {', '.join(cell.imports)}"], (site,), dict(cell.settings))
        return Confirmed(cell, agreement.result, observed, agreement.agree, agreement.differences, by_hand, host.rolling)

    def _container(
        self, prepared: Prepared, site: str, speech: Speech | None = None, bytecode: Bytecode | None = None
    ) -> InContainer:
        assert self._engine is not None
        assert prepared.image is not None
        return InContainer(self._engine, prepared.image, site, speech, bytecode)

    def _predict(self, cell: Cell, host: MatrixHost, prepared: Prepared, site: str, prefix: str) -> tuple[Result, ...]:
        """What abicheck says of everything in the site, the subject first."""
        spec = host.predict or f"rootfs:{prepared.root}"
        if not hasattr(self._own, "store"):  # most cells have most of their files in common
            self._own.store = FactStore()
        options = Options(prefix=prefix)
        report = check([site], [spec], python=cell.python, settings=dict(cell.settings), options=options, store=self._own.store)
        if report.errors:
            raise AbicheckError(f"cannot be predicted: {report.errors[0].message}", report.errors[0].target)
        subject = cell.requirements[0].partition("==")[0]
        named = [result._replace(host=result.host._replace(name=host.name)) for result in report.results]
        return tuple(sorted(named, key=lambda result: result.artifact.name != subject))

    def _observe(self, cell: Cell, place: Place, ask: Ask, facts: object) -> Observed:
        """What happens there, or what happened before the interruption."""
        key = journal.key(cell, ask._replace(bytecode=None), self._probe, facts)
        observed = self.journal.recall(key)
        if observed is None:
            observed = observe(place, ask)
            self.journal.note(key, observed)
        return observed


def _failure(name: str, error: AbicheckError | OSError) -> Failure:
    """What could not be done for a host or a cell, and why."""
    if isinstance(error, AbicheckError):
        return Failure(name, error.message if error.subject == name else str(error))
    return Failure(
        name, f"{error.strerror or error}: {error.filename}; free some space, or set ABICHECK_CACHE to another directory"
    )


def _refused(refused: NotInstallable, root: Host) -> Result:
    """The result for what has no wheel there."""
    name, _, version = refused.requirement.partition("==")
    return Result(
        artifact=Artifact(name, refused.requirement, "requirement", refused.version or version, tags=refused.tags),
        host=summary_of(root),
        python=python_of(root),
        verdict="not-installable",
        predicted=refused.text,
    )

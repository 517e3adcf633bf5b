"""Confirms WebAssembly modules in the runtimes of this machine: Node.js and, where it is installed, Chromium."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import time
from typing import TYPE_CHECKING, NamedTuple

from abicheck import __version__
from abicheck.act.confirm.canary import ask_canary
from abicheck.act.confirm.canary import by_hand as canary_by_hand
from abicheck.act.confirm.chromium import find_chromium, version_of
from abicheck.act.confirm.runtimes import Chromium, Node, instantiate
from abicheck.api.kinds import kind_of
from abicheck.api.modules import module_results
from abicheck.api.options import Options
from abicheck.errors import AbicheckError, HostError, TargetError, UsageError
from abicheck.judge.agreement import compare
from abicheck.model.confirm import Cell, Confirmed, ConfirmReport
from abicheck.model.report import Failure, Tool
from abicheck.model.wasm import Deployed, Module
from abicheck.read.runtimes import open_runtime
from abicheck.read.wasm import read_wasm
from abicheck.read.wasm.deployed import open_modules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from abicheck.model.confirm import Deed, Observed
    from abicheck.model.wasm import Runtime, WasmFile

#: The runtimes that can be run here.
RUNTIMES = ("node", "chrome")


class _Site(NamedTuple):
    """A runtime as it is judged, and how it is run."""

    runtime: Runtime
    program: Node | Chromium


class _Subject(NamedTuple):
    """One module of those at `path`, and the file that it is in: `number` is its place among them."""

    path: str
    file: str
    number: int
    data: bytes
    facts: WasmFile


def confirm_modules(
    paths: Sequence[str],
    hosts: Sequence[str] = (),
    *,
    canary: bool = False,
    seconds: float = 300.0,
    progress: Callable[[str], None] | None = None,
) -> ConfirmReport:
    """Predict for each module in the files `paths` whether it loads in the runtimes that are here, and instantiate it there.

    `hosts` are `node` and `chrome`; without any, Node.js and whatever Chromium is installed. A module with shared memory meets
    Chromium twice: in a page as it is, and in one that is cross-origin isolated. With `canary` scripts that bind whisper.cpp are
    run, too, to see whether they pass a language on as it is. Each attempt may take `seconds`. What cannot be done is listed in
    `ConfirmReport.errors`. Raises `UsageError` for another host, for a path of something else, and for a canary without a script.
    """
    started = time.perf_counter()
    progress = progress or (lambda _: None)
    cells: list[Confirmed] = []
    errors: list[Failure] = []
    if canary:
        _refuse_silent(paths)
    subjects = list(_subjects(paths, errors))
    sites = list(_sites(hosts, errors))
    deeds: tuple[Callable[[_Subject, _Site, float], Confirmed | None], ...] = (_instance, _canary) if canary else (_instance,)
    for subject in subjects:
        for site in sites:
            progress(f"{subject.path} in {site.runtime.name}")
            for deed in deeds:
                try:
                    cell = deed(subject, site, seconds)
                    cells += [cell] if cell is not None else []
                except AbicheckError as error:  # noqa: PERF203 -- few
                    errors.append(Failure(f"{subject.path} in {site.runtime.name}", str(error)))
    seconds_taken = time.perf_counter() - started
    return ConfirmReport(Tool("abicheck", __version__), "this machine", tuple(cells), tuple(errors), seconds_taken)


def _subjects(paths: Sequence[str], errors: list[Failure]) -> Iterator[_Subject]:
    """The modules of all files; a file that has none is an error."""
    for path in paths:
        if kind_of(path) != "module":
            raise UsageError(f"{path}: no module (.wasm) and no script with one inside; confirm modules by themselves")
    for path in paths:
        try:
            for number, (file, data) in enumerate(open_modules(path)):
                yield _Subject(path, file, number, data, read_wasm(data))
        except TargetError as error:  # noqa: PERF203 -- few
            errors.append(Failure(path, error.message))


def _sites(hosts: Sequence[str], errors: list[Failure]) -> Iterator[_Site]:
    """The runtimes that are asked; one that was asked for and is not here is an error."""
    for host in hosts:
        if host not in RUNTIMES:
            raise UsageError(f"--host {host}: a module is confirmed in what is here: {' or '.join(RUNTIMES)}")
    for name in dict.fromkeys(hosts) or ("node", *(["chrome"] if find_chromium() else [])):
        try:
            yield from _nodes() if name == "node" else _chromiums()
        except HostError as error:  # noqa: PERF203 -- few
            errors.append(Failure(name, error.message))


def _nodes() -> Iterator[_Site]:
    """The Node.js on the PATH. Raises `HostError` where there is none."""
    runtime = open_runtime("node")
    version = ".".join(map(str, runtime.version))
    yield _Site(runtime._replace(name=f"node:{version}"), Node(shutil.which("node") or "node"))


def _chromiums() -> Iterator[_Site]:
    """A page of Chromium as it is, and one that is isolated. Raises `HostError` where it is not installed."""
    program = find_chromium()
    if program is None:
        raise HostError("there is no Chromium on the PATH; install it (apt-get install chromium), or leave out --host chrome")
    name = f"chrome:{version_of(program)}"
    yield _Site(open_runtime(name)._replace(isolated=False), Chromium(program, isolated=False))
    yield _Site(open_runtime(f"{name}/isolated"), Chromium(program, isolated=True))


def _refuse_silent(paths: Sequence[str]) -> None:
    """A canary that could not sing is a mistake."""
    for path in paths:
        if path.endswith(".wasm"):
            raise UsageError(f"--canary {path}: the script that loads the module is needed; give that (.js)")


def _shares(facts: WasmFile) -> bool:
    return isinstance(facts, Module) and any(memory.shared for memory in facts.memories)


def _instance(subject: _Subject, site: _Site, seconds: float) -> Confirmed | None:
    """Predict, instantiate and compare; None where there is nothing that the page before has not shown.

    Raises `AbicheckError` where it cannot be instantiated at all.
    """
    if site.runtime.isolated and not _shares(subject.facts):
        return None
    observed = instantiate(site.program, subject.data, subject.facts, seconds)
    return _confirmed(subject, site, "instantiate", observed)


def _canary(subject: _Subject, site: _Site, seconds: float) -> Confirmed | None:
    """What the script of the first module passes on: in Node.js, and in a page where it may have threads.

    Raises `AbicheckError` where that cannot be seen.
    """
    if subject.number or site.runtime.isolated is False:
        return None
    return _confirmed(subject, site, "canary", ask_canary(site.program, subject.path, seconds))


def _confirmed(subject: _Subject, site: _Site, deed: Deed, observed: Observed) -> Confirmed:
    """The prediction for a module beside what was observed of it."""
    # By itself: what its script gives it is not what it is given here.
    (result,) = module_results(subject.path, Deployed(((subject.file, "", subject.facts),)), site.runtime, Options())
    agreement = compare([result], observed)
    host = site.runtime.name
    title = os.path.basename(subject.path) + (f"[{subject.number}]" if subject.number else "")
    name = "/".join((host, title, *(["canary"] if deed == "canary" else [])))
    cell = Cell(name, host, "", (), (), deed)
    by_hand = _by_hand(subject, site.program, deed)
    return Confirmed(cell, agreement.result, observed, agreement.agree, agreement.differences, by_hand)


def _by_hand(subject: _Subject, runtime: Node | Chromium, deed: Deed) -> str:
    """A command for a shell that does the same in Node.js, or opens the page once more."""
    if isinstance(runtime, Chromium):
        options = ["--canary"] if deed == "canary" else []
        return shlex.join(["abicheck", "confirm", subject.path, "--host", "chrome", *options])
    if deed == "canary":
        return canary_by_hand(runtime.program, subject.path)
    read = f"fs.readFileSync({json.dumps(subject.file)}"
    module = f"{read})"
    if not subject.file.endswith(".wasm"):
        module = f'Buffer.from({read}, "latin1").match(/AGFzbQEAAA[A-Za-z0-9+\\/]+/g)[{subject.number}], "base64")'
    return shlex.join([runtime.program, "-e", f"new WebAssembly.Module({module})"])

"""`triage`: a bug report's cause, and whether judging the reported load again gives the reported text."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from abicheck import __version__
from abicheck.api.checking import check
from abicheck.api.options import Options
from abicheck.errors import UsageError
from abicheck.judge.triage.read import read_report
from abicheck.judge.triage.replay import known, plan, same
from abicheck.model.report import Tool
from abicheck.model.triage import Replay, Triage
from abicheck.read.hosts.catalogue import catalogue, find

if TYPE_CHECKING:
    from collections.abc import Callable

    from abicheck.judge.triage.replay import Plan
    from abicheck.model.report import Result
    from abicheck.model.triage import Diagnosis
    from abicheck.read.hosts.catalogue import Distribution

#: Of a longer report so many bytes of its start and of its end are read.
LIMIT = 32 << 20


def triage(
    data: bytes,
    *,
    replay: bool = True,
    options: Options | None = None,
    progress: Callable[[str], None] | None = None,
) -> Triage:
    """Say what a bug report is about; with `replay`, judge the load that it reports again. Of `options`, `offline` counts.

    A report may hold anything; nothing in it is opened, run or asked for but the release of a package that it names. Raises
    `DataError` where a file of the package is damaged.
    """
    started = time.perf_counter()
    unread = max(0, len(data) - 2 * LIMIT)
    if unread:
        data = data[:LIMIT] + b"\n" + data[-LIMIT:]
    diagnosis = read_report(data)
    replayed = _replay(diagnosis, options or Options(), progress) if replay and diagnosis.causes else None
    return Triage(Tool("abicheck", __version__), diagnosis, replayed, unread, time.perf_counter() - started)


def _replay(diagnosis: Diagnosis, options: Options, progress: Callable[[str], None] | None) -> Replay:
    load = plan(diagnosis)
    if isinstance(load, str):
        return Replay(None, load)
    host = _host(load)
    if host is None:
        where = load.hosts[0] if load.hosts else f"a host with glibc {load.glibc}"
        return Replay(None, f"{where} is not among the hosts that abicheck knows", load.requirement, reported=_reported(load))
    spec = host.name if load.arch in host.arches and load.arch == host.arches[0] else f"{host.name}/{load.arch}"
    python = None if host.fixed else load.python
    if progress:
        progress(f"{load.requirement} on {spec}")
    report = check([load.requirement], [spec], python=python, options=options._replace(dependencies=False))
    if not report.results:
        why = report.errors[0].message if report.errors else "nothing was judged"
        return _from_facts(load, host, why)
    return _judged(load, report.results[0])


def _host(load: Plan) -> Distribution | None:
    """The built-in distribution that the report names, else the first with the reported glibc."""
    for name in load.hosts:
        try:
            found = find(name)
        except UsageError:
            continue
        if found is not None:
            return found.distribution
    glibc = None if load.glibc is None else load.glibc.split(".")
    same_glibc = (each for each in catalogue().values() if glibc and not each.musl and glibc[:2] == ["2", str(each.glibc)])
    return next(same_glibc, None)


def _reported(load: Plan) -> str | None:
    return next(iter(load.cause.evidence), None)


def _judged(load: Plan, result: Result) -> Replay:
    """The verdict beside what was reported; a translated or cut text is the same where the same rule fires."""
    texts = [result.predicted, *(root.predicted for root in result.roots)]
    agrees = any(text is not None and same(text, load.cause.evidence) for text in texts)
    agrees = agrees or (
        load.cause.confidence != "certain" and any(each.rule == load.cause.rule for each in (*result.findings, *result.ignored))
    )
    host = f"{result.host.name} ({result.host.libc} {result.host.libc_version})"
    said = next((text for text in texts if text is not None and same(text, load.cause.evidence)), result.predicted)
    reason = "" if agrees else _why(load, said)
    return Replay(agrees, reason, load.requirement, host, result.python.version, said, _reported(load), "wheel")


def _why(load: Plan, predicted: str | None) -> str:
    """What may explain the difference."""
    does = "it loads there by itself" if predicted is None else "it fails otherwise there"
    more = "" if load.python else ", and the report names no Python"
    return f"{does}; host, build, or what was loaded before are not as the report tells{more}"


def _from_facts(load: Plan, host: Distribution, why: str) -> Replay:
    """The answer of shipped facts, where the release itself cannot be had."""
    said = known(load, None if host.musl else (2, host.glibc))
    if said is None:
        return Replay(None, why, load.requirement, host.name, load.python, reported=_reported(load))
    agrees = said.predicted is not None and same(said.predicted, load.cause.evidence)
    reason = f"by shipped facts about its wheels, because the wheel cannot be had: {why}"
    return Replay(agrees, reason, load.requirement, host.name, load.python, said.predicted, _reported(load), "facts")

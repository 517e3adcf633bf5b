"""`repair`: new wheels, or changed files of an environment, in which shared objects no longer ask for what loaders refuse."""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from abicheck import __version__
from abicheck.act.repair.installed import repair_installed, undo_installed
from abicheck.act.repair.wheel import make_wheel, plan_wheel
from abicheck.api.checking import check
from abicheck.api.kinds import kind_of
from abicheck.api.options import Options
from abicheck.api.selection import environment_of
from abicheck.errors import TargetError, UsageError
from abicheck.model.names import normalized
from abicheck.model.repair import Check, Repair, RepairReport
from abicheck.model.report import WORST_FIRST, Failure, Tool
from abicheck.read.artifacts.environment import find_environment
from abicheck.read.artifacts.installed import find_distributions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from abicheck.model.artifact import Distribution
    from abicheck.model.report import Result
    from abicheck.read.artifacts.environment import Environment
    from abicheck.read.artifacts.installed import Found

#: The oldest Debian whose glibc refuses executable stacks: what a repaired wheel is checked on.
HOST = "debian:13"
_TELL = {
    "requirement": "a requirement; download it (pip download --no-deps) and give the wheel",
    "lock": "a lock file; give a wheel, an environment or the name of something installed",
    "wheelhouse": "a directory of wheels; give the wheels",
    "file": "neither a wheel nor an environment; give the wheel or the environment that the file is in",
}


class RepairOptions(NamedTuple):
    """How to repair.

    `search_path` repairs relative entries of RPATH and RUNPATH, too. New wheels go into `directory` (None: beside the old one)
    once they are checked on `hosts` (none: `HOST`). Names are looked for in `environment` (None: `$VIRTUAL_ENV`, else this
    interpreter's). With `dry_run` nothing is written, with `undo` what was repaired in an environment becomes what it was.
    """

    search_path: bool = False
    directory: str | None = None
    hosts: tuple[str, ...] = ()
    environment: str | None = None
    dry_run: bool = False
    undo: bool = False


def repair(
    targets: Sequence[str], options: RepairOptions | None = None, progress: Callable[[str], None] | None = None
) -> RepairReport:
    """Repair wheels, environments, and distributions that are installed in one, by their names.

    What cannot be repaired or verified is left as it is and listed in `RepairReport.errors`. Raises `UsageError` for a wheel that
    is to be undone: it was never changed.
    """
    options = options or RepairOptions()
    repairs: list[Repair] = []
    errors: list[Failure] = []
    for target in targets:
        with _noting(target, errors):
            for step in _steps(target, options):
                if progress is not None:
                    progress(f"repairing {target}")
                with _noting(target, errors):
                    done = step()
                    repairs += [done] if done is not None else []
    return RepairReport(Tool("abicheck", __version__), tuple(repairs), tuple(errors))


@contextmanager
def _noting(target: str, errors: list[Failure]) -> Iterator[None]:
    """What cannot be done is listed, and the rest goes on."""
    try:
        yield
    except TargetError as error:
        errors.append(Failure(error.subject or target, error.message))


def _steps(target: str, options: RepairOptions) -> Iterator[Callable[[], Repair | None]]:
    """What is to be done for a target, one wheel or distribution after the other."""
    kind = kind_of(target)
    if kind == "wheel":
        if options.undo:
            raise UsageError(f"{target}: a wheel is never changed, so there is nothing to undo; delete the new one")
        yield partial(_wheel, target, options)
    elif kind == "environment":
        environment = find_environment(target)
        prefix = os.path.realpath(environment.prefix) + os.sep
        for library in environment.libraries:
            if (os.path.realpath(library) + os.sep).startswith(prefix):  # not what the environment sees of another one
                for found in find_distributions(library):
                    yield partial(_installed, found, environment, options)
    elif kind == "installed":
        environment = environment_of(options.environment)
        yield partial(_installed, _named(target, environment), environment, options)
    else:
        raise TargetError(_TELL[kind], target)


def _named(name: str, environment: Environment) -> Found:
    for library in environment.libraries:
        for found in find_distributions(library):
            if found.name == normalized(name):
                return found
    raise TargetError(f"not installed in {environment.prefix}; name the environment with --env, or give a wheel", name)


def _installed(found: Found, environment: Environment, options: RepairOptions) -> Repair | None:
    if found.obstacle:
        raise TargetError(found.obstacle, found.place)
    if options.undo:
        return undo_installed(found.place, environment.scheme, dry_run=options.dry_run)
    return repair_installed(found.place, environment.scheme, search_path=options.search_path, dry_run=options.dry_run)


def _wheel(path: str, options: RepairOptions) -> Repair:
    plan = plan_wheel(path, search_path=options.search_path)
    distribution = plan.distribution
    result = Repair(distribution.name, distribution.version, "wheel", path, "nothing-to-do", plan.objects)
    if not plan.changes:
        return result
    directory = os.path.dirname(path) if options.directory is None else options.directory
    changes = tuple(change for each in plan.changes.values() for change in each)
    result = result._replace(state="repairable", changes=changes, files=(*plan.changes, *plan.texts))
    if options.dry_run:
        return result._replace(output=os.path.join(directory, plan.file_name))
    output, checks = make_wheel(plan, directory or ".", partial(_checks, path, options.hosts or _hosts(distribution)))
    return result._replace(state="repaired", output=output, checks=checks)


def _hosts(distribution: Distribution) -> tuple[str, ...]:
    """Where a wheel is checked unless hosts are named: nowhere if it is for musl, which looks at no such mark."""
    for arch, host in (("x86_64", HOST), ("aarch64", f"{HOST}/aarch64")):
        if any(tag.endswith(f"_{arch}") and "musllinux" not in tag for tag in distribution.tags):
            return (host,)
    return ()


def _checks(old: str, hosts: Sequence[str], new: str) -> tuple[Check, ...]:
    """What `check` says of the old wheel and of the new one on each host. Raises `TargetError` where the new one fares worse."""
    if not hosts:
        return ()
    options = Options(dependencies=False, stored=False, offline=True, pins=False)
    before, after = (check([path], hosts, options=options) for path in (old, new))
    if before.errors or after.errors:
        failure = (*before.errors, *after.errors)[0]
        raise TargetError(f"cannot be checked ({failure.message}); name another host with --host", old)
    checks = tuple(map(_check, before.results, after.results))
    for each in checks:
        if WORST_FIRST.index(each.after) < WORST_FIRST.index(each.before):
            raise TargetError(f"would fare worse on {each.host} ({each.after_text}), so it was left as it is", old)
    return checks


def _check(before: Result, after: Result) -> Check:
    return Check(before.host.name, before.python.version, before.verdict, after.verdict, before.predicted, after.predicted)

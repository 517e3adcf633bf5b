"""Distributions on one host: find what the targets mean, and judge each environment that they make."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from abicheck.api.anypython import choose_python
from abicheck.api.distributions import EnvironmentRun
from abicheck.api.selection import Selector, environment_of, is_environment
from abicheck.api.summaries import python_of, summary_of
from abicheck.judge.rules import pages
from abicheck.model.report import Artifact, Failure, Result
from abicheck.read.artifacts.environment import Environment, find_environment
from abicheck.read.hosts import Wanted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from abicheck.api.kinds import Kind
    from abicheck.api.selection import Chosen
    from abicheck.api.work import Outcome, Task
    from abicheck.judge.rules.context import NoWheel
    from abicheck.model.artifact import Package
    from abicheck.model.host import Host
    from abicheck.model.index import NotInstallable
    from abicheck.model.report import Finding
    from abicheck.read.files import FactStore


def judge(task: Task, targets: Sequence[tuple[Kind, int, str]], store: FactStore, outcome: Outcome) -> None:
    """Judge each target with what comes with it; targets for one Python share the reading of its host."""
    selectors: dict[tuple[str | None, str | None], Selector] = {}
    found: list[tuple[int, Selector, Chosen, NoWheel | None]] = []
    for kind, number, given in targets:
        with outcome.noting_errors():
            environment = environment_for(task, kind, given)
            chosen_python, no_wheel = choose_python(task, kind, given, store)
            python = task.python or python_of_environment(environment, task.place.spec) or chosen_python
            key = python, environment.prefix if environment is not None else None
            if key not in selectors:
                host = task.place.open(python=Wanted(python, may_lack=True), settings=task.settings, store=store)
                selectors[key] = Selector(host, task.options, store, environment)
            chosen = selectors[key].choose(kind, given)
            found.append((number, selectors[key], chosen, no_wheel))
            outcome.errors.extend((*(Failure(given, each) for each in chosen.lacking), *chosen.failures))
            selector = selectors[key]
            refused = [refusal(name, each, selector.host, selector.scheme.library) for name, each in chosen.refused]
            outcome.results.extend((number, located(result, chosen.places)) for result in refused)
    for number, selector, chosen, no_wheel in found:
        with outcome.noting_errors():
            if chosen.packages:
                along = _along(chosen, [other for _, same, other, _ in found if same is selector and not other.places])
                run = EnvironmentRun(selector.host, chosen.packages, chosen.beside, task.options, along, no_wheel)
                outcome.results.extend((number, located(result, chosen.places)) for result in run.results())


def _along(chosen: Chosen, everything: Sequence[Chosen]) -> list[Package]:
    """What other targets would install beside these packages: of each distribution one, and none that is judged here.

    A lock is all that is installed.
    """
    if chosen.places:
        return []
    taken = {package.distribution.name for package in chosen.packages}
    found = []
    for package in (package for other in everything for package in other.packages):
        if package.distribution.name not in taken and package.entries():
            taken.add(package.distribution.name)
            found.append(package)
    return found


def located(result: Result, places: Mapping[str, str]) -> Result:
    """The result with the line of the lock that its findings are about."""
    place = places.get(result.artifact.name)
    return result._replace(findings=tuple(each._replace(location=place) for each in result.findings)) if place else result


def environment_for(task: Task, kind: Kind, given: str) -> Environment | None:
    """The environment that matters to a target; on another host only where the target is one, or in one."""
    if kind == "environment":
        return find_environment(given) if is_environment(given) else None
    if kind == "installed" or (task.place.spec == "local" and (task.options.environment or os.environ.get("VIRTUAL_ENV"))):
        return environment_of(task.options.environment)
    return None


def python_of_environment(environment: Environment | None, spec: str) -> str | None:
    """The Python of an environment: itself on this machine, else one of its version."""
    if environment is None:
        return None
    if spec == "local" and environment.python and os.path.exists(environment.python):
        return environment.python
    return ".".join(map(str, environment.version)) if environment.version else None


def refusal(name: str, refused: NotInstallable, host: Host, library: str) -> Result:
    """The result for what no installer would install on the host, in whose directory `library` it would be."""
    return Result(
        artifact=Artifact(name=name, version=refused.version, kind="requirement", path=refused.requirement, tags=refused.tags),
        host=summary_of(host),
        python=python_of(host),
        verdict="not-installable",
        predicted=refused.text,
        prefix=library,
        capabilities=(("cpu", "not-installable"),),
        assumptions=host.assumptions,
        findings=(_no_wheel(refused, host),),
    )


def _no_wheel(refused: NotInstallable, host: Host) -> Finding:
    """What there is instead of the wheel that is lacking."""
    pythons = [f"{major}.{minor}" for major, minor in refused.pythons]
    for_glibc = re.compile(rf".*-manylinux\w*_{host.arch}").fullmatch
    fields = {
        "object": refused.requirement,
        "package": re.split(r"[^\w.-]", refused.requirement, maxsplit=1)[0],
        "version": refused.version,
        "host": host.name,
        "python": python_of(host).version,
        "offered": f"{host.arch} with {host.libc}",
        "needed": pythons[0] if pythons else None,
        "others": ", ".join(pythons[1:]),
        "manylinux": "yes" if host.libc.kind == "musl" and not pythons and any(map(for_glibc, refused.tags)) else None,
        "sdist": "yes" if refused.sdist else None,
    }
    tags = () if pythons else refused.tags
    return pages.finding("no-wheel", fields, evidence=(f"its wheels are for {', '.join(tags)}",) if tags else ())

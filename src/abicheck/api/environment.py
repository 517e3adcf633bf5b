"""Distributions on one host: find what the targets mean, and judge each environment that they make."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from abicheck.api.distributions import EnvironmentRun, python_of, summary_of
from abicheck.api.selection import Selector, environment_of, is_environment
from abicheck.model.report import Artifact, Failure, Finding, Result
from abicheck.read.artifacts.environment import Environment, find_environment
from abicheck.read.hosts import Wanted, open_host

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abicheck.api.selection import Kind
    from abicheck.api.work import Outcome, Task
    from abicheck.model.index import NotInstallable
    from abicheck.read.files import FactStore


def judge(task: Task, targets: Sequence[tuple[Kind, int, str]], store: FactStore, outcome: Outcome) -> None:
    """Judge each target with what comes with it; targets for one Python share the reading of its host."""
    selectors: dict[str | None, Selector] = {}
    for kind, number, given in targets:
        with outcome.noting_errors():
            environment = _environment(task, kind, given)
            python = task.python or _python_of(environment, task.spec)
            if python not in selectors:
                host = open_host(task.spec, python=Wanted(python, may_lack=True), settings=task.settings, store=store)
                selectors[python] = Selector(host, task.options, store, environment)
            chosen = selectors[python].choose(kind, given)
            outcome.errors.extend(Failure(given, each) for each in chosen.lacking)
            outcome.results.extend((number, refusal(name, each, selectors[python])) for name, each in chosen.refused)
            if chosen.packages:
                run = EnvironmentRun(selectors[python].host, chosen.packages, chosen.beside)
                outcome.results.extend((number, result) for result in run.results())


def _environment(task: Task, kind: Kind, given: str) -> Environment | None:
    """The environment that matters to a target; on another host only where the target is one, or in one."""
    if kind == "environment":
        return find_environment(given) if is_environment(given) else None
    if kind == "installed" or (task.spec == "local" and (task.options.environment or os.environ.get("VIRTUAL_ENV"))):
        return environment_of(task.options.environment)
    return None


def _python_of(environment: Environment | None, spec: str) -> str | None:
    """The Python of an environment: itself on this machine, else one of its version."""
    if environment is None:
        return None
    if spec == "local" and environment.python and os.path.exists(environment.python):
        return environment.python
    return ".".join(map(str, environment.version)) if environment.version else None


def refusal(name: str, refused: NotInstallable, selector: Selector) -> Result:
    """The result for what no installer would install there."""
    pythons = [f"{major}.{minor}" for major, minor in refused.pythons]
    if refused.sdist_only:
        why = "there are only sources of it, which have to be built"
    elif pythons:
        why = f"there are wheels of {refused.version} for Python {', '.join(pythons)}; the newest of these is {pythons[0]}"
    else:
        why = f"no wheel of {refused.version} is for this machine; there are {', '.join(refused.tags) or 'none'}"
    return Result(
        artifact=Artifact(name=name, version=refused.version, kind="requirement", path=refused.requirement, tags=refused.tags),
        host=summary_of(selector.host),
        python=python_of(selector.host),
        verdict="not-installable",
        predicted=refused.text,
        prefix=selector.scheme.library,
        capabilities=(("cpu", "not-installable"),),
        assumptions=selector.host.assumptions,
        findings=(Finding("no-wheel", "error", "certain", name, why),),
    )

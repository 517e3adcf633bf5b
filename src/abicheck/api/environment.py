"""Distributions on one host: find what the targets mean, and judge each environment that they make."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from abicheck.api.anypython import choose_python
from abicheck.api.distributions import EnvironmentRun
from abicheck.api.refusal import refusal
from abicheck.api.selection import Selector, environment_of, is_environment
from abicheck.model.pins import Together
from abicheck.model.report import Failure, Result
from abicheck.read.artifacts.environment import Environment, find_environment
from abicheck.read.hosts import Wanted
from abicheck.read.index.tags import markers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from abicheck.api.kinds import Kind
    from abicheck.api.options import Options
    from abicheck.api.pins import Pins
    from abicheck.api.selection import Chosen
    from abicheck.api.work import Outcome, Task
    from abicheck.judge.rules.context import NoWheel
    from abicheck.model.artifact import Package
    from abicheck.model.index import Target
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
    pins: Pins | None = None
    for number, selector, chosen, no_wheel in found:
        others = [other for _, same, other, _ in found if same is selector and not other.places]
        with outcome.noting_errors():
            for each in _results(selector, chosen, task.options, _along(chosen, others), no_wheel):
                result = located(each, chosen.places)
                if task.options.pins and chosen.asked and result.verdict in ("fails", "not-installable"):
                    pins = pins or _pins(task)
                    result = pins.told(result, _together(chosen, selector.target), selector.target)
                outcome.results.append((number, result))


def _results(
    selector: Selector, chosen: Chosen, options: Options, along: Sequence[Package], no_wheel: NoWheel | None
) -> Iterator[Result]:
    """What comes of one target: first of what has no wheel."""
    for name, each in chosen.refused:
        yield refusal(name, each, selector.host, selector.scheme.library)
    if chosen.packages:
        yield from EnvironmentRun(selector.host, chosen.packages, chosen.beside, options, along, no_wheel).results()


def _pins(task: Task) -> Pins:
    from abicheck.api.pins import Pins  # noqa: PLC0415 -- what loads is to pay nothing for it

    return Pins(task)


def _together(chosen: Chosen, target: Target) -> Together:
    members = tuple(package.distribution for package in chosen.packages)
    return Together(members, chosen.asked, markers(target), chosen.places)


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

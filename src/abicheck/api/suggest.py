"""`suggest`: which releases load on hosts, and the constraint for an installer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from abicheck import __version__
from abicheck.api.grid.rows import Rows
from abicheck.api.options import Options
from abicheck.api.places import places
from abicheck.errors import AbicheckError, UsageError
from abicheck.judge.suggest import constrain
from abicheck.model.confirm import Sweep
from abicheck.model.report import Failure, Result, Tool
from abicheck.model.suggest import Release, Suggestion, SuggestReport
from abicheck.read.specifiers import read_requirement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from packaging.requirements import Requirement

#: So many releases that do not load are tried before it is given up: older ones are of another time.
_PATIENCE = 30


def suggest(
    requirements: Sequence[str],
    hosts: Sequence[str] = ("local",),
    *,
    python: str | None = None,
    every: bool = False,
    options: Options | None = None,
    progress: Callable[[str], None] | None = None,
) -> SuggestReport:
    """Find for each requirement (`NAME` or `NAME>=1,<2`) the newest release that loads on every host, each by itself.

    Releases are judged from the newest on, as far as it takes to know where those end that load; with `every`, all. `python` is
    the target Python, X.Y. What could not be judged is listed in `SuggestReport.errors`. Raises `UsageError` for what is no
    requirement, and for an unknown host.
    """
    started = time.perf_counter()
    wanted = [_requirement(each) for each in requirements]
    errors: list[Failure] = []
    suggestions = []
    with places(hosts) as (found, failures):
        errors += failures
        rows = Rows({place.name: place for place in found}, options or Options())
        sweep = Sweep("", (), tuple(place.name for place in found), (python,) if python else ())
        for requirement in wanted if found else ():
            try:
                suggestions.append(_suggestion(requirement, rows, sweep, progress or (lambda _: None), every=every))
            except UsageError:  # noqa: PERF203 -- the others are answered all the same
                raise
            except AbicheckError as error:
                errors.append(Failure(error.subject or requirement.name, error.message))
    errors += [failure for each in suggestions for release in each.releases for failure in release.failures]
    tool = Tool("abicheck", __version__)
    return SuggestReport(tool, tuple(hosts), tuple(suggestions), tuple(dict.fromkeys(errors)), time.perf_counter() - started)


def _requirement(given: str) -> Requirement:
    from packaging.requirements import InvalidRequirement  # noqa: PLC0415 -- costs 15 ms

    try:
        requirement = read_requirement(given)
    except InvalidRequirement as error:
        why = str(error).splitlines()[0]
        raise UsageError(f"{given!r} is no requirement ({why}); write it as NAME or 'NAME>=1,<2'") from None
    if requirement.url:
        raise UsageError(f"{given!r} names one file; give the name of the distribution")
    return requirement


def _suggestion(
    requirement: Requirement, rows: Rows, sweep: Sweep, progress: Callable[[str], None], *, every: bool
) -> Suggestion:
    sweep = sweep._replace(subject=requirement.name, versions=(str(requirement.specifier),))
    versions = rows.versions(sweep)[::-1]
    releases: list[Release] = []
    for version in versions:
        progress(f"{requirement.name} {version}")
        outcomes = [outcome for _, outcome in rows.part(sweep._replace(versions=(version,)))]
        results = tuple(each for each in outcomes if isinstance(each, Result))
        releases.append(Release(version, results, tuple(each for each in outcomes if isinstance(each, Failure))))
        loads = [release.loads for release in releases]
        settled = (any(loads) and not loads[-1]) or (not any(loads) and len(loads) >= _PATIENCE)
        if settled and not every:
            break
    best = next((release.version for release in releases if release.loads), None)
    constraint = constrain(requirement.name, releases, str(requirement.specifier))
    return Suggestion(str(requirement), best, constraint, tuple(releases), len(versions) - len(releases))

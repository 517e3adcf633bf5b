"""Grids: many artifacts on many hosts, each wheel read once and each load simulated once for all that answer it alike."""

from __future__ import annotations

import time
from functools import lru_cache, partial
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from abicheck import __version__
from abicheck.api.checking import incapable
from abicheck.api.grid.rows import Rows
from abicheck.api.ignoring import expired, shown_by
from abicheck.api.kinds import is_name
from abicheck.api.options import Options
from abicheck.api.places import places
from abicheck.api.work import spread
from abicheck.errors import AbicheckError, UsageError
from abicheck.model.confirm import Sweep
from abicheck.model.report import Failure, Report, Result, Tool
from abicheck.read.index.simple import names_releases
from abicheck.read.matrix import read_matrix

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from abicheck.api.places import Place
    from abicheck.model.confirm import Cell, Matrix

__all__ = ["check_matrix", "check_versions"]

#: An outcome, and what it is sorted by: the sweep or cell, then the release, then the Python.
_Placed: TypeAlias = "tuple[tuple[object, ...], Result | Failure]"


def check_versions(
    names: Sequence[str],
    versions: str,
    hosts: Sequence[str] = ("local",),
    *,
    python: str | None = None,
    options: Options | None = None,
    progress: Callable[[str], None] | None = None,
) -> Report:
    """Judge all releases of some distributions that meet `versions` (`>=4.0`), each alone, on each host.

    `python` is `X.Y`, or `*` for every Python that a release has a wheel for. What cannot be judged is listed in `Report.errors`.
    Raises `UsageError` for what is no name, and no version or specifier, and for an unknown host.
    """
    for name in names:
        if not is_name(name):
            raise UsageError(f"--versions takes names of distributions, and {name!r} is none")
    if not names_releases(versions):
        raise UsageError(f"--versions {versions!r}: no version and no specifier such as >=4.0")
    pythons = () if python is None else (python,)
    return _report([Sweep(name, (versions,), tuple(hosts), pythons) for name in names], (), {}, options, progress)


def check_matrix(
    path: str,
    hosts: Sequence[str] = (),
    *,
    options: Options | None = None,
    progress: Callable[[str], None] | None = None,
) -> Report:
    """Judge all that a matrix holds: its cells on the hosts that `check` names for them, and its sweeps.

    `hosts` are those that are asked (none: all). Raises `TargetError` for a matrix that cannot be read, whose message names the
    key, and `UsageError` for a host that is not in it.
    """
    matrix = read_matrix(path)
    known = dict.fromkeys((*(host for sweep in matrix.sweeps for host in sweep.hosts), *(host.name for host in matrix.hosts)))
    for name in hosts:
        if name not in known:
            raise UsageError(f"--host {name}: no such host in the matrix; there are {', '.join(known)}")
    chosen = hosts or tuple(known)
    sweeps = [each._replace(hosts=tuple(host for host in each.hosts if host in chosen)) for each in matrix.sweeps]
    cells = [cell for cell in matrix.cells if cell.host in chosen]
    return _report(sweeps, cells, _names(matrix), options, progress)


def _names(matrix: Matrix) -> dict[str, str | None]:
    """What is judged for each host of a matrix, None where the matrix does not say."""
    return {host.name: host.check for host in matrix.hosts}


def _report(
    sweeps: Sequence[Sweep],
    cells: Sequence[Cell],
    named: dict[str, str | None],
    options: Options | None,
    progress: Callable[[str], None] | None,
) -> Report:
    started = time.perf_counter()
    options = options or Options()
    shows = shown_by(options)
    errors: dict[Failure, None] = {}
    for name in dict.fromkeys(cell.host for cell in cells if named[cell.host] is None):
        errors[Failure(name, f'the matrix names no host to judge for it; add check = "HOST" to hosts.{name}')] = None
    cells = [cell for cell in cells if named[cell.host] is not None]
    specs = {
        host: named.get(host) or host
        for host in (*(each for sweep in sweeps for each in sweep.hosts), *(cell.host for cell in cells))
    }
    with places(tuple(dict.fromkeys(specs.values()))) as (found, failures):
        errors |= dict.fromkeys(failures)
        by_spec = {place.name: place for place in found}
        seats = {name: by_spec[spec]._replace(name=name) for name, spec in specs.items() if spec in by_spec}
        try:
            outcomes = _outcomes(seats, sweeps, cells, options, progress)
        finally:
            _rows.cache_clear()  # what files and indexes answered counts for one run
    results = tuple(shows(each) for each in outcomes if isinstance(each, Result))
    errors |= dict.fromkeys(each for each in outcomes if isinstance(each, Failure))
    return Report(
        tool=Tool("abicheck", __version__),
        results=results,
        errors=(*errors, *incapable(results, options.require)),
        seconds=time.perf_counter() - started,
        required=options.require,
        expired=expired(options.ignores),
    )


class _Unit(NamedTuple):
    """What one process does by itself: some releases for one Python, or a cell; `number` is the place among sweeps and cells."""

    number: int
    work: Sweep | Cell

    @property
    def size(self) -> int:
        return len(self.work.versions) * len(self.work.hosts) if isinstance(self.work, Sweep) else 1

    def __str__(self) -> str:
        work = self.work
        if not isinstance(work, Sweep):
            return work.name
        return f"{work.subject}, Python {work.pythons[0]}" if work.pythons else f"{work.subject} {work.versions[0]}"


def _outcomes(
    seats: Mapping[str, Place],
    sweeps: Sequence[Sweep],
    cells: Sequence[Cell],
    options: Options,
    progress: Callable[[str], None] | None,
) -> list[Result | Failure]:
    """Everything that comes of the sweeps, release by release, and of the cells."""
    known = tuple(seats.items())
    failures: list[Failure] = []
    units: list[_Unit] = []
    for number, sweep in enumerate(sweeps):
        here = sweep._replace(hosts=tuple(host for host in sweep.hosts if host in seats))
        try:
            units += [_Unit(number, part) for part in _rows(known, options).parts(here)]
        except UsageError:
            raise
        except AbicheckError as error:
            failures.append(Failure(error.subject or sweep.subject, error.message))
    units.sort(key=lambda unit: -unit.size)  # so that no process is left with a large one in the end
    units += [_Unit(number, cell) for number, cell in enumerate(cells, len(sweeps)) if cell.host in seats]
    found: list[_Placed] = []
    for done, each in enumerate(spread(partial(_judge, known, options), units, options.jobs), 1):
        found += each
        if progress is not None:
            progress(f"[{done}/{len(units)}] {units[done - 1]}")
    return [*failures, *(outcome for _, outcome in sorted(found, key=lambda placed: placed[0]))]


@lru_cache(maxsize=1)
def _rows(seats: tuple[tuple[str, Place], ...], options: Options) -> Rows:
    """What one process knows already, from one unit of work to the next."""
    return Rows(dict(seats), options)


def _judge(seats: tuple[tuple[str, Place], ...], options: Options, unit: _Unit) -> list[_Placed]:
    """What comes of a unit, each with what it is sorted by."""
    rows, work = _rows(seats, options), unit.work
    if isinstance(work, Sweep):
        return [((unit.number, *place), outcome) for place, outcome in rows.part(work)]
    try:
        return [((unit.number,), rows.cell(work))]
    except UsageError:
        raise
    except AbicheckError as error:
        return [((unit.number,), Failure(work.name, error.message if error.subject == work.name else str(error)))]

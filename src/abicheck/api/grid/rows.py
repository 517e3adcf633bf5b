"""The rows of a grid: releases of a distribution, or what is installed together, on one host after another."""

from __future__ import annotations

import os
import posixpath
import re
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from abicheck.act.confirm.places import SITE
from abicheck.api.anypython import choose_python
from abicheck.api.distributions import EnvironmentRun
from abicheck.api.grid.cleared import Cleared
from abicheck.api.listing import lent_wheel, predict_listing
from abicheck.api.loads import Loads
from abicheck.api.refusal import refusal
from abicheck.api.wheels import Wheels
from abicheck.api.work import Task
from abicheck.errors import AbicheckError, HostError, UsageError
from abicheck.judge.agreement import deciding
from abicheck.judge.requirements.names import gpu
from abicheck.model.artifact import Scheme
from abicheck.model.elf import SharedObject
from abicheck.model.host import Libc
from abicheck.model.index import NotInstallable, Target
from abicheck.model.report import Failure
from abicheck.read.artifacts.environment import default_scheme
from abicheck.read.files import FactStore, Walked
from abicheck.read.hosts import Wanted
from abicheck.read.index.choice import Chooser
from abicheck.read.index.closure import resolve
from abicheck.read.index.simple import matching, offers, pythons
from abicheck.read.index.store import Store
from abicheck.read.specifiers import read_specifier
from abicheck.read.verdicts import cache_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

    from abicheck.api.options import Options
    from abicheck.api.places import Place
    from abicheck.judge.rules.context import NoWheel
    from abicheck.model.artifact import Package
    from abicheck.model.confirm import Cell, Sweep
    from abicheck.model.files import Files
    from abicheck.model.host import Arch, Host
    from abicheck.model.report import Result
    from abicheck.read.artifacts.wheel import Wheel

#: How long (in seconds) what an index said counts for a grid: its rows are to be about the same releases.
_DAY = 86_400.0
#: Any wheel for this kind of C library fits it.
_NEWEST = {"glibc": Libc("glibc", (2, 99)), "musl": Libc("musl", (1, 99))}


def releases(given: str) -> SpecifierSet | None:
    """The specifier that was given, None for a version. Raises `UsageError` for what is neither."""
    from packaging.version import Version  # noqa: PLC0415 -- costs 15 ms

    try:
        if given[:1].isdigit():
            Version(given)
            return None
        return read_specifier(given)
    except ValueError:  # InvalidVersion, InvalidSpecifier, or too long a number
        raise UsageError(f"{given!r} is no version and no specifier such as '>=4.0,<5'") from None


class _Seat(NamedTuple):
    """A host with one Python, and where a wheel would be installed for that."""

    host: Host
    scheme: Scheme
    target: Target


class Rows:
    """Judges rows on hosts, which are given by their names; whatever several cells have in common is read and judged once."""

    def __init__(self, places: Mapping[str, Place], options: Options, index: Store | None = None) -> None:
        cache = cache_directory(os.environ)
        self._places = places
        self._options = options
        self._facts = FactStore()
        self._loads = Loads()
        self._index = index or Store(cache, offline=options.offline, fresh=_DAY)
        self._chooser = Chooser(self._index)
        self._wheels = Wheels(stored=options.stored)
        self._gpus: dict[str, tuple[str, ...]] = {}
        self._walked: dict[Files, Walked] = {}
        self._seats: dict[tuple[str, str | None, tuple[tuple[str, str], ...]], _Seat] = {}

    def parts(self, sweep: Sweep) -> list[Sweep]:
        """The sweep in parts that share nothing but wheels: one for each Python, each with its releases, oldest first.

        Where each host takes its own Python, one for each release. Raises `AbicheckError`.
        """
        versions = self.versions(sweep)
        if not sweep.pythons:
            return [sweep._replace(versions=(version,)) for version in versions]
        by_python: dict[str, list[str]] = {}
        for version in versions:
            for python in self._all_pythons(sweep, version) if sweep.pythons == ("*",) else sweep.pythons:
                by_python.setdefault(python, []).append(version)
        return [sweep._replace(pythons=tuple(filter(None, [python])), versions=tuple(each)) for python, each in by_python.items()]

    def part(self, sweep: Sweep) -> Iterator[tuple[tuple[object, ...], Result | Failure]]:
        """What comes of each release for the one Python of a part on each host, with the release and the Python to sort it by."""
        from packaging.requirements import Requirement  # noqa: PLC0415 -- costs 15 ms
        from packaging.version import Version  # noqa: PLC0415 -- as above

        python = sweep.pythons[0] if sweep.pythons else None
        for version in sweep.versions:
            requirement = Requirement(f"{sweep.subject}=={version}")
            place = Version(version), tuple(map(int, re.findall(r"\d+", python or "")))
            for host in sweep.hosts:
                try:
                    result = self._release(requirement, host, python)
                except UsageError:
                    raise
                except AbicheckError as error:
                    yield place, Failure(error.subject or str(requirement), error.message)
                    continue
                if result is not None:
                    yield place, result

    def versions(self, sweep: Sweep) -> tuple[str, ...]:
        """The releases of a sweep, those of a specifier from oldest to newest. Raises `AbicheckError` where there are none."""
        found: dict[str, None] = {}
        for given in sweep.versions:
            wanted = releases(given)
            if wanted is None:
                found[given] = None
                continue
            offered = matching(wanted, offers(sweep.subject, self._index))
            if not offered:
                raise AbicheckError(f"no release meets {given or 'this'}; ask for other versions", sweep.subject)
            found |= dict.fromkeys(offer.version for offer in reversed(offered))
        return tuple(found)

    def cell(self, cell: Cell) -> Result:
        """What decides for all that a cell installs together. Raises `AbicheckError` where that cannot be judged."""
        if cell.deed == "load":
            return self._named(self._listing(cell), cell)
        seat = self._seat(cell.host, cell.python, cell.settings)
        wheels = resolve(cell.requirements, seat.target, self._index, override=cell.override)
        if isinstance(wheels, NotInstallable):
            return self._named(refusal(wheels.requirement.partition("==")[0], wheels, seat.host, SITE), cell)
        scheme = seat.scheme._replace(library=SITE)
        packages: list[Package] = [self._wheels.open(wheel.path, scheme, f"{wheel.name}=={wheel.version}") for wheel in wheels]
        if cell.remedy == "clear-exec-stack":
            packages = [Cleared(package) for package in packages]
            if not any(package.has_cleared for package in packages if isinstance(package, Cleared)):
                raise AbicheckError("no shared object in it asks for an executable stack; leave out the remedy", cell.name)
        results = self._judge(seat, packages)
        subject = cell.requirements[0].partition("==")[0]
        return self._named(deciding(sorted(results, key=lambda result: result.artifact.name != subject)), cell)

    def _all_pythons(self, sweep: Sweep, version: str) -> list[str]:
        """The Pythons for which a release has a wheel on machines such as these hosts; "" for none."""
        release = [offer for offer in offers(sweep.subject, self._index) if offer.version == version]
        machines: dict[tuple[Arch, Libc], None] = {}
        for name in sweep.hosts:
            with suppress(HostError):  # told where it is judged
                host = self._seat(name, None).host
                machines[host.arch, _NEWEST[host.libc.kind]] = None
        found = {python for arch, libc in machines for python in pythons(release, arch, libc)}
        return [".".join(map(str, python)) for python in sorted(found)] or [""]

    def _release(self, requirement: Requirement, host: str, python: str | None) -> Result | None:
        """One release on one host; None where that host has another Python for good."""
        no_wheel = None
        if python is None:
            task = Task(self._places[host], None, {}, (), self._options)
            python, no_wheel = choose_python(task, "requirement", str(requirement), self._facts, self._index)
        elif self._has_another(host, python):
            return None
        return self.release(requirement, host, python, no_wheel=no_wheel)

    def release(
        self,
        requirement: Requirement,
        host: str,
        python: str | None,
        settings: tuple[tuple[str, str], ...] = (),
        no_wheel: NoWheel | None = None,
    ) -> Result:
        """One release (`NAME==VERSION`) alone on one host, for that Python (None: its own). Raises `AbicheckError`."""
        seat = self._seat(host, python, settings)
        outcome = self._chooser.choose(requirement, seat.target)
        if isinstance(outcome, NotInstallable):
            return refusal(requirement.name, outcome, seat.host, seat.scheme.library)
        wheel = self._wheels.open(outcome.path, seat.scheme, str(requirement))
        (result,) = self._judge(seat, [wheel], no_wheel)
        return result._replace(gpu=self._gpu(wheel))

    def _has_another(self, name: str, python: str) -> bool:
        own = self._seat(name, None).host
        if own.kind != "distribution" or own.any_python or own.python is None or own.python.version is None or "/" in python:
            return False
        return ".".join(map(str, own.python.version)) != python

    def _seat(self, name: str, python: str | None, settings: tuple[tuple[str, str], ...] = ()) -> _Seat:
        key = name, python, settings
        if key not in self._seats:
            self._seats[key] = self._open(name, Wanted(python, may_lack=True), dict(settings))
        return self._seats[key]

    def _open(self, name: str, wanted: Wanted, settings: Mapping[str, str]) -> _Seat:
        host = self._places[name].open(python=wanted, settings=settings, store=self._facts)
        python = host.python
        if python is None or python.version is None:
            raise HostError("which version its Python is cannot be told; name one with --python X.Y", name)
        scheme = default_scheme(host.files, python.path, python.version)
        if self._options.prefix:
            scheme = scheme._replace(library=self._options.prefix)
        files = self._walked.setdefault(host.files, Walked(host.files))
        host = host._replace(files=files)
        return _Seat(host, scheme, Target(python.version, host.arch, host.libc, python.free_threaded))

    def _judge(self, seat: _Seat, packages: Sequence[Package], no_wheel: NoWheel | None = None) -> list[Result]:
        run = EnvironmentRun(seat.host, packages, tuple, self._options, no_wheel=no_wheel, loads=self._loads)
        return run.results()

    def _gpu(self, wheel: Wheel) -> tuple[str, ...]:
        """The majors of the GPU's libraries that the wheel needs or opens by name."""
        place = wheel.distribution.place
        if place not in self._gpus:
            names: list[str] = []
            for path in wheel.distribution.binaries:
                facts = wheel.facts(wheel.entries()[path])
                if isinstance(facts, SharedObject) and facts.dynamic is not None:
                    names += [*facts.dynamic.needed, *wheel.opened_names(path)]
            found = gpu(names)
            self._gpus[place] = (*(f"CUDA {each}" for each in found.cuda), *(f"cuDNN {each}" for each in found.cudnn))
        return self._gpus[place]

    def _listing(self, cell: Cell) -> Result:
        """What the loader alone says of each shared object."""
        host = self._places[cell.host].open(python=Wanted(cell.python, may_lack=True, libc="musl"), store=self._facts)
        wheel = lent_wheel(cell, host, self._index)
        scheme = Scheme(SITE, posixpath.join(SITE, "bin"), SITE)
        return predict_listing(wheel, self._wheels.open(wheel.path, scheme, cell.requirements[0]), host)

    @staticmethod
    def _named(result: Result, cell: Cell) -> Result:
        beside = f"with {', '.join(cell.requirements[1:])}" if cell.requirements[1:] else ""
        return result._replace(cell=cell.name, variant="; ".join(filter(None, (beside, cell.remedy))))

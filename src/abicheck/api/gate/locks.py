"""Two lock files on one host: what differs between them is fetched and judged, and what that may have an effect on."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from abicheck import __version__
from abicheck.api.distributions import EnvironmentRun
from abicheck.api.environment import environment_for, located, python_of_environment
from abicheck.api.gate.needs import lock_pythons, package_needs
from abicheck.api.ignoring import shown_by
from abicheck.api.locked import fetch_locked
from abicheck.api.refusal import refusal
from abicheck.api.selection import Selector
from abicheck.judge.gate import believed, changed_pins, compare_results
from abicheck.model import index
from abicheck.read.artifacts.kept import Kept
from abicheck.read.artifacts.metadata import normalized
from abicheck.read.artifacts.wheel import Wheel, open_wheel
from abicheck.read.hosts import Wanted
from abicheck.read.index.store import open_store
from abicheck.read.index.tags import markers
from abicheck.read.locks.selection import differing, select
from abicheck.read.verdicts import cache_directory

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from abicheck.api.locked import Locked
    from abicheck.api.work import Task
    from abicheck.model.artifact import Package, Scheme
    from abicheck.model.gate import Change
    from abicheck.model.host import Host
    from abicheck.model.lock import Lock, Selection
    from abicheck.model.report import Failure, Result
    from abicheck.read.files import FactStore

#: A library that others may load; those in NAME.libs are auditwheel's copies for one distribution alone.
_PROVIDED = re.compile(r"(?!.*\.libs/).*/lib[^/]*\.so[.\d]*")

_REFUSED = ("fails", "not-installable")


class Side(NamedTuple):
    """What one lock installs of what differs: opened, judged, and what could not be."""

    packages: tuple[Package, ...]
    results: tuple[Result, ...]
    failures: tuple[Failure, ...]


class Compared(NamedTuple):
    """What changes on one host, and for any; of how many packages nothing is to be said; and both sides."""

    changes: tuple[Change, ...]
    needs: tuple[Change, ...]
    unchanged: int
    old: Side
    new: Side


class Wheels:
    """The wheels of a run, each opened once; their facts are kept for later runs unless `stored` is false."""

    def __init__(self, *, stored: bool) -> None:
        self._kept = Kept(cache_directory(os.environ), __version__) if stored else None
        self._opened: dict[str, Wheel] = {}

    def open(self, path: str, scheme: Scheme, given: str) -> Wheel:
        """The wheel at `path` as it would be installed by `scheme`. Raises as `open_wheel` does."""
        if path not in self._opened:
            self._opened[path] = open_wheel(path, scheme, given, kept=self._kept)
        return self._opened[path].at(scheme)


class Comparison:
    """Two locks on the host of a task, for the Python of the task, else for the one that OLD takes there.

    All of it raises:
        HostError: the host cannot be read.
        TargetError: a lock is not for the Python or machine, or contradicts itself.
        PackageIndexError: no network, no access, no pip.

    """

    def __init__(self, locks: tuple[Lock, Lock], task: Task, store: FactStore, wheels: Wheels) -> None:
        self._locks = locks
        self._wheels = wheels
        self._task = task
        self._options = task.options
        self._shows = shown_by(task.options)
        self._index = open_store(offline=task.options.offline)
        self._host = self._open(task, store)
        self._selector = Selector(self._host, task.options, store, None)
        self._target = self._selector.target
        self._selections = [select(lock, self._target) for lock in self._locks]

    def run(self) -> Compared:
        """Judge what differs, and what that may have an effect on."""
        names = self._names()
        old, new = (self._judged(lock, names) for lock in self._locks)
        new = self._with_pins(old, new)
        changes, unchanged = compare_results(old.results, new.results)
        pins = [{package.name for package in selection.packages} for selection in self._selections]
        untouched = pins[1] - names
        told = believed(changes, old=not old.failures, new=not new.failures, pinned=pins[0] ^ pins[1])
        return Compared(tuple(told), self._needs(old, new, exports=False), unchanged + len(untouched), old, new)

    def pins(self) -> Compared:
        """Fetch what differs, and judge nothing."""
        old, new = (self._fetch(lock, differing(*self._selections)) for lock in self._locks)
        sides = [Side(self._opened(locked), (), locked.failures) for locked in (old, new)]
        return Compared(tuple(changed_pins(*self._selections)), self._needs(*sides, exports=True), 0, *sides)

    def _needs(self, old: Side, new: Side, *, exports: bool) -> tuple[Change, ...]:
        asked = package_needs(old.packages, new.packages, exports=exports)
        return (*asked, *lock_pythons(self._locks[1], self._selections, self._target))

    def located(self, changes: Iterable[Change]) -> Iterator[Change]:
        """The changes with the line of the new lock that each is about."""
        places = {package.name: package.place for package in self._selections[1].packages}
        return (change._replace(location=places.get(change.package)) for change in changes)

    def _open(self, task: Task, store: FactStore) -> Host:
        """The host with the Python that was asked for, or that OLD takes there for what differs."""
        given = task.python or python_of_environment(environment_for(task, "lock", ""), task.place.spec)
        host = task.place.open(python=Wanted(given, may_lack=True), settings=task.settings, store=store)
        if given or not host.any_python or host.python is None or host.python.version is None:
            return host
        from abicheck.api.anypython import python_for_lock  # noqa: PLC0415 -- built-in hosts only

        def fetch(target: index.Target) -> Locked:
            names = differing(*(select(lock, target) for lock in self._locks))
            return self._fetch(self._locks[0], names, target)

        own = host.python.version
        chosen, _ = python_for_lock(self._locks[0], host, own, fetch)
        if chosen in (None, ".".join(map(str, own))):
            return host
        return task.place.open(python=Wanted(chosen, may_lack=True), settings=task.settings, store=store)

    def _names(self) -> frozenset[str]:
        """What differs, and what loads libraries of something that does."""
        differs = differing(*self._selections)
        fetched = [self._fetch(lock, differs) for lock in self._locks]
        providers = {
            package.distribution.name
            for locked in fetched
            for package in self._opened(locked)
            if any(map(_PROVIDED.fullmatch, package.distribution.binaries))
        }
        both = zip(self._locks, self._selections, strict=True)
        return differs | {name for lock, selection in both for name in self._dependents(lock, selection, providers)}

    def _dependents(self, lock: Lock, selection: Selection, providers: set[str]) -> Iterator[str]:
        """What asks for one of the providers: as the lock tells, or else the wheels of all of it."""
        if not providers:
            return
        if any(package.links for package in selection.packages):
            for package in selection.packages:
                if any(link.name in providers for link in package.links):
                    yield package.name
        else:
            for name, outcome in self._fetch(lock, {each.name for each in selection.packages}).outcomes:
                if isinstance(outcome, index.Wheel) and not providers.isdisjoint(self._asked([outcome])):
                    yield name

    def _judged(self, lock: Lock, names: Collection[str]) -> Side:
        """Judge what a lock installs of `names`; where something does not load, with what it requires beside it."""
        locked = self._fetch(lock, names)
        packages = self._opened(locked)
        refused = [refusal(name, each, self._host, self._selector.scheme.library) for name, each in locked.refused]
        results, failures = self._judge(packages, ()), locked.failures
        if any(result.verdict != "loads" for result in results):
            beside = self._fetch(lock, self._required(lock, locked, names))
            along = [each for each in self._opened(beside) if each.entries()]
            failures += beside.failures
            results = self._judge(packages, along) if along else results
        return Side(packages, tuple(self._shows(located(each, locked.places)) for each in (*refused, *results)), failures)

    def _with_pins(self, old: Side, new: Side) -> Side:
        """The new side; what does not load any more is told which pins of the lock keep it from a release that does."""
        before = {result.artifact.name: result.verdict for result in old.results}
        worse = {
            result.artifact.name
            for result in new.results
            if result.verdict in _REFUSED and before.get(result.artifact.name) not in _REFUSED
        }
        if not worse or not self._options.pins:
            return new
        from abicheck.api.pins import Pins  # noqa: PLC0415 -- what loads is to pay nothing for it
        from abicheck.model.pins import Together  # noqa: PLC0415 -- as above

        lock, selection = self._locks[1], self._selections[1]
        everything = [package.name for package in selection.packages]
        asking = [each.name for each in selection.packages if any(link.name in worse for link in each.links)]
        locked = self._fetch(lock, {*worse, *(asking if any(each.links for each in selection.packages) else everything)})
        members = tuple(each for _, each in locked.outcomes if isinstance(each, index.Wheel))
        together = Together(members, locked.asked, markers(self._target), locked.places)
        pins = Pins(self._task)
        told = [pins.told(each, together, self._target) if each.artifact.name in worse else each for each in new.results]
        return new._replace(results=tuple(told))

    def _judge(self, packages: Sequence[Package], along: Sequence[Package]) -> list[Result]:
        return EnvironmentRun(self._host, packages, tuple, self._options, along).results() if packages else []

    def _required(self, lock: Lock, locked: Locked, names: Collection[str]) -> set[str]:
        """What `locked` requires, directly or not, of what is in the lock beside `names`."""
        others = {package.name for package in select(lock, self._target).packages} - set(names)
        found: set[str] = set()
        outcomes = locked.outcomes
        while fresh := (set(self._asked(each for _, each in outcomes if isinstance(each, index.Wheel))) & others) - found:
            found |= fresh
            outcomes = self._fetch(lock, fresh).outcomes
        return found

    def _asked(self, wheels: Iterable[index.Wheel]) -> Iterator[str]:
        """The names of what wheels require on this host; what an extra asks for is required only by those who name it."""
        from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 -- few ask

        environment = {**markers(self._target), "extra": ""}
        for line in (line for wheel in wheels for line in wheel.requires):
            try:
                requirement = Requirement(line)
            except InvalidRequirement:  # no installer reads it, either
                continue
            if requirement.marker is None or requirement.marker.evaluate(environment):
                yield normalized(requirement.name)

    def _fetch(self, lock: Lock, names: Collection[str], target: index.Target | None = None) -> Locked:
        dependencies = self._options.dependencies
        return fetch_locked(lock, target or self._target, self._index, dependencies=dependencies, only=names)

    def _opened(self, locked: Locked) -> tuple[Package, ...]:
        return locked.opened(self._selector.scheme, self._wheels.open)

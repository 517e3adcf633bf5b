"""Two lock files on one host: what differs between them is fetched and judged, and what that may have an effect on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from abicheck.api.distributions import EnvironmentRun
from abicheck.api.environment import environment_for, located, python_of_environment
from abicheck.api.gate.agreement import disagreements
from abicheck.api.gate.needs import lock_pythons, package_needs
from abicheck.api.ignoring import shown_by
from abicheck.api.locked import fetch_selected
from abicheck.api.refusal import refusal
from abicheck.api.selection import Selector
from abicheck.judge import order
from abicheck.judge.gate import believed, compare_names, compare_results
from abicheck.model import index
from abicheck.read.hosts import Wanted
from abicheck.read.index.store import open_store
from abicheck.read.index.tags import markers
from abicheck.read.locks.selection import differing, select

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from abicheck.api.locked import Locked
    from abicheck.api.wheels import Wheels
    from abicheck.api.work import Task
    from abicheck.model.artifact import Package
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


class _Locked(NamedTuple):
    """A lock, and what of it is installed on the host."""

    lock: Lock
    selection: Selection

    @property
    def tells_links(self) -> bool:
        """Whether the lock says what requires what."""
        return any(package.links for package in self.selection.packages)


class Comparison:
    """Two locks on the host of a task, for the Python of the task, else for the one that OLD takes there.

    All of it raises:
        HostError: the host cannot be read.
        TargetError: a lock is not for the Python or machine, or contradicts itself.
        PackageIndexError: no network, no access, no pip.

    """

    def __init__(self, locks: tuple[Lock, Lock], task: Task, store: FactStore, wheels: Wheels) -> None:
        self._wheels = wheels
        self._task = task
        self._options = task.options
        self._shows = shown_by(task.options)
        self._index = open_store(offline=task.options.offline)
        self._host = self._open(locks, task, store)
        self._selector = Selector(self._host, task.options, store, None)
        self._target = self._selector.target
        self._old, self._new = _selected(locks, self._target)

    def run(self) -> Compared:
        """Judge what differs, and what that may have an effect on."""
        names = self._names()
        old, new = (self._judged(each, names) for each in (self._old, self._new))
        new = self._with_pins(old, new)
        new = new._replace(failures=(*new.failures, *self._disagreements()))
        changes, unchanged = compare_results(old.results, new.results)
        pins = [{package.name for package in each.selection.packages} for each in (self._old, self._new)]
        untouched = pins[1] - names
        told = believed(changes, old=not old.failures, new=not new.failures, pinned=pins[0] ^ pins[1])
        return Compared(tuple(told), self._needs(old, new, exports=False), unchanged + len(untouched), old, new)

    def pins(self) -> Compared:
        """Fetch what differs, and judge nothing."""
        names = differing(self._old.selection, self._new.selection)
        fetched = [self._fetch(each, names) for each in (self._old, self._new)]
        sides = [Side(self._opened(locked), (), locked.failures) for locked in fetched]
        versions = [{each.name: each.version for each in side.selection.packages} for side in (self._old, self._new)]
        return Compared(tuple(compare_names(*versions)), self._needs(*sides, exports=True), 0, *sides)

    def _needs(self, old: Side, new: Side, *, exports: bool) -> tuple[Change, ...]:
        asked = package_needs(old.packages, new.packages, exports=exports)
        return (*asked, *lock_pythons(self._new.lock, (self._old.selection, self._new.selection), self._target))

    def located(self, changes: Iterable[Change]) -> Iterator[Change]:
        """The changes with the line of the new lock that each is about."""
        places = {package.name: package.place for package in self._new.selection.packages}
        return (change._replace(location=places.get(change.package)) for change in changes)

    def _open(self, locks: tuple[Lock, Lock], task: Task, store: FactStore) -> Host:
        """The host with the Python that was asked for, or that OLD takes there for what differs."""
        given = task.python or python_of_environment(environment_for(task, "lock", ""), task.place.spec)
        host = task.place.open(python=Wanted(given, may_lack=True), settings=task.settings, store=store)
        if given or not host.any_python or host.python is None or host.python.version is None:
            return host
        from abicheck.api.anypython import python_for_lock  # noqa: PLC0415 -- built-in hosts only

        def fetch(target: index.Target) -> Locked:
            old, new = _selected(locks, target)
            return self._fetch(old, differing(old.selection, new.selection), target)

        own = host.python.version
        chosen, _ = python_for_lock(locks[0], host, own, fetch)
        if chosen in (None, ".".join(map(str, own))):
            return host
        return task.place.open(python=Wanted(chosen, may_lack=True), settings=task.settings, store=store)

    def _names(self) -> frozenset[str]:
        """What differs, and what loads libraries of something that does."""
        both = self._old, self._new
        differs = differing(self._old.selection, self._new.selection)
        providers = {
            package.distribution.name
            for each in both
            for package in self._opened(self._fetch(each, differs))
            if any(map(_PROVIDED.fullmatch, package.distribution.binaries))
        }
        return differs.union(*(self._asking(each, providers) for each in both)) if providers else differs

    def _asking(self, side: _Locked, names: Collection[str]) -> set[str]:
        """What asks for one of these: as the lock tells, or else the wheels of all of it."""
        packages = side.selection.packages
        if side.tells_links:
            return {package.name for package in packages if any(link.name in names for link in package.links)}
        outcomes = self._fetch(side, {each.name for each in packages}).outcomes
        return {outcome[0] for outcome in outcomes if not _required_by([outcome]).isdisjoint(names)}

    def _judged(self, side: _Locked, names: Collection[str]) -> Side:
        """Judge what of `names` a side installs; where something does not load, with what it requires beside it."""
        locked = self._fetch(side, names)
        packages = self._opened(locked)
        refused = [refusal(name, each, self._host, self._selector.scheme.library) for name, each in locked.refused]
        results, failures = self._judge(packages, ()), locked.failures
        if any(result.verdict != "loads" for result in results):
            beside = self._fetch(side, self._required(side, locked, names))
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

        # Without links everything counts: it may ask for extras of what pins.
        everything = {package.name for package in self._new.selection.packages}
        asking = self._asking(self._new, worse) if self._new.tells_links else everything
        locked = self._fetch(self._new, worse | asking)
        members = tuple(each for _, each in locked.outcomes if isinstance(each, index.Wheel))
        together = Together(members, locked.asked, markers(self._target), locked.places)
        pins = Pins(self._task)
        told = [
            pins.told(each, together, self._target, unpinned=True) if each.artifact.name in worse else each
            for each in new.results
        ]
        return new._replace(results=tuple(told))

    def _disagreements(self) -> tuple[Failure, ...]:
        """What pip would refuse of the new lock, if it is to see to what is required."""
        changed = differing(self._old.selection, self._new.selection)
        if not self._options.dependencies or not changed:
            return ()
        return tuple(disagreements(self._new.lock, self._new.selection, changed, self._target, self._index))

    def _judge(self, packages: Sequence[Package], along: Sequence[Package]) -> list[Result]:
        return EnvironmentRun(self._host, packages, tuple, self._options, along).results() if packages else []

    def _required(self, side: _Locked, locked: Locked, names: Collection[str]) -> set[str]:
        """What `locked` requires, directly or not, of what is in the lock beside `names`."""
        others = {package.name for package in side.selection.packages} - set(names)
        found: set[str] = set()
        outcomes = locked.outcomes
        while fresh := (_required_by(outcomes) & others) - found:
            found |= fresh
            outcomes = self._fetch(side, fresh).outcomes
        return found

    def _fetch(self, side: _Locked, names: Collection[str], target: index.Target | None = None) -> Locked:
        to, dependencies = target or self._target, self._options.dependencies
        return fetch_selected(side.lock, side.selection, to, self._index, dependencies=dependencies, only=names)

    def _opened(self, locked: Locked) -> tuple[Package, ...]:
        return locked.opened(self._selector.scheme, self._wheels.open)


def _selected(locks: tuple[Lock, Lock], target: index.Target) -> tuple[_Locked, _Locked]:
    old, new = (_Locked(lock, select(lock, target)) for lock in locks)
    return old, new


def _required_by(outcomes: Iterable[tuple[str, index.Outcome]]) -> set[str]:
    return {name for _, each in outcomes if isinstance(each, index.Wheel) for name in order.required(each.requires)}

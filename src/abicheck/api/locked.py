"""A lock file as a target: the wheels of everything that it installs on one host."""

from __future__ import annotations

import hashlib
import os
import re
from typing import TYPE_CHECKING, NamedTuple

from abicheck.errors import PackageIndexError, TargetError, UnreachableIndexError
from abicheck.model.index import NotInstallable, Wheel
from abicheck.model.names import normalized
from abicheck.model.report import Failure
from abicheck.read.artifacts.wheel import open_wheel
from abicheck.read.index.closure import closure
from abicheck.read.index.fetch import fetch_all
from abicheck.read.locks.selection import select

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from typing import Protocol

    from abicheck.model.artifact import Package, Scheme
    from abicheck.model.index import Outcome, Target
    from abicheck.model.lock import Lock, LockedPackage, Selection
    from abicheck.read.index.store import Store

    class Opening(Protocol):
        """`open_wheel`, or what opens each wheel once."""

        def __call__(self, path: str, scheme: Scheme, given: str, *, yanked: str | None) -> Package:
            """The wheel at `path` as `scheme` installs it; messages name it as `given`."""


_WHERE_FROM = {"url": "an address", "path": "a path", "vcs": "a version control system"}
_INDEX_OPTIONS = ("-i", "--index-url", "--extra-index-url", "-f", "--find-links")


class Locked(NamedTuple):
    """What came of the packages of a lock, by normalized name; where each is pinned, as `FILE:LINE`; and what is not judged.

    `asked` are its lines that count for the target.
    """

    outcomes: tuple[tuple[str, Outcome], ...]
    places: Mapping[str, str]
    failures: tuple[Failure, ...] = ()
    asked: tuple[LockedPackage, ...] = ()

    @property
    def refused(self) -> tuple[tuple[str, NotInstallable], ...]:
        """Those that have no wheel for the target."""
        return tuple((name, each) for name, each in self.outcomes if isinstance(each, NotInstallable))

    def opened(self, scheme: Scheme, opening: Opening = open_wheel) -> tuple[Package, ...]:
        """The wheels as they would be installed."""
        found = ((name, each) for name, each in self.outcomes if isinstance(each, Wheel))
        return tuple(opening(each.path, scheme, f"{name}=={each.version}", yanked=each.yanked) for name, each in found)


def fetch_locked(lock: Lock, target: Target, store: Store, *, dependencies: bool = True) -> Locked:
    """The wheels that a lock installs on the target, each with a hash that the lock has for it.

    A requirements.txt is completed as pip does, unless without `dependencies`, all or nothing; every other lock is complete, and
    a package of it that cannot be fetched is a failure beside the others. What comes from no index is one, too.

    Raises:
        TargetError: the lock is not for the target or contradicts itself.
        PackageIndexError: no network, no access, no pip.

    """
    return fetch_selected(lock, select(lock, target), target, store, dependencies=dependencies)


def fetch_selected(
    lock: Lock, whole: Selection, target: Target, store: Store, *, dependencies: bool = True, only: Collection[str] | None = None
) -> Locked:
    """What `fetch_locked` does, for what of the lock is installed on the target.

    With `only` nothing but the packages of these normalized names is looked at, and what a requirements.txt does not name of
    their needs. Raises `PackageIndexError`.
    """
    selection = whole if only is None else whole.of(only)
    others = {each.name for each in whole.packages} - {each.name for each in selection.packages}
    places: dict[str, str] = {}
    for package in selection.packages:
        places.setdefault(package.name, package.place)
    failures = [_elsewhere(each) for each in selection.elsewhere]
    if dependencies and any(each.version is None or lock.format == "requirements" for each in selection.packages):
        try:
            outcomes = _completed(selection, target, store, others)
        except TargetError as error:
            name = normalized(re.split(r"[^\w.-]", error.subject, maxsplit=1)[0])
            failures.append(Failure(places.get(name, lock.path), f"{error.subject}: {error.message}{_hint(lock)}"))
            outcomes = {}
    else:
        outcomes = dict(_each(list(selection.packages), target, store, lock, failures))
    for package in selection.packages:
        outcome = outcomes.get(package.name)
        if isinstance(outcome, Wheel) and not _is_listed(outcome, package.hashes):
            failures.append(_unlisted(package, outcome))
            del outcomes[package.name]
    return Locked(tuple(outcomes.items()), places, tuple(failures), (*selection.packages, *selection.constraints))


def _completed(selection: Selection, target: Target, store: Store, others: Collection[str]) -> dict[str, Outcome]:
    """Everything that pip would install for the requirements beside `others`."""
    from packaging.requirements import Requirement  # noqa: PLC0415 -- costs 15 ms

    wanted = [Requirement(each.requirement) for each in selection.packages]
    limits = [Requirement(each.requirement) for each in selection.constraints]
    without = {*others, *(each.name for each in selection.elsewhere)}
    return {member.name: member.outcome for member in closure(wanted, target, store, without, limits)}


def _each(
    packages: Sequence[LockedPackage], target: Target, store: Store, lock: Lock, failures: list[Failure]
) -> Iterator[tuple[str, Outcome]]:
    """What comes of each package by itself; in halves, so that few that fail cost few more questions to the index."""
    from packaging.requirements import Requirement  # noqa: PLC0415 -- as above

    try:
        outcomes = fetch_all([Requirement(each.requirement) for each in packages], target, store)
    except UnreachableIndexError:
        raise
    except (TargetError, PackageIndexError) as error:
        if len(packages) == 1:
            hint = _hint(lock) if isinstance(error, TargetError) else ""
            failures.append(Failure(packages[0].place, f"{error.subject}: {error.message}{hint}"))
            return
        middle = len(packages) // 2
        yield from _each(packages[:middle], target, store, lock, failures)
        yield from _each(packages[middle:], target, store, lock, failures)
    else:
        yield from zip((each.name for each in packages), outcomes, strict=True)


def _hint(lock: Lock) -> str:
    """Where the file names indexes, which are not asked: that may be why something is not found."""
    found = [f"{place} has {option}" for place, option in lock.passed_over if option in _INDEX_OPTIONS]
    return f" ({found[0]}, which is not looked at: configure pip with it)" if found else ""


def _elsewhere(package: LockedPackage) -> Failure:
    what = f"{package.name} is" if package.name else "this is"
    where = _WHERE_FROM[package.source]
    return Failure(package.place, f"{what} from {where} ({package.origin}) and not judged; give its wheel as a target of its own")


def _is_listed(wheel: Wheel, hashes: Sequence[str]) -> bool:
    """Whether a wheel has one of these hashes, or there are none."""
    if not hashes or f"sha256:{wheel.sha256}" in hashes:
        return True
    algorithms = {each.partition(":")[0] for each in hashes} - {"sha256"}
    return any(f"{each}:{_digest(wheel.path, each)}" in hashes for each in algorithms & hashlib.algorithms_guaranteed)


def _digest(path: str, algorithm: str) -> str:
    digest = hashlib.new(algorithm)
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest() if digest.digest_size else ""


def _unlisted(package: LockedPackage, wheel: Wheel) -> Failure:
    name = os.path.basename(wheel.path)
    message = f"refused: {name} has the SHA-256 {wheel.sha256}, which is none of the hashes that are locked for {package.name}"
    return Failure(package.place, f"{message}; lock it again for this platform, or find out who changed the file")

"""What of a lock file an installer would install on one target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from abicheck.errors import TargetError
from abicheck.model.lock import GROUP, Selection
from abicheck.read.index.tags import full_version, markers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from abicheck.model.index import Target
    from abicheck.model.lock import Link, Lock, LockedPackage


def select(lock: Lock, target: Target) -> Selection:
    """The packages that apply on the target, in their order.

    They are those of the tool's default install, and of the extras and groups of the lock.

    Raises:
        TargetError: the lock is not for this Python or machine, two different versions of one package apply, or a marker asks
            for what no installer knows.

    """
    environment = _environment(lock, target)
    _demand_welcome(lock, target, environment)
    if lock.roots is None:
        under = [{**environment, "extra": extra} for extra in ("", *lock.extras)]
        chosen = [
            each
            for each in lock.packages
            if _is_wanted(each, lock) and any(_holds(each.marker, values, each.place) for values in under)
        ]
    else:
        chosen = list(_reached(lock, environment))
    _demand_agreement(chosen)
    return Selection(
        packages=tuple(_once(each for each in chosen if each.source == "index")),
        constraints=tuple(each for each in lock.constraints if each.name and _holds(each.marker, environment, each.place)),
        elsewhere=tuple(each for each in chosen if each.source not in ("index", "project")),
    )


def differing(old: Selection, new: Selection) -> frozenset[str]:
    """The names of the packages that two selections do not have alike."""
    sides = [{package.name: package for package in (*each.packages, *each.elsewhere)} for each in (old, new)]
    return frozenset(name for name in {*sides[0], *sides[1]} if not _same(sides[0].get(name), sides[1].get(name)))


def _same(old: LockedPackage | None, new: LockedPackage | None) -> bool:
    """Whether two entries install the same, so that what holds of the old one holds of the new one.

    A lock that lists more files of a release, or other lines, changes nothing; hashes that the old one has not are to be checked.
    """
    if old is None or new is None:
        return False
    told = [(each.specifier, each.extras, each.source, each.origin) for each in (old, new)]
    return told[0] == told[1] and not (new.hashes and set(old.hashes).isdisjoint(new.hashes))


def admits(lock: Lock, python: str) -> bool:
    """Whether the lock is for that version of Python (`3.12.4`)."""
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 -- costs 15 ms

    return lock.requires_python is None or SpecifierSet(lock.requires_python).contains(python, prereleases=True)


def _environment(lock: Lock, target: Target) -> dict[str, Any]:
    """What markers are evaluated in; PEP 751 has two variables of its own for them."""
    return {**markers(target), "extra": "", "extras": frozenset(lock.extras), "dependency_groups": frozenset(lock.groups)}


def _demand_welcome(lock: Lock, target: Target, environment: Mapping[str, Any]) -> None:
    version = full_version(target)
    if not admits(lock, version):
        spelled = ".".join(map(str, target.python))
        raise TargetError(f"it is for Python {lock.requires_python}, not {spelled}; name one with --python", lock.path)
    if lock.environments and not any(_holds(each, environment, lock.path) for each in lock.environments):
        raise TargetError("it is for none of this Python and machine (see its list of environments); lock it for them", lock.path)


def _is_wanted(package: LockedPackage, lock: Lock) -> bool:
    if package.optional and not lock.extras:
        return False
    return not package.groups or not lock.groups or not set(lock.groups).isdisjoint(package.groups)


def _holds(marker: str | None, environment: Mapping[str, Any], place: str) -> bool:
    from packaging.markers import Marker  # noqa: PLC0415 -- costs 15 ms

    if marker is None:
        return True
    try:
        return Marker(marker).evaluate(cast("dict[str, str]", environment), context="lock_file")
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        message = f"the marker {marker!r} cannot be evaluated ({error}); make the lock again with its tool"
        raise TargetError(message, place) from None


def _reached(lock: Lock, environment: Mapping[str, Any]) -> Iterator[LockedPackage]:
    """What the roots lead to."""
    by_name: dict[str, list[LockedPackage]] = {}
    for package in lock.packages:
        by_name.setdefault(package.name, []).append(package)
    followed: dict[tuple[str, int], set[str]] = {}
    asked = frozenset(("", *lock.extras, *(GROUP + each for each in lock.groups)))
    pending: list[tuple[Link, str, frozenset[str]]] = [(link, lock.path, asked) for link in lock.roots or ()]
    for link, place, extras in pending:
        if link.under is not None and link.under not in extras:
            continue
        if not any(_holds(link.marker, {**environment, "extra": extra}, place) for extra in extras):
            continue
        for package in _meant(link, by_name.get(link.name, ())):
            key = package.name, package.line
            wanted = {"", *link.extras}
            if key in followed and wanted <= followed[key]:
                continue
            followed.setdefault(key, set()).update(wanted)
            pending.extend((each, package.place, frozenset(followed[key])) for each in package.links)
    return (each for each in lock.packages if (each.name, each.line) in followed)


def _meant(link: Link, candidates: Iterable[LockedPackage]) -> list[LockedPackage]:
    """Those of several locked versions that a link allows; all of them where its specifier is one that only the tool can read."""
    found = list(candidates)
    if len(found) < 2 or not link.specifier:
        return found
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 -- as above

    try:
        specifier = SpecifierSet(link.specifier)
        return [each for each in found if each.version and specifier.contains(each.version, prereleases=True)]
    except ValueError:
        return found


def _demand_agreement(chosen: Iterable[LockedPackage]) -> None:
    """Two versions of one package cannot be installed together."""
    from packaging.utils import canonicalize_version  # noqa: PLC0415 -- as above

    first: dict[str, LockedPackage] = {}
    for package in (each for each in chosen if each.name and each.version):
        other = first.setdefault(package.name, package)
        if canonicalize_version(other.version or "") != canonicalize_version(package.version or ""):
            message = f"{package.name} {package.version} contradicts {other.version} at {other.place}; take one of them out"
            raise TargetError(message, package.place)


def _once(packages: Iterable[LockedPackage]) -> Iterator[LockedPackage]:
    """Entries that say the same on several lines, once."""
    seen = set()
    for package in packages:
        key = package.name, package.specifier, package.extras
        if key not in seen:
            seen.add(key)
            yield package

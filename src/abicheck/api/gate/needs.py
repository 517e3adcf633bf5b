"""What two artifacts ask of any host, and what they bring, compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.errors import AbicheckError, HostError, PackageIndexError, TargetError
from abicheck.judge.gate import compare_exports, compare_needs, compare_pythons, newly_yanked
from abicheck.model.host import Libc
from abicheck.model.report import Failure
from abicheck.read.index.simple import offer_of, offers, pythons
from abicheck.read.locks.selection import admits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abicheck.api.options import Options
    from abicheck.api.showing import Finder
    from abicheck.model.artifact import Distribution, Package
    from abicheck.model.gate import Change
    from abicheck.model.host import Arch
    from abicheck.model.index import Offer, Target
    from abicheck.model.lock import Lock, Selection

#: Newer than any wheel asks for.
_ANY_GLIBC = Libc("glibc", (2, 99))


def needs(old: str, new: str, python: str | None, options: Options, *, exports: bool) -> tuple[list[Change], list[Failure]]:
    """What changes between two targets that `show` takes, machine by machine; and what could not be read.

    With `exports` also what their libraries no longer define.
    """
    from abicheck.api.showing import Finder  # noqa: PLC0415 -- only for single artifacts

    finder = Finder(python, options._replace(dependencies=False))
    failures: list[Failure] = []
    before, after = (_opened(finder, target, failures) for target in (old, new))
    if before is None or after is None:
        return [], failures
    found = list(newly_yanked([before.distribution], [after.distribution]))
    try:
        return [*found, *_compare(before, after, options, exports=exports)], failures
    except TargetError as error:
        return found, [Failure(error.subject, error.message)]


def _opened(finder: Finder, target: str, failures: list[Failure]) -> Package | None:
    try:
        return finder.packages([target])[0]
    except (HostError, TargetError, PackageIndexError) as error:
        failures.append(Failure(error.subject or target, error.message))
        return None


def package_needs(old: Sequence[Package], new: Sequence[Package], *, exports: bool) -> Iterator[Change]:
    """What changes between the packages of the same name, with `exports` also what their libraries no longer define.

    Of those without native code, and of new ones, only whether they are yanked: they ask for nothing, or for all that they need.
    """
    yield from newly_yanked([each.distribution for each in old], [each.distribution for each in new])
    before = {package.distribution.name: package for package in old}
    for package in new:
        other = before.get(package.distribution.name)
        if other is not None and package.distribution.binaries and other.distribution.binaries:
            try:
                yield from _compare(other, package, exports=exports)
            except TargetError:  # binaries for other machines alone, of which the verdict says what is to be said
                continue


def lock_pythons(lock: Lock, selections: Sequence[Selection], target: Target) -> Iterator[Change]:
    """For which Pythons that the new lock is for there is a wheel of its packages on such a machine, if the locks list files."""
    old, new = selections
    before = {package.name: package for package in old.packages}
    for package in new.packages:
        other = before.get(package.name)
        if other is not None and other.files and package.files and other.version != package.version:
            offered = [[offer[1] for name in each.files if (offer := offer_of(name))] for each in (other, package)]
            found = [{each for each in _pythons(some, target.arch, target.libc) if admits(lock, each)} for some in offered]
            yield from compare_pythons(package.name, (other.version, package.version), *found)


def _index_pythons(old: Distribution, new: Distribution, arch: Arch, options: Options) -> Iterator[Change]:
    """The same for two releases of an index, on glibc."""
    from abicheck.read.index.store import open_store  # noqa: PLC0415 -- only for releases

    try:
        known = offers(new.name, open_store(offline=options.offline))
    except AbicheckError:  # it is an aside
        return
    offered = [[offer for offer in known if offer.version == each.version] for each in (old, new)]
    if all(offered):
        versions = old.version, new.version
        yield from compare_pythons(new.name, versions, *(_pythons(each, arch, _ANY_GLIBC) for each in offered))


def _pythons(offered: Sequence[Offer], arch: Arch, libc: Libc) -> set[str]:
    return {".".join(map(str, each)) for each in pythons(offered, arch, libc)}


def _compare(old: Package, new: Package, options: Options | None = None, *, exports: bool) -> Iterator[Change]:
    """Machine by machine; with `options` also the Pythons, of which a wheel of a lock knows only its own.

    Raises `TargetError` for a package without native code for any machine.
    """
    from abicheck.api.showing import cards_of, objects_of  # noqa: PLC0415 -- as above

    cards = {card.requirements.arch: card.requirements for card in cards_of(new)}
    name, versions = new.distribution.name, (old.distribution.version or None, new.distribution.version or None)
    for before in (card.requirements for card in cards_of(old)):
        after = cards.get(before.arch)
        if after is None:
            continue
        yield from compare_needs(name, versions, before, after)
        if options is not None and old.distribution.name == name and all("==" in each.distribution.given for each in (old, new)):
            yield from _index_pythons(old.distribution, new.distribution, before.arch, options)
        elif options is not None and before.python.versions and after.python.versions:
            yield from compare_pythons(name, versions, {*before.python.versions}, {*after.python.versions})
    if exports:
        yield from compare_exports(name, versions, objects_of(old), objects_of(new))

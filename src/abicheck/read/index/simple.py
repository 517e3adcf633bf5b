"""Which files the configured indexes offer for a project, and what they mean for a target."""

from __future__ import annotations

import os
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from abicheck.errors import PackageIndexError, TargetError, UnreachableIndexError
from abicheck.model.index import NotInstallable, Offer, Target
from abicheck.read.index.client import ask_links, demand_answer
from abicheck.read.index.tags import PYTHONS, full_version, tag_set
from abicheck.read.specifiers import read_specifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from abicheck.model.host import Arch, Libc
    from abicheck.read.index.store import Store


def offers(project: str, store: Store) -> tuple[Offer, ...]:
    """All wheels and sdists of a project, the newest version first.

    Raises:
        TargetError: no index knows the project.
        PackageIndexError: pip is missing, an index did not answer or refused, so that the list could lack something; or offline
            and not stored.

    """
    from packaging.utils import canonicalize_name  # noqa: PLC0415 -- as everywhere: only what is used costs time

    name = canonicalize_name(project)
    if name in store.offers:
        return store.offers[name]
    links = store.recall(name, "files", list)
    if links is None:
        try:
            links = _links(name)
        except UnreachableIndexError as error:
            store.unreachable = error
            raise
        store.remember(name, "files", links)
    found = [offer for link in links if (offer := _offer(link, name))]
    if not found:
        raise TargetError("the package index has no such project; check the spelling, and the index-url of pip", project)
    store.offers[name] = tuple(sorted(found, key=_by_version, reverse=True))
    return store.offers[name]


def _links(name: str) -> list[dict[str, Any]]:
    """What pip finds for a project, as `links.py` writes it."""
    import json  # noqa: PLC0415 -- as above
    import tempfile  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="abicheck-") as directory:
        output = os.path.join(directory, "links.json")
        answer = ask_links(output, ["index", "versions", "-vv", "--", name])
        if not os.path.exists(output):
            message = f"pip could not list files ({answer.last_line}); update pip"
            raise PackageIndexError(message, name)
        with open(output, encoding="utf-8") as file:
            found = [link for link in json.load(file) if _offer(link, name)]
    demand_answer(answer, found=bool(found))
    return found


def _by_version(offer: Offer) -> tuple[Version, str]:
    from packaging.version import Version  # noqa: PLC0415 -- as above

    return Version(offer.version), offer.filename


def _offer(link: dict[str, Any], project: str) -> Offer | None:
    """A file of that project that pip could take, from what `links.py` wrote; a directory of wheels holds others too."""
    found = offer_of(link["filename"])
    if found is None or found[0] != project:
        return None
    return found[1]._replace(requires_python=link["requires_python"], yanked=link["yanked"], sha256=link["sha256"])


def offer_of(filename: str) -> tuple[str, Offer] | None:
    """The normalized project of a wheel or sdist and what its name tells; None for an egg, an installer, an odd version."""
    from packaging.utils import (  # noqa: PLC0415 -- as above
        InvalidSdistFilename,
        InvalidWheelFilename,
        parse_sdist_filename,
        parse_wheel_filename,
    )

    tags_of_it: Iterable[object] = ()
    try:
        if filename.endswith(".whl"):
            name, version, _, tags_of_it = parse_wheel_filename(filename)
        else:
            name, version = parse_sdist_filename(filename)
    except (InvalidSdistFilename, InvalidWheelFilename):
        return None
    return name, Offer(filename, str(version), tuple(sorted(map(str, tags_of_it))))


def names_releases(given: str) -> bool:
    """Whether that is a version, or a specifier such as `>=4.0` (PEP 440)."""
    from packaging.version import Version  # noqa: PLC0415 -- as above

    try:
        return bool(Version(given) if given[:1].isdigit() else read_specifier(given))
    except ValueError:  # InvalidVersion, InvalidSpecifier, or too long a number
        return False


def is_pinned(specifier: SpecifierSet) -> bool:
    """Whether one version is named."""
    return any(each.operator in ("==", "===") and not each.version.endswith(".*") for each in specifier)


def matching(specifier: SpecifierSet, offered: Sequence[Offer]) -> list[Offer]:
    """The offers that meet a specifier as pip understands it, in their order.

    Pre-releases count only where the specifier names one or nothing else is there; yanked files only where it is pinned.
    """
    usable = [offer for offer in offered if offer.yanked is None or is_pinned(specifier)]
    versions = _meeting(str(specifier), frozenset({offer.version for offer in usable}))
    return [offer for offer in usable if offer.version in versions]


@lru_cache(maxsize=1 << 8)
def _meeting(specifier: str, versions: frozenset[str]) -> frozenset[str]:
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 -- as above

    return frozenset(SpecifierSet(specifier).filter(versions))


def fits(offer: Offer, target: Target) -> bool:
    """Whether pip would take the file there."""
    return welcomes(offer, target) and not tag_set(target).isdisjoint(offer.tags)


def welcomes(offer: Offer, target: Target) -> bool:
    """Whether the file's Requires-Python admits the target's Python."""
    return _admits(offer.requires_python or "", full_version(target))


@lru_cache(maxsize=1 << 10)
def _admits(requires_python: str, version: str) -> bool:
    from packaging.specifiers import InvalidSpecifier  # noqa: PLC0415 -- as above

    try:
        return read_specifier(requires_python).contains(version, prereleases=True)
    except InvalidSpecifier:  # pip ignores such a line
        return True


def pythons(offered: Iterable[Offer], arch: Arch, libc: Libc) -> tuple[tuple[int, int], ...]:
    """The Pythons, newest first, for which there is a wheel on such a machine."""
    offered = list(offered)
    return tuple(python for python in PYTHONS if any(fits(offer, Target(python, arch, libc)) for offer in offered))


def wheel_pythons(requirement: Requirement, arch: Arch, libc: Libc, store: Store) -> tuple[tuple[int, int], ...]:
    """The Pythons, newest first, for which the newest release that has any wheel for such a machine has one.

    Raises as `offers` does.
    """
    for release in _releases(matching(requirement.specifier, offers(requirement.name, store))):
        found = pythons(release, arch, libc)
        if found:
            return found
    return ()


def taken_unpinned(project: str, target: Target, store: Store) -> str | None:
    """What pip takes on the target where no release is asked for: `4.6.2`, or `1.0 from source`. Raises as `offers` does."""
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 -- as above

    for release in _releases(matching(SpecifierSet(), offers(project, store))):
        if any(fits(offer, target) for offer in release):
            return release[0].version
        if any(not offer.tags and welcomes(offer, target) for offer in release):
            return f"{release[0].version} from source"
    return None


def explain(
    requirement: Requirement, target: Target, text: str, store: Store, found: Sequence[Offer] | None = None
) -> NotInstallable:
    """What lies behind pip's `text` that nothing matches; `found` are the offers that meet the requirement, where they are known.

    Raises:
        TargetError: there is no release that meets the requirement.
        PackageIndexError: there is a wheel that fits, so pip must have had another reason.

    """
    from packaging.utils import canonicalize_name  # noqa: PLC0415 -- as above

    question = f"{canonicalize_name(requirement.name)}{requirement.specifier}"
    offered = offers(requirement.name, store)
    if found is None:
        found = matching(requirement.specifier, offered)
    if not found:
        message = f"no release meets this (the newest is {offered[0].version}); ask for another version"
        raise TargetError(message, question)
    if any(fits(offer, target) for offer in found):
        raise PackageIndexError(f"pip takes none of its wheels ({text}); try `pip download` to see why", question)
    newest = next(_releases(found))
    return NotInstallable(
        requirement=question,
        text=text,
        version=newest[0].version,
        pythons=pythons(newest, target.arch, target.libc),
        tags=tuple(sorted({tag for offer in newest for tag in offer.tags})),
        sdist=any(not offer.tags for offer in newest),
    )


def _releases(found: Iterable[Offer]) -> Iterator[list[Offer]]:
    """The offers release by release, in their order."""
    for _, release in groupby(found, key=lambda offer: offer.version):
        yield list(release)

"""A directory of wheels as a target: of each distribution the wheel that pip takes with `--no-index --find-links`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from abicheck.model.index import NotInstallable, Offer, Target
from abicheck.read.index.simple import fits, offer_of, pythons

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.model.host import Host


def is_wheelhouse(directory: str) -> bool:
    """Whether there are wheels in it."""
    try:
        return any(name.endswith(".whl") for name in os.listdir(directory))
    except OSError:
        return False


def wheels_for(directory: str, target: Target) -> Iterator[tuple[str, str | NotInstallable]]:
    """The name of each distribution, with the path of the wheel that pip takes on the target, or why it takes none.

    Files that are named as no wheel is are passed over, as pip does.
    """
    from abicheck.read.index.tags import tags  # noqa: PLC0415 -- costs 15 ms

    rank = {tag: at for at, tag in enumerate(tags(target))}
    for name, offers in _offers(directory).items():
        fitting = [offer for offer in offers if fits(offer, target)]
        if fitting:
            best = min(
                (offer for offer in fitting if offer.version == fitting[0].version),
                key=lambda offer: min(rank[tag] for tag in offer.tags if tag in rank),
            )
            yield name, os.path.join(directory, best.filename)
        else:
            yield name, _refused(name, offers, target)


def pythons_of(directory: str, host: Host) -> dict[str, tuple[tuple[int, int], ...]]:
    """The Pythons, newest first, for which each distribution has a wheel for this kind of machine, if it has any for one."""
    found = {name: pythons(offers, host.arch, host.libc) for name, offers in _offers(directory).items()}
    return {name: each for name, each in found.items() if each}


def _offers(directory: str) -> dict[str, list[Offer]]:
    """The wheels of each distribution, the newest version first."""
    from packaging.version import Version  # noqa: PLC0415 -- costs 15 ms

    found: dict[str, list[Offer]] = {}
    for filename in sorted(os.listdir(directory)):
        named = offer_of(filename) if filename.endswith(".whl") else None
        if named is not None:
            found.setdefault(named[0], []).append(named[1])
    return {name: sorted(offers, key=lambda offer: Version(offer.version), reverse=True) for name, offers in found.items()}


def _refused(name: str, offers: list[Offer], target: Target) -> NotInstallable:
    """The last line that pip says, and what there is."""
    newest = [offer for offer in offers if offer.version == offers[0].version]
    return NotInstallable(
        requirement=name,
        text=f"ERROR: No matching distribution found for {name}",
        version=newest[0].version,
        pythons=pythons(newest, target.arch, target.libc),
        tags=tuple(sorted({tag for offer in newest for tag in offer.tags})),
    )

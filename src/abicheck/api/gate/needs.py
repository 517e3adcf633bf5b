"""What two artifacts ask of any host, compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.errors import TargetError
from abicheck.judge.gate import compare_needs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from abicheck.api.options import Options
    from abicheck.model.artifact import Package
    from abicheck.model.gate import Change
    from abicheck.model.report import Failure
    from abicheck.model.requirements import Card


def needs(old: str, new: str, python: str | None, options: Options) -> tuple[list[Change], Sequence[Failure]]:
    """What changes between two targets that `show` takes, machine by machine; and what could not be read."""
    from abicheck.api.showing import show  # noqa: PLC0415 -- only for single artifacts

    reports = [show([target], python=python, options=options) for target in (old, new)]
    return _compare(*(report.cards for report in reports)), [failure for report in reports for failure in report.errors]


def package_needs(old: Sequence[Package], new: Sequence[Package]) -> list[Change]:
    """What changes between the packages of the same name; those without native code ask for nothing."""
    from abicheck.api.showing import cards_of  # noqa: PLC0415 -- as above

    before = {package.distribution.name: package for package in old}
    found = []
    for package in new:
        other = before.get(package.distribution.name)
        if other is None or not (package.distribution.binaries and other.distribution.binaries):
            continue
        try:
            found += _compare(tuple(cards_of(other)), tuple(cards_of(package)))
        except TargetError:  # binaries for other machines alone, of which the verdict says what is to be said
            continue
    return found


def _compare(old: Iterable[Card], new: Iterable[Card]) -> list[Change]:
    cards = {card.requirements.arch: card for card in new}
    return [
        change
        for card in old
        if (other := cards.get(card.requirements.arch)) is not None
        for change in compare_needs(card.name, (card.version, other.version), card.requirements, other.requirements)
    ]

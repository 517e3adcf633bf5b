"""The wheels of one project for many targets: chosen from the index's list as pip would, and each downloaded once.

pip is asked for one target at a time, and a grid has hundreds. Which wheel of a pinned release it takes is settled by what the
index says of them (pip/_internal/index/package_finder.py, `CandidateEvaluator._sort_key`; what is yanked comes last there, and
is taken where nothing else fits), so only the first target that takes a wheel asks for it; the others find it by its hash.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.read.index.fetch import fetch, fetched_before, name_of, question
from abicheck.read.index.simple import explain, is_pinned, matching, offers, welcomes
from abicheck.read.index.tags import tags

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from abicheck.model.index import Offer, Outcome, Target, Wheel
    from abicheck.read.index.store import Store

#: What pip says in the end (pip/_internal/resolution/resolvelib/factory.py).
_NOTHING = "ERROR: No matching distribution found for {}"


class Chooser:
    """Chooses wheels of pinned requirements, without what they require."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._releases: dict[str, list[Offer]] = {}
        self._ranks: dict[Target, dict[str, int]] = {}
        self._outcomes: dict[tuple[str, Target], Outcome] = {}
        self._wheels: dict[str, Wheel] = {}

    def choose(self, requirement: Requirement, target: Target) -> Outcome:
        """The wheel that pip would install on the target. Raises as `fetch` does."""
        key = str(requirement), target
        if key not in self._outcomes:
            self._outcomes[key] = self._choose(requirement, target)
        return self._outcomes[key]

    def _choose(self, requirement: Requirement, target: Target) -> Outcome:
        if not is_pinned(requirement.specifier) or requirement.url:
            return fetch(requirement, target, self._store)
        given = question(requirement)
        if given not in self._releases:
            self._releases[given] = matching(requirement.specifier, offers(requirement.name, self._store))
        if target not in self._ranks:
            self._ranks[target] = {tag: rank for rank, tag in enumerate(tags(target))}
        ranks = self._ranks[target]
        ranked = [
            (_goodness(offer, min(ranks[tag] for tag in offer.tags if tag in ranks)), offer)
            for offer in self._releases[given]
            if not ranks.keys().isdisjoint(offer.tags) and welcomes(offer, target)
        ]
        if not ranked:
            text = _NOTHING.format(f"{name_of(requirement)}{requirement.specifier}")
            return explain(requirement, target, text, self._store, self._releases[given])
        goodness, best = max(ranked, key=lambda each: each[0])
        if best.filename not in self._wheels:
            # Of several that are as good pip takes one by their order in the index.
            alone = [each for each, _ in ranked].count(goodness) == 1
            known = fetched_before(best, self._store) if alone else None
            if known is None:
                return fetch(requirement, target, self._store)
            self._wheels[best.filename] = known._replace(yanked=best.yanked)
        return self._wheels[best.filename]


def _goodness(offer: Offer, rank: int) -> tuple[object, ...]:
    """What makes one wheel come before another: its version may be a local one, its build tag () or a number with a text."""
    from packaging.utils import parse_wheel_filename  # noqa: PLC0415 -- costs 15 ms

    _, version, build, _ = parse_wheel_filename(offer.filename)
    return offer.yanked is None, version, -rank, build

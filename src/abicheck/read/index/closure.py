"""What comes with a requirement: its `Requires-Dist` closure for a target.

This is no resolver. It takes the newest wheel that meets everything asked so far; when a later line contradicts a choice, it
starts again with that line known. Where pip would go back to an older release of the one that asks, it says that they conflict.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from abicheck.errors import TargetError
from abicheck.model.index import Member, NotInstallable, Wheel
from abicheck.read.index.fetch import fetch_all, name_of, question
from abicheck.read.index.tags import markers
from abicheck.read.specifiers import read_requirement

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from packaging.requirements import Requirement

    from abicheck.model.index import Outcome, Target
    from abicheck.read.index.store import Store

#: Each start again adds at least one line that some release of some distribution has; a closure needs a few.
_MAX_STARTS = 100


class _Demand(NamedTuple):
    """One line and who wrote it: a normalized name, "" for the user."""

    requirement: Requirement
    by: str


def closure(
    requirements: Iterable[Requirement],
    target: Target,
    store: Store,
    without: Collection[str] = (),
    constraints: Iterable[Requirement] = (),
) -> tuple[Member, ...]:
    """Everything that pip would install on the target for `requirements`, breadth first, those that were asked for at the head.

    Distributions named in `without` (normalized) are left out, with what only they need: the host has them. One that has no wheel
    there is a member that is not installable, and nothing is known of what it needs. `constraints` count for what is asked for.

    Raises:
        TargetError: there is no such project or release, two lines contradict each other, or one cannot be read.
        PackageIndexError: no network, no access, no pip; or offline and not stored.

    """
    asked = [_Demand(requirement, "") for requirement in requirements]
    known = [_Demand(requirement, "") for requirement in constraints]
    for _ in range(_MAX_STARTS):
        walk = _Walk(target, store, without, known)
        contradiction = walk.run(asked)
        if contradiction is None:
            return walk.members()
        known.append(contradiction)
    raise TargetError("its requirements go round in circles; pin some of them", str(known[-1].requirement))


def resolve(
    requirements: Sequence[str], target: Target, store: Store, *, override: bool = False
) -> tuple[Wheel, ...] | NotInstallable:
    """The wheels that are installed for `requirements` together, or the first that there is none of.

    With `override` the first requirement is met whatever the others ask of it.

    Raises:
        TargetError: there is no such project or release, or the requirements contradict each other.
        PackageIndexError: no network, no access, no pip.

    """
    from packaging.requirements import Requirement  # noqa: PLC0415 -- costs 20 ms

    wanted = [Requirement(each) for each in requirements]
    members = list(closure(wanted[:1] if override else wanted, target, store))
    if override:
        members += closure(wanted[1:], target, store, without={member.name for member in members})
    refused = [member.outcome for member in members if isinstance(member.outcome, NotInstallable)]
    return refused[0] if refused else tuple(member.outcome for member in members if isinstance(member.outcome, Wheel))


@lru_cache(maxsize=1 << 12)
def _parsed(line: str) -> Requirement:
    """A Requires-Dist line: many targets walk through the same ones. It is not to be changed."""
    return read_requirement(line)


class _Walk:
    """One start: from the user's lines through what each chosen wheel asks for, level by level."""

    def __init__(self, target: Target, store: Store, without: Collection[str], known: Sequence[_Demand]) -> None:
        self._target = target
        self._environment = markers(target)
        self._store = store
        self._without = without
        self._known = known
        self._demands: dict[str, list[_Demand]] = {}
        self._chosen: dict[str, Outcome] = {}
        self._followed: dict[str, set[str]] = {}

    def run(self, level: list[_Demand]) -> _Demand | None:
        """Walk to the end; or to a line that an earlier choice contradicts, and return it."""
        while level:
            for demand in level:
                name = name_of(demand.requirement)
                if name in self._without or not (demand.by or self._applies(demand.requirement, {""})):
                    continue
                self._demands.setdefault(name, []).append(demand)
                chosen = self._chosen.get(name)
                if isinstance(chosen, Wheel) and not demand.requirement.specifier.contains(chosen.version, prereleases=True):
                    return demand
            self._choose([name for name in self._demands if name not in self._chosen])
            wheels = [(name, outcome) for name, outcome in self._chosen.items() if isinstance(outcome, Wheel)]
            level = [demand for name, wheel in wheels for demand in self._asks(name, wheel)]
        return None

    def members(self) -> tuple[Member, ...]:
        """What was chosen, in the order in which it was."""
        return tuple(
            Member(name, str(self._combined(name)), tuple(dict.fromkeys(each.by for each in self._demands[name])), outcome)
            for name, outcome in self._chosen.items()
        )

    def _choose(self, names: list[str]) -> None:
        try:
            outcomes = fetch_all([self._combined(name) for name in names], self._target, self._store)
        except TargetError as error:
            name = next(name for name in names if error.subject in (name, question(self._combined(name))))
            asking = self._all(name)
            if not any(each.by for each in asking):
                raise
            told = list(dict.fromkeys(f"{each.requirement.specifier} by {each.by or 'you'}".strip() for each in asking))
            if len(told) > 1 and error.subject != name:
                message = f"no release meets all that is asked ({', '.join(told)}); pin those that ask to versions that agree"
            else:
                message = f"{error.message} (asked for {', '.join(told)})"
            raise TargetError(message, error.subject) from error
        self._chosen.update(zip(names, outcomes, strict=True))

    def _all(self, name: str) -> list[_Demand]:
        """Everything that is known to be asked of a distribution, here or in an earlier start."""
        return [*self._demands[name], *(each for each in self._known if name_of(each.requirement) == name)]

    def _combined(self, name: str) -> Requirement:
        from packaging.requirements import Requirement  # noqa: PLC0415 -- costs 20 ms

        combined = Requirement(name)
        for each in self._all(name):
            combined.url = combined.url or each.requirement.url
            combined.specifier &= each.requirement.specifier
            combined.extras |= each.requirement.extras
        return combined

    def _asks(self, name: str, wheel: Wheel) -> Iterator[_Demand]:
        """The lines of a wheel that apply on the target, each once: a later level may ask for more extras."""
        extras = {"", *(extra for each in self._demands[name] for extra in each.requirement.extras)}
        before = self._followed.get(name, set())
        if extras == before:
            return
        self._followed[name] = extras
        for line in wheel.requires:
            try:
                requirement = _parsed(line)
                fresh = self._applies(requirement, extras) and not self._applies(requirement, before)
            except ValueError as error:  # base of all that packaging raises for a bad requirement, marker or version
                message = f"its Requires-Dist line {line!r} cannot be read; ask for another version of it"
                raise TargetError(message, f"{name} {wheel.version}") from error
            if fresh:
                yield _Demand(requirement, name)

    def _applies(self, requirement: Requirement, extras: set[str]) -> bool:
        marker = requirement.marker
        return any(marker is None or marker.evaluate({**self._environment, "extra": extra}) for extra in extras)

"""Pins that keep a distribution from a release that loads: what those of all that is installed leave, and which must give way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.api.grid.rows import Rows
from abicheck.errors import AbicheckError
from abicheck.judge import pins as judge
from abicheck.judge.order import CURABLE
from abicheck.model.pins import Choice, Pin, Upgrade
from abicheck.read.index.metadata import requires_dist
from abicheck.read.index.simple import fits, matching, offers
from abicheck.read.index.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from abicheck.api.work import Task
    from abicheck.model.index import Target
    from abicheck.model.pins import Together
    from abicheck.model.report import Result
    from abicheck.read.index.store import Store

#: So many releases that the pins allow, and so many beyond them from the newest on, are judged before it is given up.
_ALLOWED, _BEYOND = 12, 3
#: So many newer releases of what pins are asked for what they require.
_UPGRADES = 30


class Pins:
    """What is known on the host of a task, for all results that fail there."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._index = open_store(offline=task.options.offline)
        self._rows = Rows({task.place.name: task.place}, task.options, self._index)

    def told(self, result: Result, together: Together, target: Target, *, unpinned: bool = False) -> Result:
        """A result that fails, with what is to be said of the pins on it; as it is where nothing pins it, unless `unpinned`.

        So is one that fails for want of a library or symbol: no release of that can be judged alone.
        """
        if _lacks_something(result):
            return result
        pins = judge.find_pins(result.artifact.name, together)
        if not pins and not unpinned:
            return result
        releases = _Releases(result, target, self._task, self._rows, self._index)
        try:
            return _Search(releases, pins, together).told(result)
        except AbicheckError as error:
            return judge.not_known(result, error.message)


class _Releases:
    """The releases of a distribution that have a wheel for the target, and which of them load alone."""

    def __init__(self, result: Result, target: Target, task: Task, rows: Rows, index: Store) -> None:
        self.name = result.artifact.name
        self.target = target
        self.index = index
        self.host = task.place.name
        self.why_unknown: dict[str, str] = {}
        self._task = task
        self._rows = rows
        self._python = task.python or result.python.version
        self._judged: dict[str, bool | None] = {}

    def load(self, version: str) -> bool | None:
        """Whether a release loads; None where that is not known, as where it fails alone for want of another distribution."""
        if version not in self._judged:
            self._judged[version] = self._judge(version)
        return self._judged[version]

    def is_known_to_fail(self, version: str) -> bool:
        """Whether a release was judged, and does not load."""
        return self._judged.get(version) is False

    def tell(self, what: str) -> None:
        """Say what takes a moment."""
        if self._task.progress is not None:
            self._task.progress(f"pins on {self.name} on {self.host}: {what}")

    def _judge(self, version: str) -> bool | None:
        from packaging.requirements import Requirement  # noqa: PLC0415 -- costs 15 ms

        self.tell(f"whether {self.name} {version} loads")
        settings = tuple(self._task.settings.items())
        try:
            result = self._rows.release(Requirement(f"{self.name}=={version}"), self.host, self._python, settings)
        except AbicheckError as error:
            self.why_unknown[version] = error.message
            return None
        if result.verdict == "depends" or _lacks_something(result):
            self.why_unknown[version] = "alone it lacks what another distribution may bring"
            return None
        return result.verdict == "loads"

    def first(self, versions: Iterable[str], patience: int) -> str | None:
        """The first that loads; what cannot be had offline costs no patience."""
        for version in versions:
            if self.load(version):
                return version
            patience -= version not in self.why_unknown or not self._task.options.offline
            if patience <= 0:
                break
        return None

    def ascent(self, versions: Sequence[str]) -> tuple[str | None, list[str]]:
        """Of releases after one that fails, of which the last loads: one after which they load, and those found to load.

        Not all are judged, but halves of what is left. The first is None where it is not known to fail.
        """
        low, high = -1, len(versions) - 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.load(versions[middle]) else (middle, high)
        before = versions[low] if low >= 0 and self.is_known_to_fail(versions[low]) else None
        return before, [each for each in versions[high:] if self._judged.get(each)]


class _Search:
    """What the pins on one distribution leave of its releases."""

    def __init__(self, releases: _Releases, pins: tuple[Pin, ...], together: Together) -> None:
        self._releases = releases
        self._pins = pins
        self._together = together

    def told(self, result: Result) -> Result:
        """The result with the release that all pins allow, or with those that stand in the way of one. Raises `AbicheckError`."""
        releases = self._releases
        every = _versions(releases.name, releases.target, releases.index)
        allowed = [each for each in every if judge.admit(self._pins, each)]
        others = [each for each in allowed if each != result.artifact.version]
        best = releases.first(reversed(others), _ALLOWED)
        if best is not None:
            return judge.way_out(result, best, pinned=bool(self._pins))
        beyond = [each for each in _newer(every, result.artifact.version or "0") if each not in allowed]
        newest = releases.first(reversed(beyond), _BEYOND)
        unknown = [each for each in others if not releases.is_known_to_fail(each)]
        if newest is None:
            why = next(iter(releases.why_unknown.values()), None)
            return judge.not_known(result, why) if why else result
        beyond = beyond[: beyond.index(newest) + 1]
        before, loading = releases.ascent(beyond)
        choice = Choice(releases.name, releases.host, self._pins, tuple(allowed), tuple(unknown), tuple(loading), before)
        aim, shut = judge.in_the_way(self._pins, loading)
        findings = [judge.finding(choice, pin, aim, self._upgrade(pin, aim, beyond)) for pin in shut]
        return judge.shut_out(result, findings)

    def _upgrade(self, pin: Pin, aim: str, beyond: Sequence[str]) -> Upgrade:
        """The first newer release of what pins that allows a release which loads and which no other pin shuts out."""
        if not pin.by:
            return Upgrade()
        target, index = self._releases.target, self._releases.index
        others = [each for each in self._pins if each is not pin and judge.admit([each], aim)]
        extras = judge.wanted_extras(self._together).get(pin.by, {""})
        version, not_judged = pin.version, False
        try:
            newer = _newer(_versions(pin.by, target, index), pin.version)
            for version in newer[:_UPGRADES]:
                self._releases.tell(f"what {pin.by} {version} requires")
                requires = requires_dist(pin.by, version, target, index)
                specifier = judge.asks(self._releases.name, requires, extras, self._together.environment)
                allowed = [each for each in beyond if judge.admit([*others, Pin(specifier)], each)]
                admitted = aim if aim in allowed else self._releases.first(reversed(allowed), 1)
                if admitted is not None:
                    held = [each for each in judge.find_pins(pin.by, self._together) if not judge.admit([each], version)]
                    return Upgrade(version, admitted, held=tuple(held))
                not_judged = not_judged or bool(allowed)
        except AbicheckError as error:
            return Upgrade(unknown=error.message)
        if not_judged or len(newer) > _UPGRADES:
            return Upgrade(unknown=f"none up to {version} allows one that is known to load")
        return Upgrade(latest=version)


def _lacks_something(result: Result) -> bool:
    """Whether it fails only for want of what other distributions, which are not there where it is judged alone, may bring."""
    errors = {finding.rule for finding in result.findings if finding.severity == "error"}
    return bool(errors) and errors.issubset(CURABLE)


def _versions(name: str, target: Target, index: Store) -> list[str]:
    """The releases with a wheel for the target, oldest first, without pre-releases and yanked ones. Raises as `offers` does."""
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 -- costs 15 ms

    found = matching(SpecifierSet(), offers(name, index))
    return list(dict.fromkeys(each.version for each in reversed(found) if fits(each, target)))


def _newer(versions: Sequence[str], than: str) -> list[str]:
    from packaging.version import Version  # noqa: PLC0415 -- as above

    return [each for each in versions if Version(each) > Version(than)]

"""What a set of distributions asks of one of its members, and what that leaves where the member does not load."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abicheck.model.lock import LockedPackage


class Member(Protocol):
    """A release that is installed with others: a `Distribution`, or a `Wheel` of an index."""

    @property
    def name(self) -> str:
        """The normalized name."""

    @property
    def version(self) -> str:
        """The version."""

    @property
    def requires(self) -> tuple[str, ...]:
        """The Requires-Dist lines as they stand."""


class Together(NamedTuple):
    """What is installed together: its members, the user's own lines, the values of markers, and where each member is locked."""

    members: tuple[Member, ...]
    asked: tuple[LockedPackage, ...]
    environment: Mapping[str, str]
    places: Mapping[str, str]


class Pin(NamedTuple):
    """What one line asks of a distribution: `specifier`, as in `<4.5.0`.

    `by` is the distribution whose line it is, with its `version`; both are "" for a line of the user's own. `place` is where that
    distribution is locked, or where the line stands, as `FILE:LINE`; None where no file is.
    """

    specifier: str
    by: str = ""
    version: str = ""
    place: str | None = None


class Choice(NamedTuple):
    """What the pins on a distribution leave of it on one host, where none of that is known to load. Versions go oldest first.

    `allowed` are the releases that all pins allow and that do not load, `unknown` those that may. `loading` are the releases
    beyond the pins that were found to load, `before` is the one before the first of these: it does not, None where that is not
    known.
    """

    package: str
    host: str
    pins: tuple[Pin, ...]
    allowed: tuple[str, ...]
    unknown: tuple[str, ...]
    loading: tuple[str, ...]
    before: str | None = None


class Upgrade(NamedTuple):
    """What an upgrade of the distribution that pins does about it.

    `version` is the first newer release that allows `admitted`, a release that loads. Where there is none, `latest` is the newest
    release that was read ("" where there is no newer one at all), or `unknown` says why that is not known. `held` are pins on the
    one that pins which shut this upgrade out.
    """

    version: str | None = None
    admitted: str | None = None
    latest: str | None = None
    unknown: str | None = None
    held: tuple[Pin, ...] = ()

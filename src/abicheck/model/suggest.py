"""Which releases of a distribution load on hosts, newest first, and the constraint that leaves only those."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from abicheck.model.report import Failure, Result, Tool


class Release(NamedTuple):
    """One release: a result for each host on which it could be judged."""

    version: str
    results: tuple[Result, ...]
    failures: tuple[Failure, ...] = ()

    @property
    def loads(self) -> bool:
        """Whether it is known to load on every host."""
        return not self.failures and all(result.verdict == "loads" for result in self.results)


class Suggestion(NamedTuple):
    """What was found for one requirement: `best` is the newest release that loads on all hosts, None where none does.

    `releases` are those that were judged, newest first; `older` is how many were not, since what is newer settles it.
    `constraint` is a line for `--constraint`, None where nothing is to be said or nothing loads.
    """

    requirement: str
    best: str | None
    constraint: str | None
    releases: tuple[Release, ...]
    older: int = 0


class SuggestReport(NamedTuple):
    """A suggestion for each requirement, and what could not be done."""

    tool: Tool
    hosts: tuple[str, ...]
    suggestions: tuple[Suggestion, ...]
    errors: tuple[Failure, ...] = ()
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """0 where everything was answered, also where nothing loads; 4 where something could not be judged."""
        return 4 if self.errors else 0

    @property
    def constraints(self) -> str:
        """The content of a file for pip's and uv's `--constraint`."""
        return "".join(f"{each.constraint}\n" for each in self.suggestions if each.constraint)

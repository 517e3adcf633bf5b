"""The pieces of work that a run is cut into, and what came of each."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from abicheck.errors import HostError, PackageIndexError, TargetError
from abicheck.model.report import Failure, Result

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from abicheck.api.options import Options
    from abicheck.api.places import Place


class Task(NamedTuple):
    """Some targets on one host, by their number on the command line."""

    place: Place
    python: str | None
    settings: Mapping[str, str]
    targets: tuple[tuple[int, str], ...]
    options: Options


class Outcome(NamedTuple):
    """What came of a task."""

    results: list[tuple[int, Result]]
    errors: list[Failure]

    @contextmanager
    def noting_errors(self) -> Iterator[None]:
        """What cannot be judged is listed, and the rest goes on."""
        try:
            yield
        except (HostError, TargetError, PackageIndexError) as error:
            self.errors.append(Failure(error.subject, error.message))

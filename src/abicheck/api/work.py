"""The pieces of work that a run is cut into, and what came of each."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from abicheck.errors import HostError, PackageIndexError, TargetError
from abicheck.model.report import Failure, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from abicheck.api.options import Options
    from abicheck.api.places import Place


T = TypeVar("T")
R = TypeVar("R")


def spread(work: Callable[[T], R], items: Sequence[T], jobs: int) -> Iterator[R]:
    """What comes of each item, in order: the one place where work is spread over processes."""
    if jobs > 1 and len(items) > 1:
        from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 -- costs 9 ms, and one process is enough for most

        with ProcessPoolExecutor(min(jobs, len(items))) as executor:
            yield from executor.map(work, items)
    else:
        yield from map(work, items)


class Task(NamedTuple):
    """Some targets on one host, by their number on the command line; `progress` is told what takes long."""

    place: Place
    python: str | None
    settings: Mapping[str, str]
    targets: tuple[tuple[int, str], ...]
    options: Options
    progress: Callable[[str], None] | None = None


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

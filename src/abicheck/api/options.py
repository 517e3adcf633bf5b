"""How much a run is to find out, and how."""

from __future__ import annotations

from typing import NamedTuple


class Options(NamedTuple):
    """How much to find out and how.

    `tree` and `symbol` ask for what was loaded from where and for what one symbol binds to; `digests` for the hashes of the
    targets. `stored` allows verdicts of earlier runs where nothing has changed since. `cross_check` reads every file a second
    time with pyelftools and compares. `jobs` is the number of processes.
    """

    tree: bool = False
    symbol: str | None = None
    digests: bool = False
    stored: bool = True
    cross_check: bool = False
    jobs: int = 1

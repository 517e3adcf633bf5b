"""The wheels of a run: opened once, wherever they would be installed; what was read of them is kept for later runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from abicheck import __version__
from abicheck.read.artifacts.kept import Kept
from abicheck.read.artifacts.wheel import open_wheel
from abicheck.read.verdicts import cache_directory

if TYPE_CHECKING:
    from abicheck.model.artifact import Scheme
    from abicheck.read.artifacts.wheel import Wheel


class Wheels:
    """Opens wheels; unless `stored` is false their facts are kept in the user's cache."""

    def __init__(self, *, stored: bool) -> None:
        self._kept = Kept(cache_directory(os.environ), __version__) if stored else None
        self._opened: dict[str, dict[Scheme, Wheel]] = {}

    def open(self, path: str, scheme: Scheme, given: str, *, yanked: str | None = None) -> Wheel:
        """The wheel at `path` as it would be installed by `scheme`; messages name it as `given`. Raises as `open_wheel` does."""
        known = self._opened.setdefault(path, {})
        if scheme not in known:
            first = next(iter(known.values()), None)
            known[scheme] = first.at(scheme) if first else open_wheel(path, scheme, given, kept=self._kept, yanked=yanked)
        return known[scheme]

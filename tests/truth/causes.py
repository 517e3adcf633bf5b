"""The known causes of differences in text, from `causes.toml`."""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from tests.truth.compare import Pair

LIST = Path(__file__).with_name("causes.toml")


class Cause(NamedTuple):
    """One entry of the list; see there."""

    why: str
    edit: str
    predicted: str
    observed: str
    since: str = "2.17"
    before: str = "3.0"

    def explains(self, pair: Pair) -> bool:
        """Whether the difference of `pair` is of this kind."""
        texts = (self.edit, pair.subject.edit), (self.predicted, pair.predicted), (self.observed, pair.expected)
        in_range = _version(self.since) <= pair.host.glibc < _version(self.before)
        return in_range and all(re.search(pattern, text or "") for pattern, text in texts)


@cache
def causes() -> tuple[Cause, ...]:
    """All that are known."""
    return tuple(Cause(**item) for item in tomllib.loads(LIST.read_text(encoding="utf-8"))["cause"])


def cause_of(pair: Pair) -> str | None:
    """Why the text of `pair` differs, None where nobody knows; a wrong verdict has no excuse."""
    if not pair.verdict_equal:
        return None
    return next((cause.why for cause in causes() if cause.explains(pair)), None)


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))

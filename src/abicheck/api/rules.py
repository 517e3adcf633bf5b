"""`rules`: what the rules mean, why they fail, and what to do."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from abicheck.errors import UsageError
from abicheck.judge.rules import pages

if TYPE_CHECKING:
    from abicheck.model.rule import Page


def rules(name: str | None = None) -> tuple[Page, ...]:
    """The pages of all rules, or of the one called `name`. Raises `UsageError` where there is none of that name."""
    known = pages.names()
    if name is not None and name not in known:
        near = " or ".join(get_close_matches(name, known, n=3))
        raise UsageError(f"there is no rule {name!r}; " + (f"did you mean {near}?" if near else "`abicheck rule` lists all"))
    return tuple(pages.page(each) for each in ([name] if name else known))

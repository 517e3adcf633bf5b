"""`rules`: what the rules mean, why they fail, and what to do."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from abicheck.errors import UsageError
from abicheck.judge.rules import pages
from abicheck.read.toml import parse_toml

if TYPE_CHECKING:
    from abicheck.model.rule import Page


@cache
def source_rules() -> dict[str, Page]:
    """The pages of the rules for sources, by name. Raises `DataError`."""
    found = sorted(
        (each for each in files("abicheck.lint.rules").iterdir() if each.name.endswith(".toml")), key=lambda each: each.name
    )
    names = ((each.name.removesuffix(".toml"), each) for each in found)
    return {name: pages.parse(name, parse_toml(each.read_text(encoding="utf-8"))) for name, each in names}


def rules(name: str | None = None) -> tuple[Page, ...]:
    """The pages of all rules, or of the one called `name`. Raises `UsageError` where there is none of that name."""
    known = [*pages.names(), *source_rules()]
    if name is not None and name not in known:
        near = " or ".join(get_close_matches(name, known, n=3))
        raise UsageError(f"there is no rule {name!r}; " + (f"did you mean {near}?" if near else "`abicheck rule` lists all"))
    return tuple(source_rules().get(each) or pages.page(each) for each in ([name] if name else known))

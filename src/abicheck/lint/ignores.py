"""Comments that say that a finding does not count, and why."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from abicheck.lint.sighting import Sighting

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

_COMMENT = re.compile(r"abicheck-lint:(?P<rest>[^\r\n]*)")
_IGNORE = re.compile(r"\s*ignore\[(?P<rules>[^\]]*)\]\s*(?P<reason>.*?)\s*(?:(?:\*/|-->).*)?")
#: What follows the reason of an ignore that stands in a line of its own: the line that it is about.
_ALONE = re.compile(r"\s*(?://|/\*|<!--)")


class Ignore(NamedTuple):
    """An ignore of `rules` in the line `about`, from 1."""

    about: int
    rules: frozenset[str]
    reason: str


def ignores(source: str, known: Container[str]) -> Iterator[Ignore | Sighting]:
    """The ignores in a source, and what is wrong with those that ignore nothing; `known` are the rules that there are."""
    for number, line in enumerate(source.split("\n") if "abicheck-lint:" in source else (), 1):
        comment = _COMMENT.search(line)
        if comment is None:
            continue
        found = _IGNORE.fullmatch(comment["rest"])
        rules = [each.strip() for each in found["rules"].split(",")] if found is not None else []
        unknown = [each for each in rules if each not in known]
        if found is None:
            wrong = "something else than ignore[RULE] and a reason"
        elif unknown:
            wrong = f"ignore[{unknown[0]}], and there is no such rule"
        elif not found["reason"]:
            wrong = "not why"
        else:
            yield Ignore(number + bool(_ALONE.match(line)), frozenset(rules), found["reason"])
            continue
        yield Sighting("ignore-without-reason", number, comment.start() + 1, {"name": wrong})

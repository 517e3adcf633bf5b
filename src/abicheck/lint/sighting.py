"""What a rule has seen, before it has words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Member(NamedTuple):
    """A member of a struct of which it matters whether it is a pointer; `type` is empty where it is not known whose it is."""

    type: str
    name: str


class Sighting(NamedTuple):
    """A rule, where it was broken (from 1), and the words for its page.

    `member` must be a pointer, or this is nothing: with `if_unknown` also where its declaration is not among the sources.
    """

    rule: str
    line: int
    column: int
    fields: Mapping[str, str]
    member: Member | None = None
    if_unknown: bool = True

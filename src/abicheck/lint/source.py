"""One source -> what all rules see in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator  # noqa: TC003 -- in a value's type
from typing import TYPE_CHECKING

from abicheck.lint.allocations import allocations
from abicheck.lint.escapes import escapes
from abicheck.lint.exports import unexported
from abicheck.lint.files import PAGES, SCRIPTS
from abicheck.lint.languages import unknown_languages
from abicheck.lint.members import exposed
from abicheck.lint.syntax import FUNCTIONS, mentioned, parse

if TYPE_CHECKING:
    from tree_sitter import Node

    from abicheck.lint.sighting import Sighting

#: What no rule can see anything without: only such sources, and such functions in them, are looked at closely.
_BORROWS = re.compile(rb"c_str|\bdata\s*\(\)|&\s*\w+\s*\[|string_view|\bspan\b")
_OWNERS = re.compile(rb"c_str|string\b|\bvector\b|\bSmallVector\b|\bQByteArray\b|\bpath\b")
_ALLOCATES = re.compile(rb"new\b[^;]*\[|alloc\s*\(|strn?dup\s*\(|stringToNewUTF8|Get\w+(?:Chars|Elements)\s*\(")
_EXPOSES = re.compile(rb"\bdef_readwrite\b")
#: What a source must mention for a rule, around what the rule looks at, and the rule.
_RULES: tuple[tuple[re.Pattern[bytes], tuple[str, ...], Callable[[Node], Iterator[Sighting]]], ...] = (
    (_BORROWS, FUNCTIONS, escapes),
    (_ALLOCATES, FUNCTIONS, allocations),
    (_EXPOSES, ("call_expression",), exposed),
)


def sightings(source: bytes, path: str = "") -> list[Sighting]:
    """What is wrong in the source at that path, in its order. Raises `AbicheckError` where the parser is not installed."""
    if path.endswith((*PAGES, *SCRIPTS)):
        page = path.endswith(PAGES)
        found = [*unknown_languages(source, page=page), *(() if page else unexported(source, path))]
        return sorted(found, key=lambda each: (each.line, each.column))
    owns = _OWNERS.search(source) is not None
    rules = [each for each in _RULES if each[0].search(source) and (owns or each[0] is not _BORROWS)]
    if not rules:
        return []
    root = parse(source)
    seen = {}
    for pattern, types, rule in rules:
        for node in mentioned(root, source, pattern, types):
            seen.update({(each.line, each.column, each.rule): each for each in rule(node)})
    return [seen[place] for place in sorted(seen)]

"""Lists of languages in pages and scripts, against the languages that whisper knows."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from functools import cache
from html.parser import HTMLParser
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from abicheck.errors import DataError
from abicheck.lint.sighting import Sighting
from abicheck.lint.syntax import field, parse_script, text, walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

_FILE = "languages.json"
#: A list of other things than languages for whisper would have to hold so many of its codes, and in such a part.
_FEWEST, _SHARE = 8, 0.75
#: What a source must mention to have such a list.
_MENTIONS = (re.compile(rb"whisper", re.IGNORECASE), re.compile(rb"\bfr\b"))
#: What stands for no language: let whisper find out.
_DETECT = ("auto", "")
_LISTS = ("array", "object")


class _Entry(NamedTuple):
    """A code that a list offers, and where, from 1."""

    code: str
    line: int
    column: int


def unknown_languages(source: bytes, *, page: bool) -> Iterator[Sighting]:
    """The languages that a list in a page, or in a script, offers and whisper does not know.

    A list of which most are no codes of whisper's is about something else, and so is one in a source that does not mention
    whisper. Raises `AbicheckError` where the parser is not installed.
    """
    if not all(each.search(source) for each in _MENTIONS):
        return
    known, aliases = table()
    for entries in _of_page(source) if page else _of_script(source):
        codes = {each.code for each in entries}
        if len(entries) < _FEWEST or len(codes & known.keys()) < _SHARE * len(codes):
            continue
        for each in entries:
            if each.code not in (*known, *known.values(), *_DETECT):
                meant = aliases.get(each.code) or _meant(each.code, known)
                fields = {"name": each.code, **({"owner": meant} if meant else {})}
                yield Sighting("language-unknown", each.line, each.column, fields)


def _meant(code: str, known: dict[str, str]) -> str | None:
    """What a code with a region, or in upper case, stands for."""
    plain = re.split("[-_]", code.lower())[0]
    return plain if plain in known else None


def _of_page(source: bytes) -> Iterator[list[_Entry]]:
    reader = _Choices()
    with suppress(AssertionError):  # of what is no HTML from there on: https://github.com/python/cpython/issues/77057
        reader.feed(source.decode("utf-8", "replace"))
    yield from reader.lists


class _Choices(HTMLParser):
    """Collects the values of the options of each `select`."""

    def __init__(self) -> None:
        super().__init__()
        self.lists: list[list[_Entry]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A `select` begins a list, and an `option` with a value belongs to the last one."""
        if tag in ("select", "datalist"):
            self.lists.append([])
        value = dict(attrs).get("value")
        if tag == "option" and value is not None and self.lists:
            line, column = self.getpos()
            self.lists[-1].append(_Entry(value, line, column + 1))


def _of_script(source: bytes) -> Iterator[list[_Entry]]:
    """Strings in an array, values under one name in an array of objects, and the keys and the values of an object."""
    for node in walk(parse_script(source), into_functions=True):
        if node.type not in _LISTS:
            continue
        lists: dict[str, list[_Entry]] = {}
        for each in node.named_children:
            for role, code in _codes(each):
                lists.setdefault(role, []).append(_entry(code))
        yield from lists.values()


def _codes(item: Node) -> Iterator[tuple[str, Node]]:
    """What in an item of a list may be a code, with the role that it has there."""
    if item.type == "string":
        yield "item", item
    elif item.type == "pair":
        key, value = field(item, "key"), field(item, "value")
        if key is not None:
            yield "key", key
        if value is not None and value.type == "string":
            yield "value", value
    elif item.type == "object":
        values = ((pair, value) for pair in item.named_children for role, value in _codes(pair) if role == "value")
        yield from ((f"of {text(field(pair, 'key'))}", value) for pair, value in values)


def _entry(node: Node) -> _Entry:
    row, column = node.start_point
    return _Entry(text(node).strip("\"'"), row + 1, column + 1)


@cache
def table() -> tuple[dict[str, str], dict[str, str]]:
    """The languages by their codes, and the codes that others use for some of them. Raises `DataError`."""
    try:
        plain = json.loads((files("abicheck.lint") / "data" / _FILE).read_text(encoding="utf-8"))
        languages, aliases = plain["languages"], plain["aliases"]
        _ = [languages[language] for language in aliases.values()]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{error!r}; install abicheck anew", _FILE) from None
    return languages, aliases

"""The text of a report, freed from what mail, terminals, logs and forms did to it."""

from __future__ import annotations

import codecs
import re
from bisect import bisect_right
from functools import cached_property
from itertools import count, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: All that is written as a quote: what survives of the loader's ``version `X' not found`` is any of these, or none.
QUOTES = "`'\"\xb4\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2032\u2033\xab\xbb\u2039\u203a\uff07\uff02"
_BLANK = "\t\x0b\x0c\xa0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u3000"
_NOTHING = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\xad"
_SPACES = dict.fromkeys(_BLANK, " ") | dict.fromkeys(_NOTHING, "")
_ENTITY = re.compile(rb"&(quot|#39|#x27|lt|gt|nbsp|amp);")
_ENTITIES = {b"quot": b'"', b"#39": b"'", b"#x27": b"'", b"lt": b"<", b"gt": b">", b"nbsp": b" ", b"amp": b"&"}

#: ECMA-48: control sequences, operating system commands (titles, links), and the two-character escapes.
_ANSI = re.compile(rb"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|\][^\x07\x1b\n]{0,2000}(?:\x07|\x1b\\)|[@-Z\\^_])")
#: Escapes of JSON, of shells and of Python's repr; `\n` before a small letter is rather a path of Windows.
_ESCAPED_BREAK = re.compile(rb"\\(?:r\\)?n(?![a-z])")
_ESCAPED_SIGN = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|x(1[bB])|(033|e)(?=\[))")
_ESCAPED = re.compile(rb"\\([_`\"'])")
#: Quotations of mails (`> `), the margin of docker compose (`name-1  | `), and times that log drivers put before a line.
_MARGIN = re.compile(rb"\n(?:[ |]{0,40}>){1,20}[ ]?")
_COMPOSE = re.compile(rb"\n[\w.-]{1,60}[-_]\d{1,3} *\| ?")
_TIME = re.compile(rb"\n\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.,]{0,10}(?:Z|[+-]\d\d:?\d\d)?\]? ")
_BLANKS = re.compile("  +")
_BLANK_BYTES = re.compile(b"  +")

#: So many places of one literal are kept.
_PLACES = 500


class Text:
    """A cleaned report: `plain` is what templates are matched against, without quotes; `flat` the same on one line.

    Both have the same positions: a line break of `plain` is a space of `flat`, for texts that mail has wrapped.
    """

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self.plain = without_quotes(shown)
        self.flat = self.plain.replace("\n", " ")
        self._found: dict[str, tuple[list[int], Iterator[int]]] = {}

    @cached_property
    def _lines(self) -> list[str]:
        return self._shown.split("\n")

    @cached_property
    def _starts(self) -> list[int]:
        """Where the lines of `plain` start."""
        return [0, *(match.end() for match in re.finditer("\n", self.plain))]

    @cached_property
    def _words(self) -> set[str]:
        return set(self.flat.split(" "))

    @cached_property
    def _vocabulary(self) -> str:
        return " ".join(self._words)

    @cached_property
    def _narrow(self) -> str:
        """`flat` with `?` for what is not ASCII: one byte a character, so that a search takes half of the time."""
        return self.flat if self.flat.isascii() else self.flat.encode("ascii", "replace").decode("ascii")

    def places(self, literal: str) -> Iterator[int]:
        """Where a literal stands, up to a limit; it is searched only where all its words are there, once, and as far as asked."""
        if literal not in self._found:
            places = self.places_between(literal, 0, len(self.flat)) if self._may_hold(literal) else iter(())
            self._found[literal] = [], islice(places, _PLACES)
        found, more = self._found[literal]
        for index in count():
            if index == len(found):
                found.extend(islice(more, 1))
            if index == len(found):
                return
            yield found[index]

    def _may_hold(self, literal: str) -> bool:
        """A look at the words costs less than a search for each of hundreds of literals; the outer two may be parts of words."""
        words = literal.split(" ")
        return self._words.issuperset(words[1:-1]) and words[0] in self._vocabulary and words[-1] in self._vocabulary

    def places_between(self, literal: str, start: int, end: int) -> Iterator[int]:
        """Where a literal stands in a part of the text."""
        text = self._narrow if literal.isascii() and "?" not in literal else self.flat
        at = text.find(literal, start, end)
        while at >= 0:
            yield at
            at = text.find(literal, at + 1, end)

    def around(self, places: Iterable[int], reach: int) -> Text:
        """What is so near to the start, the end, or one of these places; a short text is whole."""
        if len(self.plain) <= 4 * reach:
            return self
        parts: list[tuple[int, int]] = []
        for start, end in sorted(
            [(0, reach), (len(self.plain) - reach, len(self.plain)), *((at - reach, at + reach) for at in places)]
        ):
            if parts and start <= parts[-1][1]:
                parts[-1] = (parts[-1][0], max(end, parts[-1][1]))
            else:
                parts.append((max(0, start), end))
        return Text("\n".join(self.plain[start:end] for start, end in parts))

    def line(self, position: int) -> str:
        """What stands in the line of a position, not too far from it."""
        reach = 200
        start = self.plain.rfind("\n", max(0, position - reach), position)
        end = self.plain.find("\n", position, position + reach)
        return self.plain[max(start + 1, position - reach) : end if end >= 0 else position + reach]

    def unbroken(self) -> Text:
        """The text in one line, for words that a terminal's edge has broken."""
        return Text(self._shown.replace("\n", ""))

    def excerpt(self, start: int, end: int, limit: int = 300) -> str:
        """The lines that hold these positions, with the quotes, as one; `…` stands for what is too long."""
        first, last = (bisect_right(self._starts, position) - 1 for position in (start, max(start, end - 1)))
        whole = " ".join(self._lines[first : last + 1]).strip()
        if len(whole) <= limit:
            return whole
        offset = start - self.plain.rfind("\n", 0, start) - 1
        begin = min(max(0, offset - limit // 3), len(whole) - limit)
        return f"{'…' if begin else ''}{whole[begin : begin + limit].strip()}{'…' if begin + limit < len(whole) else ''}"


def decoded(data: bytes) -> str:
    """The characters of a file: UTF-8, or UTF-16 that says so; what is neither becomes U+FFFD."""
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    return data.decode("utf-8", "replace")


def cleaned(raw: str) -> Text:
    """The text of a report, ready to be searched. It takes time in proportion to its length, whatever it holds.

    It is done to bytes: one character beyond ASCII makes every copy of a long text twice or four times as large.
    """
    text = b"\n" + _replaced(raw, _SPACES).encode("utf-8", "replace").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"\\" in text:
        text = _unescaped(text)
    if b"\x1b" in text:
        text = _ANSI.sub(b"", text)
    text = _ENTITY.sub(lambda entity: _ENTITIES[entity[1]], text)
    if b"  " in text:
        text = _BLANK_BYTES.sub(b" ", text)
    text = text.replace(b" \n", b"\n").replace(b"\n ", b"\n")
    if b"|" in text:
        text = _COMPOSE.sub(b"\n", text)
    if b">" in text:
        text = _MARGIN.sub(b"\n", text)
    return Text(_TIME.sub(b"\n", text)[1:].decode())


def without_quotes(text: str) -> str:
    """The text without any quotes, one blank in place of several."""
    text = _replaced(text, dict.fromkeys(QUOTES, ""))
    if "  " in text:
        text = _BLANKS.sub(" ", text)
    return text


def _unescaped(text: bytes) -> bytes:
    while b"\\\\" in text:  # escaped more than once
        text = text.replace(b"\\\\", b"\\")
    return _ESCAPED_SIGN.sub(_sign, _ESCAPED.sub(rb"\1", _ESCAPED_BREAK.sub(b"\n", text)))


def _sign(match: re.Match[bytes]) -> bytes:
    code = int(match[1], 16) if match[1] else 0x1B
    return match[0] if 0xD800 <= code < 0xE000 else _SPACES.get(chr(code), chr(code)).encode()


def _replaced(text: str, table: dict[str, str]) -> str:
    """Replace one by one: each is a scan at the speed of memory, where `str.translate` looks at every character."""
    for old, new in table.items():
        if old in text:
            text = text.replace(old, new)
    return text

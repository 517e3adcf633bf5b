"""The text of a report, freed from what mail, terminals, logs and forms did to it."""

from __future__ import annotations

import codecs
import re
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: All that is written as a quote: what survives of the loader's ``version `X' not found`` is any of these, or none.
QUOTES = "`'\"\xb4\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2032\u2033\xab\xbb\u2039\u203a\uff07\uff02"
_SPACES = "\t\x0b\x0c\xa0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u3000"
_NOTHING = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\xad"
_ENTITIES = {"&quot;": '"', "&#39;": "'", "&#x27;": "'", "&lt;": "<", "&gt;": ">", "&nbsp;": " ", "&amp;": "&"}

#: ECMA-48: control sequences, operating system commands (titles, links), and the two-character escapes.
_ANSI = re.compile(r"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|\][^\x07\x1b\n]{0,2000}(?:\x07|\x1b\\)|[@-Z\\^_])")
#: Escapes of JSON, of shells and of Python's repr; `\n` before a small letter is rather a path of Windows.
_ESCAPED_BREAK = re.compile(r"\\(?:r\\)?n(?![a-z])")
_ESCAPED_SIGN = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x(1[bB])|(033|e)(?=\[))")
_ESCAPES = {"\\_": "_", "\\`": "`", '\\"': '"', "\\'": "'"}
#: Quotations of mails (`> `), the margin of docker compose (`name-1  | `), and times that log drivers put before a line.
_MARGIN = re.compile(r"\n(?:[ |]{0,40}>){1,20}[ ]?")
_COMPOSE = re.compile(r"\n[\w.-]{1,60}[-_]\d{1,3} *\| ?")
_TIME = re.compile(r"\n\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.,]{0,10}(?:Z|[+-]\d\d:?\d\d)?\]? ")

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
        self._found: dict[str, list[int]] = {}

    @cached_property
    def _lines(self) -> list[str]:
        return self._shown.split("\n")

    @cached_property
    def _words(self) -> set[str]:
        return set(self.flat.split(" "))

    @cached_property
    def _characters(self) -> set[str]:
        return set(self.plain)

    def places(self, literal: str) -> list[int]:
        """Where a literal stands, up to a limit; it is searched only where all its words are there, and only once."""
        found = self._found.get(literal)
        if found is None:
            places = self.places_between(literal, 0, len(self.flat)) if self._may_hold(literal) else ()
            found = self._found[literal] = list(islice(places, _PLACES))
        return found

    def _may_hold(self, literal: str) -> bool:
        """A look at words or characters costs less than a search for each of hundreds of literals."""
        if not literal.isascii() and (self.flat.isascii() or not self._characters.issuperset(literal)):
            return False
        return self._words.issuperset(literal.split(" ")[1:-1])

    def places_between(self, literal: str, start: int, end: int) -> Iterator[int]:
        """Where a literal stands in a part of the text."""
        at = self.flat.find(literal, start, end)
        while at >= 0:
            yield at
            at = self.flat.find(literal, at + 1, end)

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
        first = self.plain.count("\n", 0, start)
        last = first + self.plain.count("\n", start, max(start, end - 1))
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
    """The text of a report, ready to be searched. It takes time in proportion to its length, whatever it holds."""
    text = "\n" + raw.replace("\r\n", "\n").replace("\r", "\n")
    if "\\" in text:
        text = _unescaped(text)
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    if "&" in text:
        text = _replaced(text, _ENTITIES)
    if not text.isascii():
        text = _replaced(text, dict.fromkeys(_NOTHING, ""))
    text = _replaced(text, dict.fromkeys(_SPACES, " "))
    while "  " in text:
        text = text.replace("  ", " ")
    text = text.replace(" \n", "\n").replace("\n ", "\n")
    if "|" in text:
        text = _COMPOSE.sub("\n", text)
    if ">" in text:
        text = _MARGIN.sub("\n", text)
    return Text(_TIME.sub("\n", text)[1:])


def without_quotes(text: str) -> str:
    """The text without any quotes, one blank in place of several."""
    text = _replaced(text, dict.fromkeys(QUOTES, ""))
    while "  " in text:
        text = text.replace("  ", " ")
    return text


def _unescaped(text: str) -> str:
    while "\\\\" in text:  # escaped more than once
        text = text.replace("\\\\", "\\")
    return _ESCAPED_SIGN.sub(_sign, _replaced(_ESCAPED_BREAK.sub("\n", text), _ESCAPES))


def _sign(match: re.Match[str]) -> str:
    code = int(match[1], 16) if match[1] else 0x1B
    return match[0] if 0xD800 <= code < 0xE000 else chr(code)


def _replaced(text: str, table: dict[str, str]) -> str:
    """Replace one by one: each is a scan at the speed of memory, where `str.translate` looks at every character."""
    for old, new in table.items():
        if old in text:
            text = text.replace(old, new)
    return text

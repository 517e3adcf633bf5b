"""Templates of texts, and where they stand in a report: found by their longest literal, then read to both sides of it."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from abicheck.judge.triage.text import without_quotes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from abicheck.judge.triage.text import Text

#: What nobody would write as a short code: a control character in it, or at its start one that is not ASCII or special. Later
#: ones may belong to the sentence around it, where the quotes were lost: a letter of any script may follow `iw`. A word of
#: another script is rather the name of a language.
_GARBAGE = (
    r"(?:[!-~]{0,6}[\x00-\x08\x0e-\x1f\x7f\u2400-\u2421\ufffd]\S{0,12}"
    r"|(?![^\W\d_A-Za-z]{2,40}(?!\S))[!-~]?(?![\u2010-\u2027\u2190-\u21ff\u3001-\u3011\uff01-\uff1f])[^ -~\s]\S{0,12}"
    r"|[!#$%&+,/;=?@\\^|~][!-~]{1,3}(?!\S))"
)
_ANY = r"[^\n]{0,200}?"
#: What each field of a template stands for. All are bounded, so that reading one takes no time that counts.
FIELDS = {
    "object": r"[^\s<>|]{1,400}",
    "provider": r"[^\s<>|]{1,400}",
    "needed_by": r"[^\s<>|]{1,400}",
    "path": r"[^\s<>|]{1,400}",
    "symbol": r"[^\s,;)]{1,1000}",
    "node": r"[A-Za-z_][\w.]{1,80}",
    "version": r"v?\d[\w.+!]{0,40}",
    "number": r"\d[\d.]{0,20}",
    "name": r"[\w.@+-]{1,100}",
    "package": r"[A-Za-z0-9][\w.-]{0,80}(?:\[[\w,-]{0,60}\])?",
    "any": _ANY,
    "release": r"\d+\.\d[\w.+-]{0,60}",
    "model": r"[A-Z]{0,3}[ -]?[\w-]{1,12}(?: (?:Ti|TI|Super|SUPER|Laptop|Max-Q|Ada|Generation)){0,2}",
    "garbage": _GARBAGE,
    "runon": r"[a-z]{2,3}[A-Z](?!an[st]\b)[a-z]{3,40}[^\n]{0,60}?",
}

#: Fields that name files.
_FILES = ("object", "provider", "needed_by", "path")
_REST_OF_NAME = re.compile(r"[\w.+-]{0,200}")
_PART = re.compile(r"\{(\w+)\}")
#: So much of a text may lie to one side of its anchor, and so often is an anchor looked at.
_WINDOW, _TRIES = 2500, 300
#: A text that was cut off must have kept so many characters of its anchor.
_LEAST = 24
_CUT = re.compile(r"[ :]{0,3}(?:\Z|\n|…|\.\.\.)")


class Template(NamedTuple):
    """A template, taken apart: the longest literal, as much of it as a text that is cut off must have, and patterns of the rest.

    What comes before the literal is matched from right to left, so `before` is turned round.
    """

    source: str
    anchor: str
    stem: str
    before: str
    after: str


class Match(NamedTuple):
    """Where a template stands, with what its fields stand for. `whole` is false where the text is cut off."""

    start: int
    end: int
    fields: dict[str, str]
    whole: bool = True


@lru_cache(maxsize=4096)
def compiled(source: str) -> Template:
    """The template that `source` is. Raises `ValueError` for an unknown field, or where there is nothing literal in it."""
    plain = re.sub(r"\s+", " ", without_quotes(source))
    parts = _PART.split(plain)  # literal, field, literal, field, …, literal
    for field in parts[1::2]:
        if field not in FIELDS:
            raise ValueError(f"{{{field}}} is no field; there are {', '.join(FIELDS)}")
    longest = max(range(0, len(parts), 2), key=lambda index: len(parts[index].strip()))
    anchor = parts[longest]
    if len(anchor.strip()) < 3:
        raise ValueError("needs a literal of three characters at least")
    stem = anchor[: max(_LEAST, len(anchor) * 3 // 5)]
    after = [part if number % 2 else FIELDS[part] for number, part in enumerate(parts[longest + 1 :])]
    turned = parts[:longest][::-1]
    before = [part[::-1] if number % 2 else _backwards(part) for number, part in enumerate(turned)]
    end = _pattern(after) + _word_end(parts[-1])
    if plain.endswith("{any}"):
        end = end.removesuffix(f"({_ANY})") + "([^\n]{0,200})"
    return Template(plain, anchor, stem, _pattern(before), end)


def _pattern(pieces: list[str]) -> str:
    """Fields and literals in turn. What is quoted may be nothing, and then only one of two blanks is left."""
    pattern = "".join(_literal(piece) if number % 2 else f"({piece})" for number, piece in enumerate(pieces))
    return pattern.replace(f"({_ANY})[ \n]", f"({_ANY})[ \n]?")


def _word_end(last: str) -> str:
    """What must not follow the end of a template: numbers and words are whole."""
    if not last:
        return ""
    return "(?![A-Za-z_])" if last[-1].isalpha() and last.isascii() else "(?![0-9])" if last[-1].isdigit() else ""


@lru_cache(maxsize=1024)
def _regex(pattern: str) -> re.Pattern[str]:
    """Only what is found is worth compiling."""
    return re.compile(pattern)


def _literal(part: str) -> str:
    return re.escape(part).replace("\\ ", "[ \n]")


def _backwards(field: str) -> str:
    """The pattern of a field as it reads from its end; those whose first character is special lose that distinction."""
    return {
        "version": r"[\w.+!]{0,40}\dv?",
        "node": r"[\w.]{1,80}[A-Za-z_]",
        "package": r"(?:\][\w,-]{0,60}\[)?[\w.-]{1,80}",
    }.get(field, FIELDS[field])


def find(template: Template, text: Text, start: int = 0, end: int | None = None) -> Iterator[Match]:
    """Every place where the template stands, up to a limit."""
    anchor = template.anchor
    if end is None:
        places: Iterable[int] = (at for at in text.places(template.stem) if text.flat.startswith(anchor, at))
    else:
        places = text.places_between(anchor, start, end)
    for at in islice(places, _TRIES):
        match = _at(template, text, at)
        if match is not None:
            yield match


def _at(template: Template, text: Text, at: int) -> Match | None:
    stop = at + len(template.anchor)
    after = _regex(template.after).match(text.plain, stop, stop + _WINDOW)
    if after is None:
        return None
    before = _regex(template.before).match(text.plain[max(0, at - _WINDOW) : at][::-1])
    if before is None:
        return None
    spans = [*_left_spans(before, at), *(after.span(number + 1) for number in range(len(after.groups())))]
    return Match(at - before.end(), after.end(), _fields(template, spans, text))


def _left_spans(before: re.Match[str], at: int) -> list[tuple[int, int]]:
    """Where the fields before an anchor stand in the text, which was matched from right to left."""
    spans = [before.span(number + 1) for number in range(len(before.groups()))]
    return [(at - end, at - start) for start, end in reversed(spans)]


def _fields(template: Template, spans: Sequence[tuple[int, int]], text: Text) -> dict[str, str]:
    """What the fields stand for; a file's name is the whole word, as in `{object}.so.8`, and not that of an exception."""
    fields: dict[str, str] = {}
    for name, (start, end) in zip(_PART.findall(template.source), spans, strict=False):
        rest = _REST_OF_NAME.match(text.plain, end) if name in _FILES else None
        value = _trimmed(text.plain[start : rest.end() if rest else end])
        if rest is None or not value.endswith("Error"):
            fields.setdefault(name, value)
    return fields


def find_cut(template: Template, text: Text) -> Match | None:
    """The first place where the template stands but for its end, which is cut off."""
    anchor, least = template.anchor, len(template.stem)
    if least == len(anchor):
        return None
    for at in islice(text.places(template.stem), _TRIES):
        end = at + least
        while end - at < len(anchor) and text.flat[end : end + 1] == anchor[end - at]:
            end += 1
        end -= anchor[end - at - 1] == " "  # which may be the end of the line
        before = (
            _regex(template.before).match(text.plain[max(0, at - _WINDOW) : at][::-1]) if _CUT.match(text.plain, end) else None
        )
        if before is not None:
            return Match(at - before.end(), end, _fields(template, _left_spans(before, at), text), whole=False)
    return None


def _trimmed(value: str) -> str:
    """A field without the marks of a sentence or of markup around it."""
    return value.strip("()[]{}<>,;:*").rstrip(".") or value

"""What mail, terminals, logs and forms do to a text is undone."""

from __future__ import annotations

import pytest

from abicheck.judge.triage.match import hits
from abicheck.judge.triage.signatures import parse, signatures
from abicheck.judge.triage.text import cleaned, decoded

PLAIN = (
    "ImportError: libctranslate2-bc15bf3f.so.4.5.0: cannot enable executable stack as shared object requires: Invalid argument"
)
VERSION = "ImportError: /lib/libm.so.6: version `GLIBC_2.29' not found (required by /x/tokenizers.so)"

(BROKEN,) = parse(
    "x.toml",
    {
        "signature": [
            {
                "id": "broken",
                "class": "broken",
                "texts": ["{object}: is broken beyond all hope of repair"],
                "cause": "It is.",
                "sources": ["here"],
                "matches": ["liba.so: is broken beyond all hope of repair"],
            }
        ]
    },
)


def _classes(raw: str) -> list[tuple[str, str]]:
    return [(hit.signature.class_, hit.how) for hit in hits(cleaned(raw), signatures())]


@pytest.mark.parametrize(
    "raw",
    [
        PLAIN,
        "> " + PLAIN,
        "> > " + PLAIN.replace("stack as", "stack\n> > as"),
        PLAIN.replace("stack as", "stack as\n>  shared\n>").replace("> shared object", "> object"),
        PLAIN.replace(" ", "  "),
        PLAIN.replace(" ", "\xa0"),
        PLAIN.replace("stack", "\x1b[1;31mstack\x1b[0m"),
        PLAIN.replace("stack", "\\u001b[31mstack\\u001b[0m"),
        PLAIN.replace("stack", "st\u200back"),
        PLAIN.replace("stack as", "st\\u200back\\u00a0as"),
        f"&quot;{PLAIN.replace(' ', '&nbsp;')}&quot;",
        '{"log": "Traceback (most recent call last):\\n  File \\"x.py\\", line 1\\n' + PLAIN + '\\n", "stream": "stderr"}',
        "reaspeech-1  | " + PLAIN,
        "whisper_1  | " + PLAIN.replace("stack as", "stack\nwhisper_1  | as"),
        "2025-02-03T10:11:12.123456789Z " + PLAIN,
        "[2025-02-03 10:11:12,123] ERROR in app: " + PLAIN,
        f"`{PLAIN}`",
        f"**{PLAIN}**",
        PLAIN.replace("\n", "\r\n") + "\r\n",
    ],
)
def test_one_text_in_many_forms(raw: str) -> None:
    assert ("exec-stack-refused", "whole") in _classes(raw)


@pytest.mark.parametrize(
    "raw",
    [
        VERSION,
        VERSION.replace("`", "'"),
        VERSION.replace("`", "").replace("'", ""),
        VERSION.replace("`", "\u2018").replace("'", "\u2019"),
        VERSION.replace("`", "\\`").replace("_", "\\_"),
        VERSION.replace("`", "&#39;").replace("'", "&#39;"),
        VERSION.replace("`", '\\"').replace("'", '\\"'),
    ],
)
def test_quotes_of_every_kind_and_none(raw: str) -> None:
    assert ("version-missing", "whole") in _classes(raw)


@pytest.mark.parametrize("end", ["", "\n", " …", "...", " rep", "\nmore text"])
def test_a_text_that_is_cut_off(end: str) -> None:
    (hit,) = hits(cleaned(f"File x.py\nImportError: /x/liba.so: is broken beyond all hope of{end}"), [BROKEN])
    assert (hit.how, hit.match.fields) == ("cut", {"object": "/x/liba.so"})


def test_a_text_that_goes_on_otherwise_is_not_cut_off() -> None:
    assert not hits(cleaned("liba.so: is broken beyond all hope of mine"), [BROKEN])


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("\ufeffa\n".encode("utf-16-le"), "a\n"),
        ("\ufeffa\n".encode("utf-16-be"), "a\n"),
        ("\ufeffд\n".encode(), "\ufeffд\n"),
        (b"a\xffb", "a\ufffdb"),
        (b"\xff\xfea", "\ufffd"),
    ],
)
def test_bytes_of_every_kind(data: bytes, text: str) -> None:
    assert decoded(data) == text


def test_control_characters_of_a_message_are_kept() -> None:
    assert cleaned("unknown language 'д=\x19c'").plain == "unknown language д=\x19c"


def test_an_excerpt_is_the_line_with_its_quotes() -> None:
    text = cleaned(f"first\n{VERSION}\nlast")
    start = text.plain.index("version")
    assert text.excerpt(start, start + 5) == VERSION


def test_an_excerpt_of_a_long_line_is_what_is_near() -> None:
    text = cleaned("x " * 5000 + PLAIN + " y" * 5000)
    start = text.plain.index("ImportError")
    excerpt = text.excerpt(start, start + len(PLAIN))
    assert excerpt.startswith("…")
    assert excerpt.endswith("…")
    assert "cannot enable executable stack" in excerpt


def test_of_a_long_text_the_ends_and_what_is_near_places() -> None:
    text = cleaned("start " + "a " * 1000 + "middle " + "b " * 1000 + "end")
    part = text.around([text.plain.index("middle")], 20).plain
    assert "start" in part
    assert "middle" in part
    assert part.endswith("end")
    assert len(part) < 100


@pytest.mark.parametrize("literal", ["a b", "ab c", "a?", "?", "é b", "x a b", "b ", " b", "共 有"])
def test_places_are_those_of_a_plain_search(literal: str) -> None:
    """Also where a look at the words, or at the text without what is not ASCII, would answer."""
    text = cleaned("a b aé b xa bc\nab cd a? é? 共 有b x a b ")
    places = [at for at in range(len(text.flat)) if text.flat.startswith(literal, at)]
    assert next(text.places(literal), None) == next(iter(places), None)
    assert list(text.places(literal)) == places


def test_an_excerpt_of_several_lines() -> None:
    text = cleaned("one\ntwo\nthree\nfour")
    assert text.excerpt(text.plain.index("wo"), text.plain.index("hree") + 1) == "two three"
    assert text.excerpt(0, 3) == "one"
    assert text.excerpt(0, 4) == "one"

"""No bytes make triage raise, hang, or write to a terminal what it would act on."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abicheck.judge.triage.read import read_report
from abicheck.judge.triage.signatures import signatures
from abicheck.judge.triage.text import cleaned, decoded
from abicheck.model.report import Tool
from abicheck.model.triage import Triage
from abicheck.report.triage import json as as_json
from abicheck.report.triage import markdown, terminal
from tests.property.effort import fewer
from tools.bench import HOSTILE

SAMPLES = [sample for each in signatures() for sample in each.matches]
#: What cleaning, matching or reading facts takes for something else than a letter.
WORDS = st.sampled_from(
    [
        *(
            b"\x1b[31m",
            b"\x1b]0;title\x07",
            b"\x1b",
            b"\\u001b[0m",
            b"\\n",
            b"\\\\n",
            b"\\ud800",
            b"\\u0000",
            b"&quot;",
            b"\r",
            b"\n> ",
        ),
        *(
            b"\n| ",
            b"==",
            b".whl",
            b"-cp311-",
            b"Successfully installed ",
            b"PRETTY_NAME=",
            b"\xff\xfe",
            b"\xef\xbb\xbf",
            b"\xe2\x80\x8b",
        ),
        *(b"{object}", b"`", b"'", b'"', b" ", b"\n", b"...", b"%s", b"lib-00000000.so.1", b"libctranslate2-bc15bf3f.so.4.5.0: "),
        *(sample.encode() for sample in SAMPLES[::20]),
    ]
)


def _answer(data: bytes) -> None:
    found = Triage(Tool("abicheck", "0"), read_report(data))
    for text in (terminal.render(found, colour=False), markdown.render(found), as_json.render(found)):
        assert all(each.isprintable() or each == "\n" for each in text)
        assert len(text) < 50_000 + 100 * len(data)
    json.loads(as_json.render(found))


@fewer
@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    _answer(data)


@fewer
@given(st.lists(WORDS, max_size=20).map(b"".join))
def test_any_words(data: bytes) -> None:
    _answer(data)


@fewer
@given(st.sampled_from(SAMPLES), st.data())
def test_damaged_samples(sample: str, data: st.DataObject) -> None:
    content = sample.encode()
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        length = data.draw(st.sampled_from([0, 1, 2, 5, 40]))
        content = content[:start] + data.draw(st.one_of(WORDS, st.binary(max_size=4))) + content[start + length :]
    _answer(content)


@fewer
@given(st.text(max_size=200))
def test_cleaning_leaves_nothing_to_clean(raw: str) -> None:
    text = cleaned(decoded(raw.encode("utf-8", "replace")))
    assert len(text.plain) == len(text.flat)
    assert "  " not in text.plain
    assert "\n" not in text.flat


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_comes_to_an_end_and_says_nothing(kind: str) -> None:
    """A pattern that goes back and forth over so much text would not be done for hours; how fast it is, is for the bench."""
    found = read_report(HOSTILE[kind] * (400_000 // len(HOSTILE[kind])))
    assert [each.class_ for each in found.causes] == (["version-missing"] if kind == "anchors" else [])

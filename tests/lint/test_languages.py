from __future__ import annotations

import pytest

from abicheck.lint.languages import table, unknown_languages

SEVEN = '"en", "fr", "de", "es", "it", "ja", "ko"'


@pytest.mark.parametrize(
    ("code", "meant"),
    [("iw", "he"), ("jv", "jw"), ("zh-CN", "zh"), ("pt_BR", "pt"), ("EN", "en"), ("ga", None), ("eng", None), ("Auto", None)],
)
def test_what_was_meant(code: str, meant: str | None) -> None:
    (found,) = unknown_languages(f'whisper = [{SEVEN}, "{code}"]'.encode(), page=False)
    assert (found.fields["name"], found.fields.get("owner")) == (code, meant)
    assert (found.line, found.column) == (1, 12 + len(SEVEN) + 2)


def test_the_table() -> None:
    languages, aliases = table()
    assert (len(languages), list(languages)[:3], languages["yue"]) == (100, ["en", "zh", "de"], "cantonese")
    assert not aliases.keys() & languages.keys()


@pytest.mark.parametrize("page", [True, False])
@pytest.mark.parametrize("source", [b"", b"<![foo", b"<select><option value=", b"[" * 3000, b"\xff\0", b"{" * 3000, b"<" * 3000])
def test_no_source_is_too_odd(source: bytes, page: bool) -> None:  # noqa: FBT001 -- a parameter of the table
    assert list(unknown_languages(b"whisper fr " + source, page=page)) == []

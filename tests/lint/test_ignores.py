from __future__ import annotations

import pytest

from abicheck.lint.ignores import Ignore, ignores
from abicheck.lint.sighting import Sighting

KNOWN = {"pointer-stored", "pointer-returned"}


@pytest.mark.parametrize(
    ("line", "about", "rules", "reason"),
    [
        ("x = s.c_str(); // abicheck-lint: ignore[pointer-stored] reset in run()", 1, {"pointer-stored"}, "reset in run()"),
        ("  // abicheck-lint: ignore[pointer-stored, pointer-returned] both", 2, {"pointer-stored", "pointer-returned"}, "both"),
        ("/* abicheck-lint: ignore[pointer-stored] kept */", 2, {"pointer-stored"}, "kept"),
        ("x = s.c_str(); // abicheck-lint: ignore[pointer-stored] ends with CRLF\r", 1, {"pointer-stored"}, "ends with CRLF"),
    ],
)
def test_an_ignore_is_about_its_line_or_the_next(line: str, about: int, rules: set[str], reason: str) -> None:
    assert list(ignores(f"{line}\nnext();\n", KNOWN)) == [Ignore(about, frozenset(rules), reason)]


@pytest.mark.parametrize(
    ("comment", "wrong"),
    [
        ("ignore[pointer-stored]", "not why"),
        ("ignore[pointer-stored] */", "not why"),
        ("ignore[pointer-stord] a reason", "ignore[pointer-stord], and there is no such rule"),
        ("ignore[] a reason", "ignore[], and there is no such rule"),
        ("ignore a reason", "something else than ignore[RULE] and a reason"),
        ("off", "something else than ignore[RULE] and a reason"),
    ],
)
def test_what_ignores_nothing_is_found(comment: str, wrong: str) -> None:
    assert list(ignores(f"x; // abicheck-lint: {comment}", KNOWN)) == [Sighting("ignore-without-reason", 1, 7, {"name": wrong})]

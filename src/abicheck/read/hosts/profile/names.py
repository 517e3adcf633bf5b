"""Names in one text: separated by blanks, and mangled ones that begin alike shortened.

`33:do_out` stands for the first 33 characters of the name before it and `do_out`. Only names that repeat much are written so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHARED = re.compile(r"(\d+):")
_LEAST = 6
#: A home directory is written `~`, and is this directory in the root that a profile is.
_HOME = re.compile(r"(?<![\w.~/-])~(?=[/:;\s]|$)")
_HOME_INSIDE = "/~"


def pack(names: Iterable[str]) -> str:
    """The names, sorted, as one text."""
    words = []
    before = ""
    for name in sorted(names):
        length = 0
        if name.startswith("_Z"):
            most = min(len(before), len(name) - 1)
            while length < most and before[length] == name[length]:
                length += 1
        words.append(f"{length}:{name[length:]}" if length >= _LEAST else name)
        before = name
    return " ".join(words)


def unpack(words: Iterable[str]) -> list[str]:
    """The names that `pack` was given. Raises ValueError for a word that repeats more than there is."""
    names: list[str] = []
    before = ""
    for word in words:
        shared = _SHARED.match(word)
        if shared:
            length = int(shared[1])
            if length > len(before):
                raise ValueError(word)
            word = before[:length] + word[shared.end() :]  # noqa: PLW2901 -- the word in full
        names.append(word)
        before = word
    return names


def homely(text: str) -> str:
    """`text` with home directories as paths of the profile's root."""
    return _HOME.sub(_HOME_INSIDE, text) if "~" in text else text

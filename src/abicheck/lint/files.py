"""The sources under paths: C and C++, and the pages and scripts that go with a binding."""

from __future__ import annotations

import codecs
import os
from typing import TYPE_CHECKING

from abicheck.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The endings of C++ sources and headers, and of C, in which structs are declared.
_ENDINGS = (".c", ".cc", ".cpp", ".cxx", ".c++", ".h", ".hh", ".hpp", ".hxx", ".h++", ".inl", ".ipp", ".tpp")
#: Pages, and scripts.
PAGES = (".html", ".htm")
SCRIPTS = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx")
#: What a repository holds besides sources of its own.
_LEFT_OUT = {".git", ".hg", ".svn", "__pycache__", ".venv", ".tox", "node_modules"}
_ALL = (*_ENDINGS, *PAGES, *SCRIPTS)


def sources(path: str) -> Iterator[str]:
    """The sources in a directory, sorted, links to directories not followed; a file is one whatever its name.

    Raises `TargetError`.
    """
    if not os.path.isdir(path):
        if not os.path.lexists(path):
            raise TargetError("there is no such file or directory; name sources or a directory of them", path)
        yield path
        return

    def complain(error: OSError) -> None:
        raise TargetError(
            f"cannot be read: {error.strerror}; give the user that runs abicheck access", str(error.filename or path)
        )

    for folder, folders, names in os.walk(path, onerror=complain):
        folders[:] = sorted(set(folders) - _LEFT_OUT)
        yield from (os.path.join(folder, name) for name in sorted(names) if name.endswith(_ALL))


def content(path: str) -> bytes:
    """What is in a file; of UTF-16, which MSVC takes, the same in UTF-8. Raises `TargetError`, also for what is no source."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise TargetError(f"cannot be read: {error.strerror}; name another file, or give access to it", path) from None
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        data = data.decode("utf-16", "replace").encode("utf-8", "replace")
    # Scripts may hold a module as text, NULs included (emscripten's SINGLE_FILE).
    if b"\0" in data and not path.endswith((*PAGES, *SCRIPTS)):
        raise TargetError(f"is no source: there is a NUL in line {data[: data.index(0)].count(10) + 1}; leave it out", path)
    return data

"""Lock files to model values: what is pinned, never whether it loads."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from abicheck.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from abicheck.model.lock import Lock
    from abicheck.read.locks.document import Document


#: PEP 751, "File Name".
_PYLOCK = re.compile(r"pylock(\.[^.]+)?\.toml")


def is_lock(path: str) -> bool:
    """Whether a path is named as a lock file is: `*.txt` (requirements), `*.lock`, `pylock.toml`, `pylock.NAME.toml`."""
    name = os.path.basename(path)
    return name.endswith((".txt", ".lock")) or _PYLOCK.fullmatch(name) is not None


def read_lock(path: str, extras: Sequence[str] = (), groups: Sequence[str] = ()) -> Lock:
    """The lock file at `path`: of requirements where its name ends in `.txt`, else of the tool that its content tells.

    `extras` and `groups` are installed beside what is by default.

    Raises:
        TargetError: it cannot be read, is of no known format, something in it is wrong (the subject names file and line), or it
            knows no such extra or group.

    """
    lock = _read(path)
    for what, asked, known in (("extra", extras, lock.known_extras), ("group", groups, lock.known_groups)):
        unknown = next((each for each in asked if each not in known), None)
        if unknown is not None:
            there = f"it has {', '.join(known)}" if known else f"it has no {what}s"
            raise TargetError(f"there is no {what} {unknown} in it; {there}", path)
    return lock._replace(extras=tuple(extras), groups=tuple(dict.fromkeys((*lock.groups, *groups))))


def _read(path: str) -> Lock:
    if path.endswith(".txt"):
        from abicheck.read.locks.requirements import read_requirements  # noqa: PLC0415 -- packaging costs 15 ms

        return read_requirements(path)
    from abicheck.read.locks.document import Document, read_text  # noqa: PLC0415 -- whether a name is that of a lock is cheap

    document = Document(path, read_text(path))
    return _reader(document)(document)


def _reader(document: Document) -> Callable[[Document], Lock]:
    """The reader for a document, by what only one tool writes."""
    values, metadata = document.values, document.values.get("metadata")
    known = metadata if isinstance(metadata, dict) else {}
    if document.is_json and "_meta" in values:
        from abicheck.read.locks.pipfile import read_pipfile  # noqa: PLC0415 -- one file has one format

        meta = values["_meta"]
        _demand_known(document, meta.get("pipfile-spec") if isinstance(meta, dict) else None, 6)
        return read_pipfile
    if "lock-version" in values:
        from abicheck.read.locks.pylock import read_pylock  # noqa: PLC0415 -- as above

        return read_pylock
    if "lock_version" in known:
        from abicheck.read.locks.pdm import read_pdm  # noqa: PLC0415 -- as above

        _demand_known(document, known["lock_version"], 4)
        return read_pdm
    if "content-hash" in known or "lock-version" in known:
        from abicheck.read.locks.poetry import read_poetry  # noqa: PLC0415 -- as above

        _demand_known(document, known.get("lock-version"), 2)
        return read_poetry
    if "version" in values and not document.is_json:
        from abicheck.read.locks.uv import read_uv  # noqa: PLC0415 -- as above

        _demand_known(document, values["version"], 1)
        return read_uv
    message = "none of the lock files that abicheck knows; give a requirements.txt, or one of uv, poetry, pdm, pipenv or PEP 751"
    raise TargetError(message, document.path)


def _demand_known(document: Document, given: object, newest: int) -> None:
    """What a later major version of a format means is not known, and a wrong guess would say that all is well."""
    major = re.match(r"[0-9]{1,4}", str(given))
    if major and int(major[0]) > newest:
        message = f"is of version {str(given)[:20]} of its format, and abicheck reads those up to {newest}; take a newer abicheck"
        raise TargetError(message, document.path)

"""What the files in a `.dist-info` directory say: METADATA, WHEEL, RECORD and entry_points.txt, from their text."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from mmap import mmap
    from typing import TypeAlias

    Content: TypeAlias = bytes | bytearray | mmap

#: Longer files of metadata are nobody's (RECORD of 100,000 files is about 10 MB).
LIMIT = 64 << 20
#: RECORD and its signatures, which cannot or need not stand in it (PyPUG, "Recording installed projects").
UNRECORDED = frozenset({"RECORD", "RECORD.jws", "RECORD.p7s"})


class Row(NamedTuple):
    """A line of RECORD: the hash as `sha256=...` ("" for none), the size in bytes (None for none)."""

    hash: str
    size: int | None


def fields(data: bytes) -> dict[str, list[str]]:
    """The header lines of METADATA or WHEEL, by their names in lower case (email.parser would take 20 ms to import)."""
    found: dict[str, list[str]] = {}
    values: list[str] = []
    for line in data.decode("utf-8", "replace").splitlines():
        if not line.strip():
            break
        if line[0] in " \t":
            if values:
                values[-1] += " " + line.strip()
            continue
        name, _, value = line.partition(":")
        values = found.setdefault(name.strip().lower(), [])
        values.append(value.strip())
    return found


def first(values: Mapping[str, list[str]], name: str) -> str | None:
    """The first of the values of a field, None where it is absent or empty."""
    return next(iter(values.get(name, ())), None) or None


def record(data: bytes) -> dict[str, Row]:
    """RECORD by path; lines that are none are passed over."""
    rows = {}
    lines = data.decode("utf-8", "surrogateescape").replace("\0", "").splitlines()
    try:
        for path, *rest in filter(None, csv.reader(lines)):
            size = rest[1] if len(rest) > 1 else ""
            rows[path] = Row(rest[0] if rest else "", int(size) if size.isdecimal() else None)
    except csv.Error:  # a field beyond csv's limit: whatever follows is not listed
        pass
    return rows


def scripts(data: bytes) -> frozenset[str]:
    """The names that entry_points.txt gives to generated commands."""
    names = set()
    section = ""
    for raw in data.decode("utf-8", "replace").splitlines():
        line = raw.strip()
        if line.startswith("["):
            section = line.strip("[]").strip()
        elif section in ("console_scripts", "gui_scripts") and "=" in line and line[0] not in "#;":
            names.add(line.partition("=")[0].strip())
    return frozenset(names)


def import_names(paths: Iterable[str]) -> tuple[str, ...]:
    """The modules at the top of a library directory that holds the files `paths` (relative to it), sorted.

    top_level.txt is not asked: many builders don't write it, and it is wrong about namespaces.
    """
    names = set()
    for path in paths:
        first, slash, rest = path.partition("/")
        file = rest.rpartition("/")[2] if slash else first
        name = first if slash else first.partition(".")[0]
        if file.endswith((".py", ".so")) and name.isidentifier() and (not slash or name != "__pycache__"):
            names.add(name)
    return tuple(sorted(names))


def hash_matches(wanted: str, chunks: Iterable[Content]) -> bool:
    """True when the content has the hash `algorithm=digest` of RECORD (base64 of the URL kind, without padding)."""
    algorithm, _, digest = wanted.partition("=")
    try:
        return record_hash(algorithm, chunks) == f"{algorithm}={digest.rstrip('=')}"
    except ValueError:
        return False


def record_hash(algorithm: str, chunks: Iterable[Content]) -> str:
    """The hash of some content as RECORD has it. Raises `ValueError` for an algorithm that is not known."""
    from base64 import urlsafe_b64encode  # noqa: PLC0415 -- hashes are looked at only on request
    from hashlib import new  # noqa: PLC0415 -- as above

    state = new(algorithm)
    for chunk in chunks:
        state.update(chunk)
    return f"{algorithm}={urlsafe_b64encode(state.digest()).rstrip(b'=').decode()}"

"""RECORD with other hashes and sizes for some files, and every other byte as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.errors import TargetError
from abicheck.model.repair import Edit
from abicheck.read.artifacts.metadata import hash_matches, record_hash
from abicheck.read.artifacts.metadata import record as rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from abicheck.read.artifacts.metadata import Content


def check_listed(path: str, hash_: str | None, chunks: Iterable[Content]) -> None:
    """Raise `TargetError` unless RECORD lists the file `path` (`hash_` None: it does not) and it is as installed."""
    if hash_ is None:
        raise TargetError(f"{path} is to change, and RECORD does not list it; no installer would know of it")
    if hash_ and not hash_matches(hash_, chunks):
        raise TargetError(f"{path} is not what RECORD says (another hash); fetch or install it again, then repair that")


def new_hash(hash_: str, content: Content) -> str:
    """The hash of the new content in the spelling of the old one; none where there was none."""
    return record_hash(hash_.partition("=")[0], [content]) if hash_ else ""


def record_edits(record: bytes, new: Mapping[str, tuple[str, int]], spelled: Callable[[str], str] = str) -> list[Edit]:
    """What changes in RECORD when the files of `new` get these hashes and sizes; `spelled` makes of its paths those of `new`.

    Raises `TargetError` where a file has no line that ends in its hash and size.
    """
    edits, left, at = [], set(new), 0
    for line in record.splitlines(keepends=True):
        for path, row in rows_of(line).items():
            old = f",{row.hash},{'' if row.size is None else row.size}".encode()
            if spelled(path) in new and line.rstrip(b"\r\n").endswith(old):
                hash_, size = new[spelled(path)]
                left.discard(spelled(path))
                start = at + len(line.rstrip(b"\r\n")) - len(old)
                edits.append(Edit(start, old, f",{hash_},{'' if row.size is None else size}".encode()))
        at += len(line)
    if left:
        raise TargetError(f"RECORD has no line for {min(left)} that could be changed; install or fetch it again")
    return edits

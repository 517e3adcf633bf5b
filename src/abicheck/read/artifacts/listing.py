"""The files of an installed distribution: those that RECORD lists, compared with what is there, and native code beside them."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from abicheck.model.artifact import Problem
from abicheck.read.artifacts import metadata
from abicheck.read.artifacts.archive import ELF_MAGIC

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from abicheck.model.artifact import Scheme

#: A loader may open any file, but these are Python's own and many: they are not looked into for native code.
_PYTHON = (".py", ".pyc", ".pyi")


class Listing:
    """The files of a distribution on this machine: those that RECORD lists and that are there, and native code beside them."""

    def __init__(self, info: str, here: Scheme, *, verify: bool) -> None:
        self._library = here.library
        self.files: list[str] = []
        self.binaries: set[str] = set()
        self.problems: list[Problem] = []
        data = read_file(os.path.join(info, "RECORD"))
        if data is None:
            self.problems.append(
                Problem(
                    "no-record",
                    self._spelled(os.path.join(info, "RECORD")),
                    "is missing, so its files are guessed by their names",
                )
            )
            directories = _guessed(info, here.library)
            rows = {}
        else:
            rows = {self._place(path): (path, row) for path, row in metadata.record(data).items()}
            directories = {os.path.join(here.library, top) for place in rows if (top := self._top(place))}
        for place, (path, row) in rows.items():
            self._take_listed(place, path, row, verify=verify)
        beside = [place for place in _walk(sorted(directories)) if place not in rows and not place.endswith(_PYTHON)]
        strangers = {place for place in beside if _is_elf(place)}
        if data is None:
            self.files += beside
        elif strangers:
            strangers -= self._listed_by_others(info)
            self.files += sorted(strangers)
            for place in sorted(strangers):
                self.problems.append(Problem("not-in-record", self._spelled(place), "lies among its files and is in no RECORD"))
        self.binaries |= strangers

    def _place(self, path: str) -> str:
        return os.path.normpath(os.path.join(self._library, path))

    def _spelled(self, place: str) -> str:
        return os.path.relpath(place, self._library)

    def _top(self, place: str) -> str | None:
        """The directory right below the library that a file lies in: one that the distribution has a claim on."""
        first, slash, _ = place[len(self._library) + 1 :].partition(os.sep)
        owned = slash and place.startswith(self._library + os.sep) and not first.endswith((".dist-info", "__pycache__"))
        return first if owned else None

    def _listed_by_others(self, info: str) -> set[str]:
        """What the other distributions of the directory own: some share a directory, as all of `nvidia` do."""
        records = (
            os.path.join(self._library, name, "RECORD") for name in os.listdir(self._library) if name.endswith(".dist-info")
        )
        return {
            self._place(path)
            for each in records
            if os.path.dirname(each) != info
            for path in metadata.record(read_file(each) or b"")
        }

    def _take_listed(self, place: str, path: str, row: metadata.Row, *, verify: bool) -> None:
        try:
            status = os.stat(place)
        except (OSError, ValueError) as error:
            # Byte code is made, thrown away and made again by many.
            if not path.endswith(".pyc"):
                reason = "is in RECORD and not there" if isinstance(error, FileNotFoundError) else f"cannot be read ({error})"
                self.problems.append(Problem("missing", path, reason))
            return
        if not stat.S_ISREG(status.st_mode):
            return
        self.files.append(place)
        if row.size not in (None, status.st_size):
            self.problems.append(Problem("size", path, f"is {status.st_size} bytes, {row.size} by RECORD"))
        elif verify and row.hash and not metadata.hash_matches(row.hash, _chunks(place)):
            self.problems.append(Problem("hash", path, "has another hash than RECORD says"))
        if not path.endswith(_PYTHON) and _is_elf(place):
            self.binaries.add(place)


def _guessed(info: str, library: str) -> set[str]:
    """The directories that a distribution without RECORD seems to own."""
    stem = os.path.basename(info).partition("-")[0]
    names = {
        stem,
        stem.lower(),
        stem + ".libs",
        *(read_file(os.path.join(info, "top_level.txt")) or b"").decode("utf-8", "replace").split(),
    }
    return {path for name in names if os.path.isdir(path := os.path.join(library, os.path.basename(name))) and name.strip("./")}


def _walk(directories: Iterable[str]) -> Iterator[str]:
    """The regular files below, links to directories not followed."""
    for top in directories:
        for directory, _, names in os.walk(top):
            yield from (place for name in names if os.path.isfile(place := os.path.join(directory, name)))


def read_file(place: str, limit: int = metadata.LIMIT) -> bytes | None:
    """The content of a regular file of at most `limit` bytes; None where there is none that can be read."""
    try:
        if not stat.S_ISREG((status := os.stat(place)).st_mode) or status.st_size > limit:
            return None
        with open(place, "rb") as file:
            return file.read(limit)
    except (OSError, ValueError):
        return None


def _chunks(place: str) -> Iterator[bytes]:
    with suppress(OSError), open(place, "rb") as file:
        while block := file.read(1 << 18):
            yield block


def _is_elf(place: str) -> bool:
    try:
        with open(place, "rb", buffering=0) as file:
            return file.read(len(ELF_MAGIC)) == ELF_MAGIC
    except OSError:
        return False

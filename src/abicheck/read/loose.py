"""Binaries that lie about: files given one by one, a directory, and a wheel as the archive that it is.

None of them is judged by what its metadata says of its files; that is the business of installed distributions and wheels proper.
"""

from __future__ import annotations

import os
import re
import zipfile
import zlib
from typing import TYPE_CHECKING, NamedTuple

from abicheck.errors import TargetError
from abicheck.model.artifact import Distribution, Scheme, Sources
from abicheck.model.files import FileId
from abicheck.read.elf import parse_elf
from abicheck.read.elf.opened import read_opened_names
from abicheck.read.files.store import FactStore, open_errno, opened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from abicheck.model.artifact import DistributionKind
    from abicheck.model.elf import ElfFile

_MAGIC = b"\x7fELF"
#: A wheel's member with a larger binary is refused before it is inflated.
_LARGEST_MEMBER = 1 << 32


class LooseFiles(NamedTuple):
    """Files of this machine as a package: by path, without metadata."""

    distribution: Distribution
    files: Mapping[str, FileId]
    store: FactStore

    def entries(self) -> Mapping[str, FileId]:
        """The binaries by their paths."""
        return self.files

    def facts(self, file: FileId) -> ElfFile:
        """The facts of one of them."""
        path = next(path for path, each in self.files.items() if each == file)
        return self.store.facts(file, path)

    def sources(self) -> Sources:
        """There is no Python code that belongs to them."""
        return Sources()

    def opened_names(self, file: FileId) -> tuple[str, ...]:
        """The names of libraries that one of them opens."""
        try:
            return read_opened_names(self.store.paths[file])
        except OSError as error:
            raise TargetError(f"{error.strerror}; it went away while abicheck ran, so run it again", self.store.paths[file]) from None


def open_files(paths: Sequence[str]) -> LooseFiles:
    """The files at `paths`, together one package. Raises `TargetError` for one that is not there, or is no ELF file."""
    found = {path: _opened(path) for path in paths}
    for path in paths:
        if not _is_elf(path):
            raise TargetError("not an ELF file; give shared objects, programs, wheels or directories", path)
    name = os.path.basename(paths[0]) + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
    return _package("files", name, paths[0], "", found)


def open_directory(path: str) -> LooseFiles:
    """All binaries below a directory, each file once however many links lead to it."""
    found: dict[str, FileId] = {}
    for place in sorted(_walk(path)):
        file = _opened(place)
        if file not in found.values():
            found[place] = file
    if not found:
        raise TargetError("no ELF file in it; give a directory with shared objects or programs", path)
    return _package("directory", os.path.basename(os.path.abspath(path)), path, path.rstrip("/"), found)


def _walk(path: str) -> Iterator[str]:
    def refuse(error: OSError) -> None:
        raise TargetError(f"{error.strerror}; run abicheck as a user who may read it", str(error.filename))

    for directory, _, names in os.walk(path, onerror=refuse):
        for place in (os.path.join(directory, name) for name in names):
            if os.path.isfile(place) and _is_elf(place):
                yield place


def _opened(path: str) -> FileId:
    try:
        answer = opened(path, os.stat(path))
    except (OSError, ValueError) as error:
        answer = open_errno(error)
    if isinstance(answer, int):
        raise TargetError(f"{os.strerror(answer)}; give files that are there and may be read", path)
    return answer


def _is_elf(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(4) == _MAGIC
    except OSError as error:
        raise TargetError(f"{error.strerror}; run abicheck as a user who may read it", path) from None


def _package(kind: DistributionKind, name: str, given: str, base: str, files: Mapping[str, FileId]) -> LooseFiles:
    distribution = Distribution(
        kind=kind, name=name, version="", given=given, place=given, scheme=Scheme(base, base, base), files=tuple(files),
        binaries=tuple(files),
    )  # fmt: skip
    return LooseFiles(distribution, files, FactStore())

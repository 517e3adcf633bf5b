"""Binaries that lie about: files given one by one, and directories that are no environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from abicheck.errors import TargetError
from abicheck.model.artifact import Distribution, Scheme, Sources
from abicheck.read.elf.opened import read_opened_names
from abicheck.read.files.store import FactStore, open_errno, opened

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from abicheck.model.artifact import DistributionKind
    from abicheck.model.elf import ElfFile
    from abicheck.model.files import FileId

_MAGIC = b"\x7fELF"


class LooseFiles:
    """Files of this machine as a package without metadata, each known by its path."""

    def __init__(self, kind: DistributionKind, name: str, place: str, base: str, files: Mapping[str, FileId]) -> None:
        paths = tuple(files)
        scheme = Scheme(base, base, base)
        self.distribution = Distribution(kind, name, "", place, place, scheme, files=paths, binaries=paths)
        self._files = files
        self._paths = {file: path for path, file in files.items()}
        self._store = FactStore()

    def entries(self) -> Mapping[str, FileId]:
        """The binaries by their paths."""
        return self._files

    def facts(self, file: FileId) -> ElfFile:
        """The facts of one of them."""
        return self._store.facts(file, self._paths[file])

    def sources(self) -> Sources:
        """There is no Python code that belongs to them."""
        return Sources()

    def opened_names(self, path: str) -> tuple[str, ...]:
        """The names of libraries that stand in one of them."""
        try:
            return read_opened_names(path)
        except OSError as error:
            raise _unreadable(error, path) from None


def open_files(paths: Sequence[str]) -> LooseFiles:
    """The files at `paths`, together one package. Raises `TargetError` for one that is not there, or is no ELF file."""
    found = {_spelled(path): _opened(path) for path in paths}
    for path in paths:
        if not _is_elf(path):
            raise TargetError("not an ELF file; give shared objects, programs, wheels or directories", path)
    name = os.path.basename(paths[0]) + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
    return LooseFiles("files", name, paths[0], "", found)


def open_directory(path: str) -> LooseFiles:
    """All binaries below a directory, each file once however many links lead to it."""
    places = {_opened(place): place for place in sorted(_walk(path), reverse=True)}
    found = {place: file for file, place in reversed(places.items())}
    if not found:
        raise TargetError("no ELF file in it; give a directory with shared objects or programs", path)
    return LooseFiles("directory", os.path.basename(os.path.abspath(path)), path, _spelled(path).rstrip("/"), found)


def _walk(path: str) -> Iterator[str]:
    def refuse(error: OSError) -> None:
        raise _unreadable(error, str(error.filename))

    for directory, _, names in os.walk(path, onerror=refuse):
        for place in (os.path.join(directory, name) for name in names):
            if _is_elf(place):
                yield _spelled(place)


def _spelled(path: str) -> str:
    """The path with slashes, which Windows takes too: paths in an artifact are spelled as on its host."""
    return path.replace(os.sep, "/")


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
        if not os.path.isfile(path):  # a pipe would block
            return False
        with open(path, "rb") as file:
            return file.read(4) == _MAGIC
    except OSError as error:
        raise _unreadable(error, path) from None


def _unreadable(error: OSError, path: str) -> TargetError:
    return TargetError(f"{error.strerror or error}; give files that are there and may be read", path)

"""Binaries that lie about: files given one by one, a directory, and a wheel as the archive that it is.

None of them is judged by what its metadata says of its files; that is the business of installed distributions and wheels proper.
"""

from __future__ import annotations

import os
import re
import zipfile
import zlib
from typing import TYPE_CHECKING

from abicheck.errors import TargetError
from abicheck.model.artifact import Distribution, Scheme, Sources
from abicheck.model.files import FileId
from abicheck.read.elf import parse_elf
from abicheck.read.elf.opened import read_opened_names
from abicheck.read.files.store import FactStore, open_errno, opened

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from abicheck.model.artifact import DistributionKind
    from abicheck.model.elf import ElfFile

_MAGIC = b"\x7fELF"
#: A wheel's member with a larger binary is refused before it is inflated.
_LARGEST_MEMBER = 1 << 32


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

    def opened_names(self, file: FileId) -> tuple[str, ...]:
        """The names of libraries that one of them opens."""
        try:
            return read_opened_names(self._paths[file])
        except OSError as error:
            raise _unreadable(error, self._paths[file]) from None


class LooseWheel:
    """The binaries of a wheel, inflated in memory one at a time; of its metadata only what the card shows."""

    def __init__(self, archive: zipfile.ZipFile, given: str) -> None:
        self._archive = archive
        self._given = given
        self._members = {FileId(-1, number, each.file_size, 0, 0): each for number, each in enumerate(self._binaries())}
        paths = tuple(member.filename for member in self._members.values())
        tags = self._metadata("WHEEL", "Tag")
        name, version, *_ = [*os.path.basename(given).split("-"), ""]
        self.distribution = Distribution(
            kind="wheel",
            name=name,
            version=version,
            given=given,
            place=given,
            scheme=Scheme("", "", ""),
            files=tuple(archive.namelist()),
            binaries=paths,
            requires_python=next(iter(self._metadata("METADATA", "Requires-Python")), None),
            tags=tags,
        )

    def entries(self) -> Mapping[str, FileId]:
        """The binaries by their names in the archive."""
        return {member.filename: file for file, member in self._members.items()}

    def facts(self, file: FileId) -> ElfFile:
        """The facts of one of them."""
        return parse_elf(self._read(self._members[file]))

    def sources(self) -> Sources:
        """Nothing here looks at Python code."""
        return Sources()

    def opened_names(self, file: FileId) -> tuple[str, ...]:
        """The names of libraries that one of them opens; it is inflated a second time, so that no two are held at once."""
        return read_opened_names(self._read(self._members[file]))

    def _binaries(self) -> Iterator[zipfile.ZipInfo]:
        for member in sorted(self._archive.infolist(), key=lambda each: each.filename):
            if not member.is_dir() and self._read(member, len(_MAGIC)) == _MAGIC:
                yield member

    def _metadata(self, name: str, field: str) -> tuple[str, ...]:
        """The values of a field in a file of the `.dist-info` directory."""
        path = next((each for each in self._archive.NameToInfo if re.fullmatch(rf"[^/]+\.dist-info/{name}", each)), None)
        text = "" if path is None else self._read(self._archive.NameToInfo[path]).decode("utf-8", "replace")
        head = text.replace("\r\n", "\n").partition("\n\n")[0]
        return tuple(re.findall(rf"^{field}: *(.*?) *$", head, re.MULTILINE))

    def _read(self, member: zipfile.ZipInfo, size: int = -1) -> bytes:
        if member.file_size > _LARGEST_MEMBER:
            raise TargetError(f"{member.filename} is said to be {member.file_size:,} bytes large; this is no wheel", self._given)
        try:
            with self._archive.open(member) as file:
                return file.read(size)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            message = f"{member.filename} cannot be read ({error}); fetch the wheel again"
            raise TargetError(message, self._given) from None


def open_wheel(path: str) -> LooseWheel:
    """The wheel at `path`."""
    try:
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise _unreadable(error, path) from None
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise TargetError(f"not a wheel that can be read ({error}); fetch it again", path) from None
    wheel = LooseWheel(archive, path)
    if not wheel.entries():
        raise TargetError("no ELF file in it: it asks nothing of the host's loader", path)
    return wheel


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

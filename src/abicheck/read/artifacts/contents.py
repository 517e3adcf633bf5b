"""What lies in a wheel, wherever it is installed: read once, and kept from one run to the next where that is wanted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from abicheck.model.elf import SharedObject
from abicheck.model.files import FileId
from abicheck.read.elf import parse_elf
from abicheck.read.elf.opened import read_opened_names

if TYPE_CHECKING:
    from collections.abc import Iterable
    from mmap import mmap

    from abicheck.model.artifact import Sources
    from abicheck.model.elf import ElfFile
    from abicheck.read.artifacts.archive import Archive, Member
    from abicheck.read.artifacts.kept import Kept


class Binary(NamedTuple):
    """An ELF file of a wheel, and the names in it of libraries that it may open."""

    facts: ElfFile
    opened: tuple[str, ...]


class Contents:
    """The files of an archive. `kept` holds the facts of wheels that were read before."""

    def __init__(self, archive: Archive, kept: Kept | None = None) -> None:
        self._archive = archive
        self._kept = kept
        self._binaries: dict[int, Binary] = {}
        self._sources: Sources | None = None
        self._members = {member.number: member for member in archive.members.values()}
        status = os.stat(archive.path)
        # A device that no file system and no other wheel has; the same as long as the wheel is the same.
        device = -1 - (status.st_dev << 128 | status.st_ino)
        self.identity = FileId(device, 0, status.st_size, status.st_mtime_ns, status.st_ctime_ns)

    def file(self, member: Member) -> FileId:
        """What tells the member from all other files."""
        return self.identity._replace(inode=member.number, size=member.size)

    def binary(self, number: int) -> Binary:
        """The member of that number. Raises `TargetError` where the archive is damaged there."""
        if self._kept is not None and not self._binaries:
            self._binaries = self._recall(self._kept)
        found = self._binaries.get(number)
        if found is None:
            with self._archive.inflated(self._members[number]) as content:
                found = self._binaries[number] = read_binary(content)
        return found

    def sources(self, modules: Iterable[tuple[str, str]]) -> Sources:
        """What the modules do, each given by its path below the library directory and the name of its member."""
        if self._sources is None and self._kept is not None:
            self._sources = self._kept.sources(self.identity)
        if self._sources is None:
            from abicheck.read.artifacts.sources import LIMIT, read_sources  # noqa: PLC0415 -- asked for where a library is missing

            self._sources = read_sources((inner, inner, self._archive.read(name, LIMIT) or b"") for inner, name in modules)
            if self._kept is not None:
                self._kept.keep_sources(self.identity, self._sources)
        return self._sources

    def _recall(self, kept: Kept) -> dict[int, Binary]:
        """All ELF files of the wheel: as they were kept, else read now and kept."""
        found = kept.binaries(self.identity)
        if found is None:
            found = {}
            for member in self._members.values():
                if member.is_elf:
                    with self._archive.inflated(member) as content:
                        found[member.number] = kept.keep(content)
            kept.keep_binaries(self.identity, found)
        return found


def read_binary(content: bytes | mmap) -> Binary:
    """The facts of an ELF file, and the names in it where it opens any."""
    facts = parse_elf(content)
    opens = isinstance(facts, SharedObject) and facts.refers_to("dlopen", "dlmopen")
    return Binary(facts, read_opened_names(content) if opens else ())

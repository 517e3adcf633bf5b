"""Version needs and definitions, walked in memory as the loader does (glibc: elf/dl-version.c)."""

from __future__ import annotations

from functools import lru_cache
from struct import Struct
from typing import TYPE_CHECKING

from abicheck.model.elf import Fault
from abicheck.model.symbols import BEYOND, UNREADABLE, NeededVersion, Version, VersionDefinition, VersionNeed
from abicheck.read.elf.dynamic import DT_STRTAB, DT_VERDEF, DT_VERNEED, DT_VERSYM, decode
from abicheck.read.elf.header import MASK
from abicheck.read.elf.image import MemoryAccessError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.read.elf.dynamic import Dynamic
    from abicheck.read.elf.image import Image
    from abicheck.read.elf.window import Window

_VERNEED = Struct("<HHIII")
_HALF = Struct("<H")
_VERNAUX = Struct("<IHHII")
_VERDEF = Struct("<HHHHIII")
_VERDAUX = Struct("<I")
_VER_FLG_BASE = 1
#: Chains longer than this are no version tables; following them would only take time.
_LONGEST = 1 << 12

#: Equal versions are one object: few are different, and many references carry one.
_version = lru_cache(maxsize=1 << 14)(Version)


class Versions:
    """What an object needs and defines, and the `l_versions` table that its versym entries select from."""

    __slots__ = ("definitions", "faults", "highest", "needs", "table")

    def __init__(self) -> None:
        self.needs: list[VersionNeed] = []
        self.definitions: list[VersionDefinition] = []
        self.table: dict[int, Version] = {}
        self.highest = 0
        self.faults: list[Fault] = []

    def entry(self, index: int) -> Version | None:
        """What the loader takes for `l_versions[index]`: None for an entry that is empty."""
        found = self.table.get(index)
        if found is None and index > self.highest:
            return BEYOND
        return found if found is None or found.hash else None


def read_versions(image: Image, dynamic: Dynamic, strings: Window) -> Versions:
    """Read DT_VERNEED and DT_VERDEF; what stands before a fault is kept."""
    found = Versions()
    values = dynamic.values
    if DT_STRTAB not in values:
        return found  # "If we don't have a string table, we must be ok."
    if DT_VERNEED in values:
        try:
            for need in _needs(image, values[DT_VERNEED], strings):
                found.needs.append(need)  # what precedes a fault is kept
        except MemoryAccessError as error:
            found.faults.append(Fault("version-needs", error.signal))
    if DT_VERDEF in values:
        try:
            for definition in _definitions(image, values[DT_VERDEF], strings):
                found.definitions.append(definition)  # what precedes a fault is kept
        except MemoryAccessError as error:
            found.faults.append(Fault("version-definitions", error.signal))
    fill_table(found)
    if found.highest and DT_VERSYM not in values:
        found.faults.append(Fault("symbol-versions", "SIGSEGV"))
    return found


def _needs(image: Image, address: int, strings: Window) -> Iterator[VersionNeed]:
    budget = _LONGEST
    following = 1
    (first_revision,) = image.unpack(_HALF, address)
    if first_revision != 1:  # the only one that is looked at, and before all else
        yield VersionNeed("", first_revision, ())
        return
    while following and budget > 0:
        revision, _, file, first, following = image.unpack(_VERNEED, address)
        wanted: list[NeededVersion] = []
        try:
            at, step = address + first & MASK, 1
            name_of_file = decode(strings.string(file))
            while step and budget > 0:
                hash_, flags, other, name, step = image.unpack(_VERNAUX, at)
                wanted.append(NeededVersion(decode(strings.string(name)), hash_, flags, other))
                at = at + step & MASK
                budget -= 1
        except MemoryAccessError:
            if wanted:
                yield VersionNeed(name_of_file, revision, tuple(wanted))
            raise
        yield VersionNeed(name_of_file, revision, tuple(wanted))
        address = address + following & MASK


def _definitions(image: Image, address: int, strings: Window) -> Iterator[VersionDefinition]:
    budget = _LONGEST
    following = 1
    while following and budget > 0:
        revision, flags, index, _, hash_, first, following = image.unpack(_VERDEF, address)
        try:
            (offset,) = image.unpack(_VERDAUX, address + first & MASK)
        except MemoryAccessError:
            # A name is looked at where a hash is equal, and by the object itself unless it is that of the base version.
            yield VersionDefinition(UNREADABLE, hash_, index, flags, revision)
            if not flags & _VER_FLG_BASE:
                raise
        else:
            yield VersionDefinition(_name(strings, offset), hash_, index, flags, revision)
        address = address + following & MASK
        budget -= 1


def _name(strings: Window, offset: int) -> str:
    """A name that the loader looks at only once the hashes are equal."""
    try:
        return decode(strings.string(offset))
    except MemoryAccessError:
        return UNREADABLE


def fill_table(found: Versions) -> None:
    """Make `l_versions` and tell whether the loader would make it: only if some index is not 0."""
    table = found.table
    for need in found.needs:
        for wanted in need.versions:
            index = wanted.index & 0x7FFF
            found.highest = max(found.highest, index)
            table[index] = _version(wanted.name, wanted.hash, need.file, bool(wanted.index & 0x8000))
    for definition in found.definitions:
        index = definition.index & 0x7FFF
        found.highest = max(found.highest, index)
        if not definition.flags & _VER_FLG_BASE:  # which names no version
            before = table.get(index)
            table[index] = _version(definition.name, definition.hash, None, before is not None and before.hidden)
    if not found.highest:
        table.clear()

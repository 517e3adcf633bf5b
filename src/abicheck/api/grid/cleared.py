"""A package whose shared objects ask for no executable stack any more, as `clear-exec-stack` leaves them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.model.elf import SharedObject

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abicheck.model.artifact import Distribution, Package, Sources
    from abicheck.model.elf import ElfFile
    from abicheck.model.files import FileId

_PT_GNU_STACK = 0x6474E551
_PF_X = 1


class Cleared:
    """`package` with the executable flag of every PT_GNU_STACK taken out of its facts; nothing is written."""

    def __init__(self, package: Package) -> None:
        self._package = package
        # Other files than those of the package: what was loaded of these may have failed.
        self._originals = {_changed(file): file for file in package.entries().values()}
        self._entries = {path: _changed(file) for path, file in package.entries().items()}
        self._facts: dict[FileId, ElfFile] = {}

    @property
    def distribution(self) -> Distribution:
        """What is known of it."""
        return self._package.distribution

    @property
    def has_cleared(self) -> bool:
        """Whether there was anything to clear."""
        binaries = [self._entries[path] for path in self.distribution.binaries]
        return any(self.facts(file) is not self._package.facts(self._originals[file]) for file in binaries)

    def entries(self) -> Mapping[str, FileId]:
        """Its files, by their path on the host."""
        return self._entries

    def facts(self, file: FileId) -> ElfFile:
        """The facts of one of `entries`."""
        found = self._facts.get(file)
        if found is None:
            found = self._facts[file] = _cleared(self._package.facts(self._originals[file]))
        return found

    def sources(self) -> Sources:
        """What its Python code does."""
        return self._package.sources()

    def opened_names(self, path: str) -> tuple[str, ...]:
        """The names of libraries that stand in a binary."""
        return self._package.opened_names(path)


def _changed(file: FileId) -> FileId:
    return file._replace(mtime_ns=-1 - file.mtime_ns)


def _cleared(facts: ElfFile) -> ElfFile:
    if not isinstance(facts, SharedObject):
        return facts
    segments = tuple(each._replace(flags=each.flags & ~_PF_X) if each.type == _PT_GNU_STACK else each for each in facts.segments)
    return facts if segments == facts.segments else facts._replace(segments=segments)

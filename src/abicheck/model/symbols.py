"""Symbols and their versions: what an object defines, and what its relocations refer to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Signal: TypeAlias = Literal["SIGSEGV", "SIGBUS", "SIGFPE", "SIGABRT"]

#: Stands for a name that the loader dies of when it reads it; no name of a file holds a NUL.
UNREADABLE = "\0"


class Version(NamedTuple):
    """One entry of the loader's `l_versions` table.

    `file` is the `vn_file` of a needed version and None for a version that the object defines itself.
    `hidden` is bit 15 of `vna_other`.
    """

    name: str
    hash: int
    file: str | None = None
    hidden: bool = False


#: Stands for what lies beyond the end of `l_versions`: whatever the heap holds. No other version's hash is negative.
BEYOND = Version("", -1)


class NeededVersion(NamedTuple):
    """One Vernaux: a version wanted from `VersionNeed.file`. `flags` bit 1 (value 2) is VER_FLG_WEAK; `index` is `vna_other`."""

    name: str
    hash: int
    flags: int
    index: int  # type: ignore[assignment]  # the tables' own word; nobody asks these tuples for tuple.index


class VersionNeed(NamedTuple):
    """One Verneed: what is wanted from the file `file` (`revision` is `vn_version`, 1 in every valid file)."""

    file: str
    revision: int
    versions: tuple[NeededVersion, ...]


class VersionDefinition(NamedTuple):
    """One Verdef (its first name). `index` is `vd_ndx`, `flags` bit 0 is VER_FLG_BASE, `revision` is `vd_version`."""

    name: str
    hash: int
    index: int  # type: ignore[assignment]  # the tables' own word; nobody asks these tuples for tuple.index
    flags: int
    revision: int


class Definition(NamedTuple):
    """A symbol that a lookup by name would meet in this object, before versions are compared.

    `version` is the entry of `l_versions` at `index` (None where that entry is empty or the object has no version table);
    `index` is the versym entry without its top bit and `hidden` is that bit. `undefined` marks an SHN_UNDEF symbol with a value
    (a PLT entry of an executable), which only data references may bind to. `tls` is true for STT_TLS. With `fault` it is no
    definition: having met those before it, the loader dies of that signal in the object's tables.
    """

    version: Version | None
    index: int  # type: ignore[assignment]  # the tables' own word; nobody asks these tuples for tuple.index
    hidden: bool
    binding: int
    visibility: int
    type: int
    undefined: bool = False
    fault: Signal | None = None

    @property
    def tls(self) -> bool:
        """True for a thread-local variable."""
        return self.type == 6


#: What applying a relocation does, as far as it can fail.
ReferenceKind: TypeAlias = Literal[
    "data",  # any relocation that needs the symbol at load time
    "plt",  # JUMP_SLOT: deferred under lazy binding
    "tls-static",  # TPOFF and the like: needs room in static TLS for the object that defines the variable
    "tls-descriptor",  # TLSDESC: takes static TLS where it is left, else falls back to dynamic
    "tls-dynamic",  # DTPMOD / DTPOFF
    "copy",  # COPY, in executables
    "size",  # SIZE32 / SIZE64: reads the definition itself
    "irelative",  # IRELATIVE: musl has none
    "unknown",  # a type that the machine's loader does not know
]


class Reference(NamedTuple):
    """What one or more relocations ask for, at the place of the first of them.

    `name` is None where no lookup takes place (a local or hidden symbol, or none at all). `version` is the entry of `l_versions`
    that the symbol's versym selects, None for an unversioned reference. `weak` is STB_WEAK of the referring symbol.
    `plt_class` tells whether the lookup ignores PLT entries of executables (JUMP_SLOT and all TLS relocations).
    `in_plt` tells whether the relocation stands in DT_JMPREL. `visibility` is that of the referring symbol. `type` is the
    machine's relocation type.
    """

    name: str | None
    version: Version | None
    weak: bool
    kind: ReferenceKind
    type: int
    plt_class: bool
    in_plt: bool
    visibility: int = 0


class Demand(NamedTuple):
    """What has to be found for an object to bind, whatever the order.

    `symbols` are the names, by version, that some object in the scope must define: without those that the object itself is known
    to define, and without weak ones, which nobody has to. `special` are the references whose relocations may fail in other ways.
    `symbol_count` is how many symbols the relocations refer to.
    """

    symbols: Mapping[Version | None, frozenset[str]]
    special: tuple[Reference, ...]
    symbol_count: int

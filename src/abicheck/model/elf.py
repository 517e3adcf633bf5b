"""The facts of one ELF file, as the dynamic loader would see them.

The reader fills these values from the program headers and from the *mapped* dynamic section (never from section headers), so they
say what the loader meets: a table that lies outside the mapping is not "missing" here, it is a `Fault`, because the loader would
die there. Nothing in this module judges; what a fact means on a given libc is decided in `abicheck.judge`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from abicheck.model.symbols import Definition, Demand, Reference, Signal, VersionDefinition, VersionNeed

#: Where the loader touches the file's mapping, in the order in which it does so.
Stage: TypeAlias = Literal[
    "mapping",  # clearing the rest of the last file page of a segment (beyond the end of a truncated file: SIGBUS)
    "dynamic",  # walking PT_DYNAMIC
    "dynamic-write",  # adding the load address to the pointers in PT_DYNAMIC
    "execute-only",  # reading any table that can only be executed, where the CPU has protection keys
    "program-headers",  # reading the program headers again from the mapping
    "notes",  # PT_NOTE / PT_GNU_PROPERTY
    "older-notes",  # the same up to glibc 2.38, which on x86-64 reads PT_NOTE even beside PT_GNU_PROPERTY
    "hash",  # setting up DT_GNU_HASH or DT_HASH
    "soname",  # comparing DT_SONAME with a wanted name
    "search-path",  # reading DT_RPATH / DT_RUNPATH
    "needed",  # reading a DT_NEEDED name
    "version-needs",  # walking DT_VERNEED
    "version-definitions",  # walking DT_VERDEF
    "symbol-versions",  # reading DT_VERSYM
    "relr",  # applying DT_RELR, which glibc before 2.36 does not look at
    "relocations",  # applying DT_RELA and DT_JMPREL, after the references that come first
]


class Fault(NamedTuple):
    """The loader would die of `signal` when it reaches `stage`."""

    stage: Stage
    signal: Signal


class Segment(NamedTuple):
    """One program header, field by field (addresses, offsets and sizes in bytes)."""

    type: int
    flags: int
    offset: int
    vaddr: int
    filesz: int
    memsz: int
    align: int


class Header(NamedTuple):
    """The ELF header: the 16 bytes of `e_ident` and the fields that a loader checks."""

    ident: bytes
    type: int
    machine: int
    version: int
    phoff: int
    phentsize: int
    phnum: int

    @property
    def elf_class(self) -> int:
        """EI_CLASS: 1 for 32 bits, 2 for 64 bits."""
        return self.ident[4]

    @property
    def data(self) -> int:
        """EI_DATA: 1 little-endian, 2 big-endian."""
        return self.ident[5]

    @property
    def osabi(self) -> int:
        """EI_OSABI."""
        return self.ident[7]

    @property
    def abi_version(self) -> int:
        """EI_ABIVERSION."""
        return self.ident[8]

    @property
    def padding(self) -> bytes:
        """The seven bytes after EI_ABIVERSION; zero in a valid file."""
        return self.ident[9:16]


#: Why a file never becomes a `SharedObject`.
MalformedReason: TypeAlias = Literal[
    "too-short",  # fewer bytes than an ELF header
    "not-elf",  # no \x7fELF magic
    "short-program-headers",  # e_phoff + e_phnum * e_phentsize lies beyond the end of the file
    "bad-program-header-offset",  # e_phoff is negative as a file offset: pread says EINVAL
    "is-a-directory",  # open succeeds, read says EISDIR
    "unreadable",  # an I/O error while reading
    "left-out",  # it is there, and nothing more is known: a profile has no room for it
]


class Malformed(NamedTuple):
    """A file that a loader refuses before it can look at its program headers.

    `header` is there as soon as the file holds a whole one, because a loader checks it first: a 32-bit file cut short is a
    "wrong ELF class", not "cannot read file data". `beneath` is as in `SharedObject`.
    """

    reason: MalformedReason
    size: int
    header: Header | None = None
    errno: int = 0
    beneath: SharedObject | None = None


class DynamicInfo(NamedTuple):
    """What PT_DYNAMIC says. Of an entry that may stand once, the last one counts, as in glibc's `elf_get_dynamic_info`.

    The `*_entry` sizes and `plt_rel` are None when their tag is absent. `needed` keeps its order and its duplicates. `null_rela`
    is how many relocations a DT_RELA of 0 has: none since glibc 2.36 (so the references say), before it those at the start of
    the file.
    """

    needed: tuple[str, ...] = ()
    soname: str | None = None
    rpath: str | None = None
    runpath: str | None = None
    flags: int = 0
    flags_1: int = 0
    textrel: bool = False
    symbolic: bool = False
    bind_now: bool = False
    has_relr: bool = False
    has_rela: bool = False
    null_rela: int = 0
    has_rel: bool = False
    has_jmprel: bool = False
    rela_entry: int | None = None
    rel_entry: int | None = None
    relr_entry: int | None = None
    plt_rel: int | None = None
    has_strtab: bool = True
    has_symtab: bool = True
    has_hash: bool = False
    has_gnu_hash: bool = False
    has_versym: bool = False
    has_verneed: bool = False
    has_verdef: bool = False
    filters: tuple[str, ...] = ()
    auxiliaries: tuple[str, ...] = ()
    audits: tuple[str, ...] = ()
    x86_64_plt: bool = False
    relacount: int = 0
    tags: tuple[int, ...] = ()


class Property(NamedTuple):
    """What the notes ask for; every mask is 0 where the note is absent.

    `abi_tag_errno` is that of a note segment which glibc <= 2.35 cannot read before it finds an ABI tag (0: it is cut short).
    """

    x86_isa_needed: int = 0
    x86_features: int = 0  # 1 IBT, 2 SHSTK
    aarch64_features: int = 0  # 1 BTI, 2 PAC, 4 GCS
    needed_1: int = 0  # bit 0: indirect external access
    abi_tag: tuple[int, int, int, int] | None = None  # os, major, minor, patch of .note.ABI-tag
    build_id: str | None = None
    abi_tag_errno: int | None = None


NO_PROPERTY = Property()


class Partial(NamedTuple):
    """What is not known of a library of which no file was read.

    `nodes` are version nodes that may be there or not: that is up to the point release. `symbols` are nodes that are there, of
    whose symbols nothing is known. `names` are symbols that may be there or not, whatever their version. With `by_node` the
    symbols are those of another build of the same release: a reference in a node that is there is taken to bind, which is likely.
    """

    nodes: frozenset[str] = frozenset()
    symbols: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    by_node: bool = False


class SharedObject(NamedTuple):
    """The facts of one ELF file that has readable program headers.

    `references` stand in the order in which the loader meets them: DT_RELA/DT_REL (relative ones left out), then DT_JMPREL.
    `demand` sums up what they ask of other objects (None: only the references tell).
    `definitions` finds by name what a lookup through the object's own hash table would find, in the order of its chain; it
    may decode lazily. `phdr_address` is where the loader finds the program headers in the mapping (None: nowhere, it copies
    them). Of a file of another class or byte order only the header and segments are filled, and `foreign` is true: no 64-bit
    little-endian loader looks any further. `beneath` is what a loader finds there that looks at no byte of `e_ident` (musl):
    an ordinary file under a damaged `e_ident`. `older` is what glibc before 2.36 finds, where it reads the hash
    table otherwise. `partial` tells what is not known of it where it was put together from tables.
    """

    header: Header
    size: int
    segments: tuple[Segment, ...] = ()
    foreign: bool = False
    interpreter: str | None = None
    dynamic: DynamicInfo | None = None
    properties: Property = NO_PROPERTY
    version_needs: tuple[VersionNeed, ...] = ()
    version_definitions: tuple[VersionDefinition, ...] = ()
    versions_in_use: bool = False  # l_versyms is set: DT_VERSYM together with DT_VERNEED or DT_VERDEF
    references: Sequence[Reference] = ()
    demand: Demand | None = None
    definitions: Mapping[str, tuple[Definition, ...]] = MappingProxyType({})
    faults: tuple[Fault, ...] = ()
    bad_bloom: bool = False  # the size of the GNU hash table's bloom filter is no power of two: an assertion of the loader
    bad_relative_count: bool = False  # DT_RELACOUNT counts a relocation that is not RELATIVE: an assertion of the x86_64 loader
    phdr_address: int | None = None
    beneath: SharedObject | None = None
    older: SharedObject | None = None
    partial: Partial | None = None

    def refers_to(self, *names: str) -> bool:
        """True where a relocation asks for one of these symbols."""
        if self.demand is None:
            return any(reference.name in names for reference in self.references)
        wanted = set(names)
        return not all(wanted.isdisjoint(group) for group in self.demand.symbols.values())

    def fault(self, stage: Stage) -> Fault | None:
        """The fault of `stage`, or None when the loader gets through it."""
        for fault in self.faults:
            if fault.stage == stage:
                return fault
        return None

    def segment(self, kind: int) -> Segment | None:
        """The last program header of type `kind` (the loader lets a later one replace an earlier one), or None."""
        return next((segment for segment in reversed(self.segments) if segment.type == kind), None)


ElfFile: TypeAlias = "SharedObject | Malformed"

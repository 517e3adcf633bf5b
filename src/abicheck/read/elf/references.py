"""What an object's relocations refer to, in the order in which the loader applies them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, overload

from abicheck.model.elf import Fault
from abicheck.model.symbols import Reference
from abicheck.read.elf.demand import BINDS_LOCALLY, STB_LOCAL, STB_WEAK, read_demand
from abicheck.read.elf.dynamic import decode
from abicheck.read.elf.image import MemoryAccessError
from abicheck.read.elf.relocations import walk_run
from abicheck.read.elf.symbols import SYMBOL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from abicheck.model.symbols import Demand, ReferenceKind, Version
    from abicheck.read.elf.hashes import HashTable
    from abicheck.read.elf.image import Image
    from abicheck.read.elf.machines import Machine
    from abicheck.read.elf.relocations import Relocations, Tables
    from abicheck.read.elf.versions import Versions
    from abicheck.read.elf.window import Window

_MASK32 = 0xFFFFFFFF
_MOST_SHARED = 1 << 16
#: Relocations by run: whether it is DT_JMPREL, and each `r_info` once, in order.
Runs: TypeAlias = "Sequence[tuple[bool, Iterable[int]]]"
#: Makes a named tuple at a third of the price.
_new = tuple.__new__


class References(NamedTuple):
    """The references, and what ends the relocating of the object early."""

    references: Sequence[Reference] = ()
    demand: Demand | None = None
    fault: Fault | None = None
    bad_relative_count: bool = False


def _first_of_each(symbols: list[int], references: list[Reference]) -> Iterable[Reference]:
    """Of references that ask the same of one symbol the first."""
    if len(set(symbols)) == len(symbols):
        return references
    found: dict[tuple[int, str], Reference] = {}
    for symbol, reference in zip(symbols, references, strict=True):
        found.setdefault((symbol, reference.kind), reference)
    return found.values()


class _Like(NamedTuple):
    """The references that differ by name only: by that name, with all their other fields. Those of all objects are shared."""

    shared: dict[bytes, Reference]
    rest: tuple[Version | None, bool, ReferenceKind, int, bool, bool, int]
    named: bool

    def add(self, name: bytes) -> Reference:
        """The reference of this name, which `shared` lacks."""
        if not self.named:
            return self.shared.setdefault(b"", _new(Reference, (None, *self.rest)))
        if len(self.shared) > _MOST_SHARED:
            self.shared.clear()
        reference = self.shared[name] = _new(Reference, (decode(name), *self.rest))
        return reference


@lru_cache(maxsize=1 << 12)
def _like(rest: tuple[Version | None, bool, ReferenceKind, int, bool, bool, int], *, named: bool) -> _Like:
    return _Like({}, rest, named)


class LazyReferences(Sequence[Reference]):
    """All references of an object, decoded only when somebody asks for them."""

    def __init__(self, decode_all: Callable[[], tuple[Reference, ...]]) -> None:
        self._decode_all = decode_all
        self._decoded: tuple[Reference, ...] | None = None

    def _all(self) -> tuple[Reference, ...]:
        if self._decoded is None:
            self._decoded = self._decode_all()
        return self._decoded

    @overload
    def __getitem__(self, position: int) -> Reference: ...
    @overload
    def __getitem__(self, position: slice) -> Sequence[Reference]: ...

    def __getitem__(self, position: int | slice) -> Reference | Sequence[Reference]:
        return self._all()[position]

    def __len__(self) -> int:
        return len(self._all())

    def __eq__(self, other: object) -> bool:
        return self._all() == (other._all() if isinstance(other, LazyReferences) else other)

    def __hash__(self) -> int:
        return hash(self._all())

    def __reduce__(self) -> tuple[object, ...]:
        return tuple, (self._all(),)


class ReferenceReader:
    """Makes references from `r_info` values.

    `versym` is there if DT_VERSYM is; `versions` is None if the loader makes no `l_versions`.
    """

    def __init__(
        self,
        machine: Machine,
        symbols: Window,
        strings: Window,
        versym: Window | None,
        versions: Versions | None,
        hash_table: HashTable | None = None,
    ) -> None:
        self.machine = machine
        self.symbols = symbols
        self.strings = strings
        self.versym = versym
        self.versions = versions
        self.hash_table = hash_table
        #: The string table as text, if it is all ASCII: a slice of it is what a name is in the end.
        self.text = strings.raw.decode("ascii") if strings.raw.isascii() else None

    def read(self, image: Image, relocations: Relocations) -> References:
        """The references of an object."""
        if relocations.tables is not None:
            found = self._from_tables(relocations.tables)
            if found is not None:
                return found
        return self._walk(image, relocations)

    def _like(self, kind: int, attributes: int, version: int, *, in_plt: bool) -> _Like:
        """The references of this type with these `st_info` and `st_other` (low and high byte) and this version index."""
        if kind in self.machine.symbolless:
            raise ValueError(kind)
        binding, visibility = attributes >> 4 & 15, attributes >> 8 & 3
        named = binding != STB_LOCAL and visibility not in BINDS_LOCALLY
        wanted = self.version(version) if named else None
        asked = self.machine.kinds.get(kind, "unknown")
        plt_class = kind in self.machine.plt_class
        return _like((wanted, binding == STB_WEAK, asked, kind, plt_class, in_plt, visibility), named=named)

    def _from_tables(self, tables: Tables) -> References | None:
        """The references of tables that need no walking; None where symbols, versions or names do."""
        try:
            demand = read_demand(tables, self)
        except (MemoryAccessError, ValueError):
            return None
        if demand is None:
            return None
        self.text = None  # the names that are shared are at hand now
        return References(LazyReferences(partial(self.pick_all, tables)), demand)

    def version_indices(self, count: int) -> list[int]:
        """The entries of DT_VERSYM of the first `count` symbols, as far as they are at hand; 0 without one."""
        if self.versym is None:
            return [0] * min(count, len(self.symbols.raw))
        return memoryview(self.versym.raw)[: count * 2].cast("H").tolist()

    def version(self, index: int) -> Version | None:
        """The version that an entry of DT_VERSYM (without its top bit) selects."""
        if not index or self.versym is None:
            return None
        if self.versions is None:
            raise MemoryAccessError("SIGSEGV")  # the loader looks into a table that it has not made
        return self.versions.entry(index)

    def pick_all(self, tables: Tables) -> tuple[Reference, ...]:
        """The references of these tables, whose symbols are all at hand, each once."""
        symbolless = self.machine.symbolless
        runs = [
            (in_plt, [info for info in dict.fromkeys(memoryview(infos).cast("Q").tolist()) if info & _MASK32 not in symbolless])
            for in_plt, infos in tables.runs
        ]
        words = memoryview(self.symbols.raw)[: tables.symbols * SYMBOL.size].cast("Q")[::3].tolist()
        return self.pick(runs, words, self.version_indices(tables.symbols))

    def pick(self, runs: Runs, words: list[int], versions: list[int]) -> tuple[Reference, ...]:
        """The references of these runs, given each symbol's first 64 bits and version index."""
        symbols: list[int] = []
        references: list[Reference] = []
        for in_plt, infos in runs:
            symbols += [info >> 32 for info in infos]
            references += self._pick(infos, words, versions, in_plt=in_plt)
        return tuple(_first_of_each(symbols, references))

    def _pick(self, infos: Iterable[int], words: list[int], versions: list[int], *, in_plt: bool) -> list[Reference]:
        """The reference of each `r_info`, given each symbol's first 64 bits and version index.

        This is where the time goes, so it is one plain loop.
        """
        names = self.strings.raw
        find_end = names.index
        likes: dict[int, _Like] = {}
        picked: list[Reference] = []
        for info in infos:
            symbol = info >> 32
            word = words[symbol]
            key = (info & _MASK32) << 32 | word >> 16 & 0xFFFF0000 | versions[symbol]
            like = likes.get(key)
            if like is None:
                like = likes[key] = self._like(info & _MASK32, word >> 32 & 0xFFFF, versions[symbol] & 0x7FFF, in_plt=in_plt)
            start = word & _MASK32
            name = names[start : find_end(0, start)]
            shared = like[0]
            picked.append(shared[name] if name in shared else like.add(name))
        return picked

    def _read(self, info: int, *, in_plt: bool) -> Reference | None:
        """The reference of one relocation, read with care; None for a relocation that refers to nothing."""
        kind, symbol = info & _MASK32, info >> 32
        version = 0 if self.versym is None else self.versym.word16(symbol * 2) & 0x7FFF
        if kind in self.machine.symbolless:
            return None
        word = self.symbols.word64(symbol * SYMBOL.size)
        like = self._like(kind, word >> 32 & 0xFFFF, version, in_plt=in_plt)
        name = self.strings.string(word & _MASK32) if like.named else b""
        return like.shared.get(name) or like.add(name)

    def _walk(self, image: Image, relocations: Relocations) -> References:
        """The references relocation by relocation, up to where the loader dies; that one's own is looked up before."""
        found: dict[tuple[int, str], Reference] = {}
        seen: set[int] = set()
        try:
            for run in relocations.runs:
                for offset, info in walk_run(image, run):
                    kind = info & _MASK32
                    if run.relative:
                        if self.machine.checks_relative and kind not in self.machine.relative:
                            return References(tuple(found.values()), bad_relative_count=True)
                    elif info not in seen:
                        seen.add(info)
                        reference = self._read(info, in_plt=run.in_plt)
                        if reference is not None:
                            found.setdefault((info >> 32, reference.kind), reference)
                    if kind or run.relative:
                        image.write(offset, 8, text=relocations.text)
        except MemoryAccessError as error:
            return References(tuple(found.values()), fault=Fault("relocations", error.signal))
        return References(tuple(found.values()))

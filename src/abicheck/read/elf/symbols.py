"""Dynamic symbols: what a lookup by name finds in an object, decoded only when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from struct import Struct
from typing import TYPE_CHECKING, TypeVar, overload

from abicheck.model.symbols import UNREADABLE, Definition
from abicheck.read.elf.dynamic import decode
from abicheck.read.elf.image import MemoryAccessError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.read.elf.hashes import HashTable
    from abicheck.read.elf.image import Image
    from abicheck.read.elf.versions import Versions
    from abicheck.read.elf.window import Window

_T = TypeVar("_T")

SYMBOL = Struct("<IBBHQQ")
_SHN_UNDEF, _SHN_ABS = 0, 0xFFF1
_STT_TLS = 6
#: NOTYPE, OBJECT, FUNC, COMMON, TLS, GNU_IFUNC: what `check_match` in elf/dl-lookup.c takes for a definition.
_ALLOWED_TYPES = frozenset({0, 1, 2, 5, _STT_TLS, 10})
#: A table that lists more is garbage that leads in circles.
_MOST_SYMBOLS = 1 << 22


class SymbolTables:
    """The tables that describe symbols; `versym` is None unless the loader uses it (`l_versyms`)."""

    __slots__ = ("_seen", "strings", "symbols", "versions", "versym")

    def __init__(self, symbols: Window, strings: Window, versym: Window | None, versions: Versions) -> None:
        self.symbols = symbols
        self.strings = strings
        self.versym = versym
        self.versions = versions
        self._seen: dict[tuple[int, int, bool, int], Definition] = {}

    def on(self, image: Image | None) -> SymbolTables:
        """The same tables, read through `image` where their bytes are not at hand."""
        versym = None if self.versym is None else self.versym.on(image)
        return SymbolTables(self.symbols.on(image), self.strings.on(image), versym, self.versions)

    def require(self) -> None:
        """Raise where symbols or strings are missing: the loader takes both before it looks at the hash table."""
        if self.symbols.address is None or self.strings.address is None:
            raise MemoryAccessError("SIGSEGV")

    def are_whole(self, count: int) -> bool:
        """True if all that describes the first `count` symbols is at hand."""
        names = memoryview(self.symbols.raw)[: count * SYMBOL.size].cast("I")[:: SYMBOL.size // 4]
        return (
            len(names) == count
            and (self.versym is None or len(self.versym.raw) >= count * 2)
            and self.strings.raw.find(b"\0", max(names, default=0)) >= 0
            and all(version.name != UNREADABLE for version in self.versions.table.values())
        )

    def _define(self, info: int, other: int, section: int, version: int) -> Definition:
        key = (info, other, section == _SHN_UNDEF, version)
        found = self._seen.get(key)
        if found is None:
            found = self._seen[key] = Definition(
                version=self.versions.entry(version & 0x7FFF),
                index=version & 0x7FFF,
                hidden=version >= 0x8000,
                binding=info >> 4,
                visibility=other & 3,
                type=info & 0xF,
                undefined=section == _SHN_UNDEF,
            )
        return found

    def definition(self, index: int, name: bytes) -> Definition | None:
        """Symbol `index` if it defines `name` (given with its NUL): the first tests of `check_match`."""
        at, raw, strings = index * SYMBOL.size, self.symbols.raw, self.strings
        if at + SYMBOL.size <= len(raw):
            offset, info, other, section, value, _ = SYMBOL.unpack_from(raw, at)
        else:
            offset, info, other, section, value, _ = SYMBOL.unpack(self.symbols.read(at, SYMBOL.size))
        if not _is_definition(info & 0xF, section, value):
            return None
        if not strings.raw.startswith(name, offset) and not strings.has_string(offset, name):
            return None
        return self._define(info, other, section, 0 if self.versym is None else self.versym.word16(index * 2))

    def defined_name(self, index: int) -> bytes | None:
        """The name of symbol `index` if it is a definition."""
        offset, info, _, section, value, _ = SYMBOL.unpack(self.symbols.read(index * SYMBOL.size, SYMBOL.size))
        return self.strings.string(offset) if _is_definition(info & 0xF, section, value) else None


def _is_definition(kind: int, section: int, value: int) -> bool:
    return (value != 0 or section == _SHN_ABS or kind == _STT_TLS) and kind in _ALLOWED_TYPES


class Definitions(Mapping[str, tuple[Definition, ...]]):
    """The definitions of one object by name, found through its own hash table exactly as the loader finds them.

    Iterating gives the names of all definitions that some lookup can reach.
    """

    __slots__ = ("_found", "_hash", "_ready", "_tables", "is_whole")

    def __init__(self, hash_table: HashTable, tables: SymbolTables, *, whole: bool) -> None:
        self._hash = hash_table
        self._tables = tables
        #: The names and symbols that a lookup needs are all at hand.
        self._ready = whole and tables.symbols.address is not None and tables.strings.address is not None
        #: False where a lookup of any name, defined here or not, may lead the loader astray.
        self.is_whole = whole and hash_table.count is not None
        self._found: dict[str, tuple[Definition, ...]] = {}

    def _look_up(self, name: str) -> tuple[Definition, ...]:
        encoded = name.encode("utf-8", "surrogateescape")
        found: list[Definition] = []
        try:
            if not self._ready:
                self._tables.require()
            for index in self._hash.candidates(encoded):
                definition = self._tables.definition(index, encoded + b"\0")
                if definition is not None:
                    found.append(definition)
        except MemoryAccessError as error:
            found.append(Definition(None, 0, hidden=False, binding=0, visibility=0, type=0, fault=error.signal))
        if not found:
            return ()
        self._found[name] = result = tuple(found)
        return result

    def __getitem__(self, name: str) -> tuple[Definition, ...]:
        found = self.get(name)
        if found is None:
            raise KeyError(name)
        return found

    @overload
    def get(self, name: str, /) -> tuple[Definition, ...] | None: ...
    @overload
    def get(self, name: str, /, default: tuple[Definition, ...] | _T) -> tuple[Definition, ...] | _T: ...

    def get(self, name: str, /, default: object = None) -> object:
        """The definitions of `name` in the order of the chain, `default` where there is none."""
        found = self._found.get(name)
        if found is None:
            found = self._look_up(name)
        return found or default

    def _names(self) -> Iterator[str]:
        try:
            for index in islice(self._hash.indices(), _MOST_SYMBOLS):
                name = self._tables.defined_name(index)
                if name is not None:
                    yield decode(name)
        except MemoryAccessError:
            return  # the loader would die in this table; what comes before is all there is to see

    def __iter__(self) -> Iterator[str]:
        for name in dict.fromkeys(self._names()):
            if name in self:
                yield name

    def __len__(self) -> int:
        return sum(1 for _ in self)


def read_definitions(image: Image, table: HashTable, symbols: SymbolTables) -> Definitions:
    """The definitions behind a hash table, on copies of all bytes that a lookup can come across."""
    count = table.count
    if count is not None and symbols.are_whole(count):
        return Definitions(table.on(None), symbols.on(None), whole=True)
    windows = (table.table, symbols.symbols, symbols.strings, symbols.versym)
    copy = image.frozen(window.address for window in windows if window is not None and window.address is not None)
    return Definitions(table.on(copy), symbols.on(copy), whole=False)

"""What an object's relocations demand of other objects, found at one glance where its tables make sense.

Every relocation has to be judged in its order only where something is missing, or where a table may lead the loader astray
(`abicheck.read.elf.references` does that). For any other object it is enough to know which symbols must be defined somewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from abicheck.model.symbols import BEYOND, UNREADABLE, Demand
from abicheck.read.elf.dynamic import decode
from abicheck.read.elf.symbols import SYMBOL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from abicheck.model.symbols import Version
    from abicheck.read.elf.references import ReferenceReader, Runs
    from abicheck.read.elf.relocations import Tables

STB_LOCAL, STB_WEAK = 0, 2
#: STV_INTERNAL and STV_HIDDEN: the symbol binds locally.
BINDS_LOCALLY = (1, 2)
#: GLOBAL, WEAK and GNU_UNIQUE are found by others; NOTYPE, OBJECT, FUNC, COMMON and GNU_IFUNC define code or data.
_BINDINGS, _DEFINITIONS = (1, 2, 10), (0, 1, 2, 5, 10)
_MASK32 = 0xFFFFFFFF


class _Group(NamedTuple):
    """Symbols that have all but name and address in common: st_shndx, st_other, st_info and the entry of DT_VERSYM."""

    section: int
    visibility: int
    binding: int
    type: int
    version: int
    symbols: list[int]


def read_demand(tables: Tables, reader: ReferenceReader) -> Demand | None:
    """The demand of these relocations; None where symbols or versions need reading with care.

    Raises `MemoryAccessError` or ValueError where a version or a name does.
    """
    count = tables.symbols
    words = memoryview(reader.symbols.raw)[: count * SYMBOL.size].cast("Q")[::3].tolist()
    versions = reader.version_indices(count)
    if len(words) < count or len(versions) < count:
        return None
    ordinary, rest = _split(tables, reader)
    demanded: dict[Version | None, list[str]] = {}
    own: list[_Group] = []
    for group in _groups(ordinary, words, versions):
        binds = group.binding != STB_LOCAL and group.visibility not in BINDS_LOCALLY
        version = reader.version(group.version) if binds else None
        if version == BEYOND:
            return None
        if binds and group.section and _defines(group, reader):
            own.append(group)
            continue
        names = _names(group, words, reader)
        if binds and group.binding != STB_WEAK:
            demanded.setdefault(version, []).extend(names)
    if not _are_settled(own, words, reader):
        for group in own:
            names = _names(group, words, reader)  # of weak ones, too: the loader looks them up, wherever their names lie
            if group.binding != STB_WEAK:
                demanded.setdefault(reader.version(group.version), []).extend(names)
    special = reader.pick(rest, words, versions)
    symbols = {version: frozenset(names) for version, names in demanded.items()}
    return Demand(symbols, special, len(ordinary) + len(special))


def _split(tables: Tables, reader: ReferenceReader) -> tuple[set[int], Runs]:
    """The symbols whose relocations only store an address, and the relocations that do more."""
    usual = {kind for kind, asked in reader.machine.kinds.items() if asked in ("data", "plt")}
    symbols: set[int] = set()
    rest: list[tuple[bool, Iterable[int]]] = []
    for in_plt, infos in tables.runs:
        halves = memoryview(infos).cast("I")
        kinds, named = halves[::2].tolist(), halves[1::2].tolist()
        if usual.issuperset(kinds):
            symbols.update(named)
        else:
            symbols.update([symbol for symbol, kind in zip(named, kinds, strict=True) if kind in usual])
            others = dict.fromkeys(symbol << 32 | kind for symbol, kind in zip(named, kinds, strict=True) if kind not in usual)
            rest.append((in_plt, [info for info in others if info & _MASK32 not in reader.machine.symbolless]))
    return symbols, rest


def _groups(symbols: Iterable[int], words: list[int], versions: list[int]) -> list[_Group]:
    found: dict[int, list[int]] = {}
    for symbol in symbols:
        key = words[symbol] >> 32 << 16 | versions[symbol]
        if key in found:
            found[key].append(symbol)
        else:
            found[key] = [symbol]
    return [
        _Group(key >> 32, key >> 24 & 3, key >> 20 & 15, key >> 16 & 15, key & 0x7FFF, members) for key, members in found.items()
    ]


def _names(group: _Group, words: list[int], reader: ReferenceReader) -> list[str]:
    """The names of a group's symbols; ValueError for one that is not at hand."""
    starts = [words[symbol] & _MASK32 for symbol in group.symbols]
    text = reader.text
    if text is None:
        raw = reader.strings.raw
        return [decode(raw[start : raw.index(0, start)]) for start in starts]
    find_end = text.index
    return [text[start : find_end("\0", start)] for start in starts]


def _defines(group: _Group, reader: ReferenceReader) -> bool:
    """True for symbols that any lookup by their own name and version accepts as definitions."""
    if group.binding not in _BINDINGS or group.type not in _DEFINITIONS:
        return False
    if reader.versym is None or reader.versions is None:
        return reader.versym is None
    own = reader.versions.table.get(group.version)
    return group.version < 2 if own is None else own.hash != 0 and own.file is None and own.name != UNREADABLE


def _are_settled(own: list[_Group], words: list[int], reader: ReferenceReader) -> bool:
    """True if a lookup in the object itself finds all these definitions of its own.

    Each is the very symbol that the references name, so name and version agree; what must be shown is that it has an address
    and that the hash table leads to it.
    """
    table = reader.hash_table
    if table is None or table.count is None:
        return False
    symbols = [symbol for group in own for symbol in group.symbols]
    values = memoryview(reader.symbols.raw)[: len(words) * SYMBOL.size].cast("Q")[1::3]
    if not all(map(values.__getitem__, symbols)):
        return False
    raw, find_end = reader.strings.raw, reader.strings.raw.index
    names = [raw[start : find_end(0, start)] for start in [words[symbol] & _MASK32 for symbol in symbols]]
    return table.leads_to(symbols, names)

"""Writes small shared objects that a real loader accepts, for tests that need one with chosen properties.

    write_elf(soname="libx.so.1", needed=["libc.so.6"],
              symbols=[Symbol("puts", version="GLIBC_2.2.5", file="libc.so.6"), Symbol("answer", defined=True)],
              relocations=[Relocation("jump_slot", "puts")])

What a loader only reads lies in one segment from address 0 on; what it writes to (dynamic section, a slot for each relocation,
variables behind definitions) in a second one on a page of its own. `Elf.layout` tells where each table lies.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tests.elfparts import (
    LOCAL,
    MACHINES,
    PAGE,
    PT_DYNAMIC,
    PT_GNU_STACK,
    PT_INTERP,
    PT_LOAD,
    PT_TLS,
    RELOCATION_TYPES,
    RETURNS,
    TLS,
    NeededVersion,
    Note,
    Relocation,
    Strings,
    Symbol,
    gnu_hash,
    sysv_hash,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@dataclass(kw_only=True)
class Elf:
    """A shared object to be. All fields have harmless defaults; `stack` None leaves PT_GNU_STACK out.

    `hashes` names the hash tables. `dynamic` entries are added, those with a tag in `without` left out; values there, and in
    `relr`, may name a place in `layout`. `headers` are added: (type, flags, offset, vaddr, filesz, memsz, align). With
    `constructor` there is a function at "code", and DT_INIT_ARRAY names it by a pointer at "data", right once it is relocated.
    With `merged` strings share their tails.
    """

    machine: str = "x86_64"
    type: int = 3
    osabi: int = 0
    abi_version: int = 0
    soname: str | None = None
    needed: Sequence[str] = ()
    rpath: str | None = None
    runpath: str | None = None
    symbols: Sequence[Symbol] = ()
    relocations: Sequence[Relocation] = ()
    relr: Sequence[int | str] = ()
    version_definitions: Sequence[str] = ()
    version_needs: Sequence[NeededVersion] = ()
    hashes: Sequence[str] = ("gnu",)
    notes: Sequence[Note] = ()
    interpreter: str | None = None
    stack: int | None = 6
    tls_size: int = 0
    tls_align: int = 8
    bss: int = 0
    align: int = PAGE
    dynamic: Sequence[tuple[int, int | str]] = ()
    without: Iterable[int] = ()
    headers: Sequence[tuple[int, int, int, int, int, int, int]] = ()
    filters: Sequence[str] = ()
    auxiliaries: Sequence[str] = ()
    constructor: bool = False
    merged: bool = False
    layout: dict[str, int] = field(default_factory=dict, init=False)

    @cached_property
    def _strings(self) -> Strings:
        return Strings(merged=self.merged)

    @cached_property
    def ordered(self) -> list[Symbol]:
        """The symbols in the order of the table, without the null symbol: what is hashed comes last, by bucket."""
        hashed = [symbol for symbol in self.symbols if symbol.defined and symbol.binding != LOCAL]
        others = [symbol for symbol in self.symbols if symbol not in hashed]
        others.sort(key=lambda symbol: symbol.binding != LOCAL)
        return others + sorted(hashed, key=lambda symbol: gnu_hash(symbol.name) % self._bucket_count(len(hashed)))

    def index(self, name: str) -> int:
        """The number of the first symbol of this name."""
        return 1 + next(place for place, symbol in enumerate(self.ordered) if symbol.name == name)

    @staticmethod
    def _bucket_count(hashed: int) -> int:
        return max(hashed // 3, 1)

    @cached_property
    def _needs(self) -> dict[str, dict[str, tuple[int, int, int]]]:
        """By file and version name: hash, flags and index."""
        needs: dict[str, dict[str, tuple[int, int, int]]] = {}
        wanted = [NeededVersion(each.file, each.version) for each in self.symbols if each.file and each.version]
        index = 2 + len(self.version_definitions)
        for file, name, weak, hash_ in [*self.version_needs, *wanted]:
            versions = needs.setdefault(file, {})
            if name not in versions:
                versions[name] = (sysv_hash(name) if hash_ is None else hash_, 2 if weak else 0, index)
                index += 1
        return needs

    def _version_index(self, symbol: Symbol) -> int:
        if symbol.version is None:
            return 1 if symbol.defined or symbol.binding != LOCAL else 0
        if symbol.file:
            return self._needs[symbol.file][symbol.version][2]
        return 2 + list(self.version_definitions).index(symbol.version) | (0 if symbol.default else 0x8000)

    def _verneed(self) -> bytes:
        table = b""
        for place, (file, versions) in enumerate(self._needs.items()):
            last = place == len(self._needs) - 1
            table += struct.pack("<HHIII", 1, len(versions), self._strings[file], 16, 0 if last else 16 + 16 * len(versions))
            for number, (name, (hash_, flags, index)) in enumerate(versions.items()):
                following = 0 if number == len(versions) - 1 else 16
                table += struct.pack("<IHHII", hash_, flags, index, self._strings[name], following)
        return table

    def _verdef(self) -> bytes:
        names = [self.soname or "", *self.version_definitions] if self.version_definitions else []
        table = b""
        for place, name in enumerate(names):
            following = 0 if place == len(names) - 1 else 28
            table += struct.pack("<HHHHIII", 1, int(place == 0), place + 1, 1, sysv_hash(name), 20, following)
            table += struct.pack("<II", self._strings[name], 0)
        return table

    def _gnu_hash(self) -> bytes:
        first = 1 + sum(not symbol.defined or symbol.binding == LOCAL for symbol in self.ordered)
        hashes = [gnu_hash(symbol.name) for symbol in self.ordered[first - 1 :]]
        count = self._bucket_count(len(hashes))
        bloom, buckets, chain = 0, [0] * count, []
        for place, value in enumerate(hashes):
            bloom |= 1 << value % 64 | 1 << (value >> 6) % 64
            buckets[value % count] = buckets[value % count] or first + place
            ends = place == len(hashes) - 1 or hashes[place + 1] % count != value % count
            chain.append(value & ~1 | ends)
        return struct.pack(f"<IIIIQ{count}I{len(chain)}I", count, first, 1, 6, bloom, *buckets, *chain)

    def _sysv_hash(self) -> bytes:
        count = self._bucket_count(len(self.ordered))
        buckets, chain = [0] * count, [0] * (1 + len(self.ordered))
        for index, symbol in reversed(list(enumerate(self.ordered, 1))):
            if symbol.defined and symbol.binding != LOCAL:
                bucket = sysv_hash(symbol.name) % count
                chain[index], buckets[bucket] = buckets[bucket], index
        return struct.pack(f"<II{count}I{len(chain)}I", count, len(chain), *buckets, *chain)

    def _symtab(self, data: int) -> bytes:
        table = bytes(24)
        for symbol in self.ordered:
            section = symbol.section if symbol.section is not None else 1 if symbol.defined else 0
            value = symbol.value if symbol.value is not None else data if symbol.defined and symbol.type != TLS else 0
            info = symbol.binding << 4 | symbol.type
            table += struct.pack("<IBBHQQ", self._strings[symbol.name], info, symbol.visibility, section, value, 8)
        return table

    def _rela(self, slots: int) -> tuple[bytes, bytes, int]:
        """DT_RELA, DT_JMPREL and the number of leading RELATIVE ones; each relocation has its own slot from `slots` on."""
        types = RELOCATION_TYPES[self.machine]
        rela, plt, relative = b"", b"", 0
        ordered = sorted(self.relocations, key=lambda each: each.kind != "relative")
        for place, (kind, symbol, offset, addend) in enumerate(ordered):
            number = types[kind] if isinstance(kind, str) else kind
            info = (self.index(symbol) if symbol else 0) << 32 | number
            entry = struct.pack("<QQq", slots + 16 * place if offset is None else offset, info, addend)
            if kind == "jump_slot":
                plt += entry
            else:
                rela += entry
                relative += kind == "relative"
        return rela, plt, relative

    def _late_tables(self, slots: int, data: int) -> dict[str, bytes]:
        """The tables of the first segment whose content depends on addresses."""
        rela, plt, _ = self._rela(slots)
        relr = struct.pack(f"<{len(self.relr)}Q", *map(self._resolve, self.relr))
        return {"dynsym": self._symtab(data), "rela": rela, "jmprel": plt, "relr": relr}

    def _resolve(self, value: int | str) -> int:
        return self.layout.get(value, 0) if isinstance(value, str) else value

    def _read_only(self) -> dict[str, bytes]:
        """The tables of the first segment whose content depends on no address, in their order."""
        tables = {}
        if self.interpreter:
            tables["interpreter"] = self.interpreter.encode() + b"\0"
        for place, note in enumerate(self.notes):
            name = note.name.encode() + b"\0"
            head = struct.pack("<III", len(name), len(note.description), note.type) + name
            head += bytes(-len(head) % note.align) + note.description
            tables[f"note{place}"] = head + bytes(-len(head) % note.align)
        if "gnu" in self.hashes:
            tables["gnu_hash"] = self._gnu_hash()
        if "sysv" in self.hashes:
            tables["hash"] = self._sysv_hash()
        versioned = bool(self._needs or self.version_definitions)
        tables["verneed"], tables["verdef"] = self._verneed(), self._verdef()
        indices = [0, *(self._version_index(symbol) for symbol in self.ordered)]
        tables["versym"] = struct.pack(f"<{len(indices)}H", *indices) if versioned else b""
        tables["code"] = RETURNS[self.machine] if self.constructor else b""
        names = [*self.needed, *self.filters, *self.auxiliaries, self.soname, self.rpath, self.runpath]
        for text in [*names, *(symbol.name for symbol in self.symbols)]:
            _ = self._strings[text or ""]
        tables["dynstr"] = self._strings.data
        return tables

    def build(self) -> bytes:
        """The file."""
        tables = {name: data for name, data in self._read_only().items() if data}
        header_count = 3 + sum(map(bool, (self.interpreter, self.stack is not None, self.tls_size)))
        header_count += len(self.notes) + len(self.headers)
        sizes = {name: len(data) for name, data in {**tables, **self._late_tables(0, 0)}.items() if data}
        at = 64 + 56 * header_count
        for name, size in sizes.items():
            self.layout[name] = at = at + -at % 8
            at += size
        self.layout["dynamic"] = dynamic = (at + PAGE - 1) & -PAGE
        entries = self._dynamic(sizes)
        self.layout["slots"] = slots = dynamic + 16 * len(entries)
        self.layout["data"] = data = slots + 16 * max(len(self.relocations), 1)
        self.layout["end"] = end = data + 64
        tables |= self._late_tables(slots, data)
        content = bytearray(end)
        struct.pack_into("<Q", content, data, self.layout.get("code", 0))
        for name, table in tables.items():
            if table:
                content[self.layout[name] : self.layout[name] + len(table)] = table
        content[dynamic:slots] = b"".join(struct.pack("<QQ", tag, self._resolve(value) & 2**64 - 1) for tag, value in entries)
        headers = self._headers(at, sizes)
        content[:64] = self._header(len(headers))
        for place, (kind, flags, offset, vaddr, filesz, memsz, align) in enumerate(headers):
            struct.pack_into("<IIQQQQQQ", content, 64 + 56 * place, kind, flags, offset, vaddr, vaddr, filesz, memsz, align)
        return bytes(content)

    def _header(self, count: int) -> bytes:
        ident = b"\x7fELF\2\1\1" + bytes([self.osabi, self.abi_version]) + bytes(7)
        return struct.pack("<16sHHIQQQIHHHHHH", ident, self.type, MACHINES[self.machine], 1, 0, 64, 0, 0, 64, 56, count, 64, 0, 0)

    def _headers(self, read_only: int, sizes: Mapping[str, int]) -> list[tuple[int, int, int, int, int, int, int]]:
        dynamic, end = self.layout["dynamic"], self.layout["end"]
        size = self.layout["slots"] - dynamic
        headers = []
        if self.interpreter:
            at = self.layout["interpreter"]
            headers.append((PT_INTERP, 4, at, at, sizes["interpreter"], sizes["interpreter"], 1))
        headers.append((PT_LOAD, 5 if self.constructor else 4, 0, 0, read_only, read_only, self.align))
        headers.append((PT_LOAD, 6, dynamic, dynamic, end - dynamic, end - dynamic + self.bss, self.align))
        headers.append((PT_DYNAMIC, 6, dynamic, dynamic, size, size, 8))
        for place, note in enumerate(self.notes):
            at, length = self.layout[f"note{place}"], sizes[f"note{place}"]
            headers.append((note.segment, 4, at, at, length, length, note.align))
        if self.stack is not None:
            headers.append((PT_GNU_STACK, self.stack, 0, 0, 0, 0, 16))
        if self.tls_size:
            headers.append((PT_TLS, 4, end, end, 0, self.tls_size, self.tls_align))
        return headers + list(self.headers)

    def _dynamic(self, sizes: Mapping[str, int]) -> list[tuple[int, int | str]]:
        strings = self._strings
        entries: list[tuple[int, int | str]] = [(1, strings[name]) for name in self.needed]
        entries += [(0x7FFFFFFF, strings[name]) for name in self.filters]
        entries += [(0x7FFFFFFD, strings[name]) for name in self.auxiliaries]
        texts = {14: self.soname, 15: self.rpath, 29: self.runpath}
        entries += [(tag, strings[text]) for tag, text in texts.items() if text is not None]
        addresses = {"gnu_hash": 0x6FFFFEF5, "hash": 4, "dynstr": 5, "dynsym": 6, "versym": 0x6FFFFFF0}
        entries += [(tag, self.layout[name]) for name, tag in addresses.items() if name in sizes]
        entries += [(10, sizes["dynstr"]), (11, 24)]
        if "rela" in sizes:
            entries += [(7, self.layout["rela"]), (8, sizes["rela"]), (9, 24), (0x6FFFFFF9, self._rela(0)[2])]
        if "jmprel" in sizes:
            entries += [(23, self.layout["jmprel"]), (2, sizes["jmprel"]), (20, 7)]
        if "relr" in sizes:
            entries += [(36, self.layout["relr"]), (35, sizes["relr"]), (37, 8)]
        if self.constructor:
            entries += [(25, "data"), (27, 8)]
        if "verneed" in sizes:
            entries += [(0x6FFFFFFE, self.layout["verneed"]), (0x6FFFFFFF, len(self._needs))]
        if "verdef" in sizes:
            entries += [(0x6FFFFFFC, self.layout["verdef"]), (0x6FFFFFFD, 1 + len(self.version_definitions))]
        return [entry for entry in [*entries, *self.dynamic] if entry[0] not in self.without] + [(0, 0)]


def write_elf(**fields: Any) -> bytes:
    """The bytes of an `Elf` with these fields."""
    return Elf(**fields).build()

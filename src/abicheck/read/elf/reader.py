"""From the bytes of an ELF file to its facts, stage by stage as the loader comes across them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.model.elf import DynamicInfo, Fault, Malformed, Property, SharedObject
from abicheck.read.elf.dynamic import DT_SYMTAB, DT_VERSYM, describe, dynamic_address, read_dynamic, string_table
from abicheck.read.elf.hashes import BloomSizeError, GnuHash, read_hash_table
from abicheck.read.elf.header import (
    PT_INTERP,
    decode_segments,
    is_foreign,
    read_foreign_segments,
    read_header,
    read_segments,
)
from abicheck.read.elf.image import MemoryAccessError
from abicheck.read.elf.machines import MACHINES
from abicheck.read.elf.mapping import map_segments
from abicheck.read.elf.notes import LoaderProperties, read_abi_tag, read_build_id, read_properties
from abicheck.read.elf.references import ReferenceReader, References
from abicheck.read.elf.relocations import apply_relr, read_relocations
from abicheck.read.elf.symbols import SYMBOL, SymbolTables, read_definitions
from abicheck.read.elf.versions import Versions, read_versions
from abicheck.read.elf.window import Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abicheck.model.elf import ElfFile, Header, MalformedReason, Segment
    from abicheck.model.symbols import Definition
    from abicheck.read.elf.dynamic import Dynamic
    from abicheck.read.elf.hashes import HashTable
    from abicheck.read.elf.header import Bytes
    from abicheck.read.elf.mapping import Mapped
    from abicheck.read.elf.relocations import Relocations

_EHDR_SIZE = 64
_PHDR_SIZE = 56
#: 64 bits, little-endian, version 1.
USUAL_IDENT = b"\x7fELF\2\1\1" + bytes(9)
_LONGEST_PATH = 4096


def read(data: Bytes) -> ElfFile:
    """The facts of the file whose content is `data`."""
    size = len(data)
    header = read_header(data)
    if header is None:
        reason: MalformedReason = "too-short" if size < _EHDR_SIZE else "not-elf"
        return Malformed(reason=reason, size=size, beneath=_beneath(data))
    if is_foreign(header):
        foreign = read_foreign_segments(data, header)
        return SharedObject(header=header, size=size, segments=foreign, foreign=True, beneath=_beneath(data))
    segments = read_segments(data, header)
    if isinstance(segments, Malformed):
        return segments
    mapped = map_segments(data, header, segments)
    if mapped is None:
        tag = read_abi_tag(data, segments)  # which is looked at before anything is mapped
        properties = Property(abi_tag=tag.tag, abi_tag_errno=tag.errno)
        interpreter = _interpreter(data, segments)
        return SharedObject(header=header, size=size, segments=segments, interpreter=interpreter, properties=properties)
    return _Facts(mapped, header, segments).collect(data)


def _beneath(data: Bytes) -> SharedObject | None:
    """The facts of a file as one of 64 bits and little-endian, whatever its `e_ident` says, if it has the headers of one."""
    if len(data) < _EHDR_SIZE or int.from_bytes(data[16:18], "little") not in (2, 3) or data[54] != _PHDR_SIZE:
        return None
    facts = read(USUAL_IDENT + data[16:])
    return facts if isinstance(facts, SharedObject) else None


def _interpreter(data: Bytes, segments: tuple[Segment, ...]) -> str | None:
    for segment in segments:
        if segment.type == PT_INTERP:
            name = data[segment.offset : segment.offset + min(segment.filesz, _LONGEST_PATH)]
            return name.split(b"\0")[0].decode("utf-8", "surrogateescape")
    return None


class _Facts:
    """Collects the facts of one mapped object, and the faults that the loader would meet on the way."""

    def __init__(self, mapped: Mapped, header: Header, segments: tuple[Segment, ...]) -> None:
        self._image = mapped.image
        self._phdr_address = mapped.phdr_address
        self._header = header
        self._segments = segments
        self._faults: list[Fault] = [mapped.fault] if mapped.fault else []
        self._bad_bloom = False
        self._info: DynamicInfo | None = None
        self._versions = Versions()
        self._references = References()
        self._definitions: Mapping[str, tuple[Definition, ...]] = {}
        self._older: Mapping[str, tuple[Definition, ...]] | None = None

    def collect(self, data: Bytes) -> SharedObject:
        """All facts."""
        address = dynamic_address(self._segments)
        if address:
            self._read_dynamic(address)
        seen = self._properties(data)
        if self._image.read_execute_only:
            self._faults.append(Fault("execute-only", "SIGSEGV"))
        tag = read_abi_tag(data, self._segments)
        facts = SharedObject(
            header=self._header,
            size=len(data),
            segments=self._segments,
            interpreter=_interpreter(data, self._segments),
            dynamic=self._info,
            properties=Property(*seen, tag.tag, read_build_id(data, self._segments), tag.errno),
            version_needs=tuple(self._versions.needs),
            version_definitions=tuple(self._versions.definitions),
            versions_in_use=self._versions.highest > 0,
            references=self._references.references,
            demand=self._references.demand,
            definitions=self._definitions,
            faults=tuple(self._faults),
            bad_bloom=self._bad_bloom,
            bad_relative_count=self._references.bad_relative_count,
            phdr_address=self._phdr_address,
        )
        if self._older is None:
            return facts
        return facts._replace(older=facts._replace(definitions=self._older, demand=None))

    def _properties(self, data: Bytes) -> LoaderProperties:
        headers = self._segments
        if self._phdr_address is not None:
            size = self._header.phnum * _PHDR_SIZE
            table, signal = self._image.take(self._phdr_address, size)
            if signal:
                self._faults.append(Fault("program-headers", signal))
                return LoaderProperties()
            if table != data[self._header.phoff : self._header.phoff + size]:
                headers = decode_segments(table)
        try:
            read_properties(self._image, self._header.machine, headers, older=True)
        except MemoryAccessError as error:
            self._faults.append(Fault("older-notes", error.signal))
        try:
            return read_properties(self._image, self._header.machine, headers)
        except MemoryAccessError as error:
            self._faults.append(Fault("notes", error.signal))
            return LoaderProperties()

    def _read_dynamic(self, address: int) -> None:
        dynamic, fault = read_dynamic(self._image, address)
        if fault:
            self._faults.append(fault)
            self._info = DynamicInfo()
            return
        write_fault = dynamic.write_fault(self._image)
        if write_fault:
            self._faults.append(write_fault)
        strings = string_table(self._image, dynamic.values)
        self._info, faults = describe(dynamic, strings)
        self._faults += faults
        self._versions = read_versions(self._image, dynamic, strings)
        self._faults += self._versions.faults
        self._read_symbols(dynamic, strings, self._info)

    def _read_symbols(self, dynamic: Dynamic, strings: Window, info: DynamicInfo) -> None:
        values = dynamic.values
        hash_table = self._hash_table(values)
        relocations = self._relocations(values, text=info.textrel)
        count = hash_table.count or 0 if hash_table else 0
        if relocations and relocations.tables:
            count = max(count, relocations.tables.symbols)
        symbols = self._window(values.get(DT_SYMTAB), count * SYMBOL.size)
        versym = self._window(values[DT_VERSYM], count * 2) if DT_VERSYM in values else None
        versions = self._versions if self._versions.highest else None
        if relocations:
            reader = ReferenceReader(relocations.machine, symbols, strings, versym, versions, hash_table)
            self._references = reader.read(self._image, relocations)
            if self._references.fault:
                self._faults.append(self._references.fault)
        if hash_table is not None:
            tables = SymbolTables(symbols, strings, None if versions is None else versym, self._versions)
            self._definitions = read_definitions(self._image, hash_table, tables)
            older = hash_table.older() if isinstance(hash_table, GnuHash) else None
            if older is not None:
                self._older = read_definitions(self._image, older, tables)

    def _hash_table(self, values: Mapping[int, int]) -> HashTable | None:
        try:
            return read_hash_table(self._image, values)
        except MemoryAccessError as error:
            self._faults.append(Fault("hash", error.signal))
        except BloomSizeError:
            self._bad_bloom = True
        return None

    def _relocations(self, values: Mapping[int, int], *, text: bool) -> Relocations | None:
        machine = MACHINES.get(self._header.machine)
        if machine is None:
            return None
        try:
            apply_relr(self._image, values, text=text)
        except MemoryAccessError as error:
            self._faults.append(Fault("relr", error.signal))
        try:
            return read_relocations(self._image, machine, values, text=text)
        except MemoryAccessError as error:
            self._faults.append(Fault("relocations", error.signal))
            return None

    def _window(self, address: int | None, length: int) -> Window:
        raw = None if address is None else self._image.file_slice(address, length)
        return Window(raw or b"", address, self._image)

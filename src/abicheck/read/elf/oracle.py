"""What pyelftools finds in a file, in the terms of our model; for comparison only, it takes a hundred times as long."""

from __future__ import annotations

from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, cast

from elftools.construct.lib.container import Container
from elftools.elf import enums
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerDefSection, GNUVerNeedSection

from abicheck.model.elf import Segment
from abicheck.model.symbols import NeededVersion, VersionDefinition, VersionNeed
from abicheck.read.elf.machines import MACHINES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from mmap import mmap

_P_TYPES = {**enums.ENUM_P_TYPE_BASE, **enums.ENUM_P_TYPE_ARM, **enums.ENUM_P_TYPE_AARCH64, **enums.ENUM_P_TYPE_RISCV}
_PROPERTIES = ("GNU_PROPERTY_X86_ISA_1_NEEDED", "GNU_PROPERTY_X86_FEATURE_1_AND", "GNU_PROPERTY_AARCH64_FEATURE_1_AND")
_LOCAL_VISIBILITIES = ("STV_HIDDEN", "STV_INTERNAL")
_ALLOWED_TYPES = (0, 1, 2, 5, 6, 10)


def _number(value: str | int, names: Mapping[str, int]) -> int:
    return value if isinstance(value, int) else names[value]


class Oracle:
    """One file as pyelftools reads it, by its program headers alone."""

    def __init__(self, data: mmap) -> None:
        self._elf: Any = ELFFile(cast("IO[bytes]", data))
        dynamics = [segment for segment in self._elf.iter_segments() if isinstance(segment, DynamicSegment)]
        self._dynamic: Any = dynamics[-1] if dynamics else None
        self.has_dynamic = bool(dynamics)

    def segments(self) -> list[Segment]:
        """The program headers."""
        fields = ("p_flags", "p_offset", "p_vaddr", "p_filesz", "p_memsz", "p_align")
        return [
            Segment(_number(segment["p_type"], _P_TYPES), *(segment[field] for field in fields))
            for segment in self._elf.iter_segments()
        ]

    @cached_property
    def entries(self) -> list[tuple[int, int]]:
        """Tag and value of each dynamic entry before DT_NULL."""
        tags = [(tag["d_tag"], tag["d_val"]) for tag in self._dynamic.iter_tags()]
        return [(_number(tag, enums.ENUM_D_TAG), value) for tag, value in tags if tag != "DT_NULL"]

    def strings(self, tag: str) -> list[str]:
        """The strings of all entries of `tag`."""
        return [getattr(entry, tag[3:].lower()) for entry in self._dynamic.iter_tags(tag)]

    def _versions(self, kind: type, tag: str) -> Any:
        address, offset = self._dynamic.get_table_offset(tag)
        if address is None:
            return ()
        (count,) = (entry["d_val"] for entry in self._dynamic.iter_tags(tag + "NUM"))
        header = Container(sh_offset=offset, sh_info=count, sh_flags=0, sh_size=0, sh_addralign=0)
        return kind(header, tag, self._elf, self._dynamic._get_stringtable()).iter_versions()  # noqa: SLF001 - it offers no other

    def version_needs(self) -> list[VersionNeed]:
        """DT_VERNEED."""
        return [
            VersionNeed(
                need.name,
                need["vn_version"],
                tuple(NeededVersion(aux.name, aux["vna_hash"], aux["vna_flags"], aux["vna_other"]) for aux in auxiliaries),
            )
            for need, auxiliaries in self._versions(GNUVerNeedSection, "DT_VERNEED")
        ]

    def version_definitions(self) -> list[VersionDefinition]:
        """DT_VERDEF."""
        return [
            VersionDefinition(next(names).name, entry["vd_hash"], entry["vd_ndx"], entry["vd_flags"], entry["vd_version"])
            for entry, names in self._versions(GNUVerDefSection, "DT_VERDEF")
        ]

    @cached_property
    def _symbols(self) -> list[Any]:
        return list(self._dynamic.iter_symbols())

    def _symbol(self, index: int) -> Any:
        return self._symbols[index] if index < len(self._symbols) else self._dynamic.get_symbol(index)

    @cached_property
    def _version_names(self) -> dict[int, str]:
        names = {wanted.index & 0x7FFF: wanted.name for need in self.version_needs() for wanted in need.versions}
        names.update((entry.index & 0x7FFF, entry.name) for entry in self.version_definitions() if not entry.flags & 1)
        return names

    def _version(self, index: int) -> tuple[str | None, bool]:
        """The version of a symbol, and whether it is hidden."""
        _, offset = self._dynamic.get_table_offset("DT_VERSYM")
        if offset is None or not (self.version_needs() or self.version_definitions()):
            return None, False
        self._elf.stream.seek(offset + 2 * index)
        value = int.from_bytes(self._elf.stream.read(2), "little")
        return self._version_names.get(value & 0x7FFF), value >= 0x8000

    def references(self, machine: int) -> Iterator[tuple[str | None, str | None, bool, int, bool]]:
        """Name, version, weakness, type and place of what relocations refer to, each symbol once a kind."""
        known = MACHINES[machine]
        tables = self._dynamic.get_relocation_tables()
        seen = set()
        for table in ("RELA", "JMPREL"):
            for relocation in tables[table].iter_relocations() if table in tables else ():
                kind, index = relocation["r_info_type"], relocation["r_info_sym"]
                key = index, known.kinds.get(kind, "unknown")
                if kind in known.symbolless or key in seen:
                    continue
                seen.add(key)
                symbol = self._symbol(index)
                binding, visibility = symbol["st_info"]["bind"], symbol["st_other"]["visibility"]
                local = binding == "STB_LOCAL" or visibility in _LOCAL_VISIBILITIES
                version = None if local else self._version(index)[0]
                yield None if local else symbol.name, version, binding == "STB_WEAK", kind, table == "JMPREL"

    def definitions(self) -> Iterator[tuple[str, str | None, bool, int, int]]:
        """Name, version, whether hidden, binding and type of what the dynamic symbol table defines."""
        for index, symbol in enumerate(self._symbols):
            binding = _number(symbol["st_info"]["bind"], enums.ENUM_ST_INFO_BIND)
            kind = _number(symbol["st_info"]["type"], enums.ENUM_ST_INFO_TYPE)
            section, value = symbol["st_shndx"], symbol["st_value"]
            defined = value or section == "SHN_ABS" or (kind == 6 and section != "SHN_UNDEF")  # an undefined one is not hashed
            if kind in _ALLOWED_TYPES and defined:
                yield symbol.name, *self._version(index), binding, kind

    def notes(self) -> list[object]:
        """Build-id, ABI tag, and the property masks."""
        build_id = tag = None
        masks = dict.fromkeys(_PROPERTIES, 0)
        for segment in self._elf.iter_segments():
            for note in segment.iter_notes() if segment["p_type"] == "PT_NOTE" else ():
                description = note["n_desc"]
                if (note["n_name"], note["n_type"]) == ("GNU", "NT_GNU_BUILD_ID"):
                    build_id = build_id or description
                elif (note["n_name"], note["n_type"]) == ("GNU", "NT_GNU_ABI_TAG"):
                    system = _number(description["abi_os"], enums.ENUM_NOTE_ABI_TAG_OS)
                    tag = tag or (system, description["abi_major"], description["abi_minor"], description["abi_tiny"])
                elif (note["n_name"], note["n_type"]) == ("GNU", "NT_GNU_PROPERTY_TYPE_0"):
                    masks.update((each["pr_type"], each["pr_data"]) for each in description if each["pr_type"] in masks)
        return [build_id, tag, *masks.values()]

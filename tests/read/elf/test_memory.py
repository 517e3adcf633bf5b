"""The loader reads memory, not the file: what lies where, what can be written, and which signal comes where nothing is.

Every expectation here was met by the loaders of glibc 2.31, 2.36, 2.41 and 2.43.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abicheck.model.elf import DynamicInfo, Malformed
from abicheck.read.elf.header import read_header, read_segments
from abicheck.read.elf.image import MemoryAccessError
from abicheck.read.elf.mapping import map_segments
from tests.elfparts import PAGE, PT_LOAD, PT_PHDR, Relocation
from tests.elfwriter import Elf, write_elf
from tests.read.elf.damage import facts, stages, with_entry, with_header

if TYPE_CHECKING:
    from abicheck.read.elf.image import Image


def _image(data: bytes) -> Image:
    header = read_header(data)
    assert header is not None
    segments = read_segments(data, header)
    assert not isinstance(segments, Malformed)
    mapped = map_segments(data, header, segments)
    assert mapped is not None
    return mapped[0]


def test_an_ordinary_file_has_no_faults(library: Elf) -> None:
    found = facts(library.build())
    assert found.faults == ()
    assert found.phdr_address == 64


def test_file_bytes_zeros_and_holes(library: Elf) -> None:
    data = library.build()
    image, end = _image(data), library.layout["end"]
    assert image.read(0, 4) == b"\x7fELF"
    assert image.read(library.layout["dynamic"], end - library.layout["dynamic"]) == data[library.layout["dynamic"] :]
    assert image.take(end - 8, 5008) == (data[-8:] + bytes(5000), None)
    rest, signal = image.take(end, 1 << 20)
    assert not any(rest)
    assert signal == "SIGSEGV"
    assert image.take(2**64 - 8, 16) == (b"", "SIGSEGV")


def test_zeros_end_with_the_memory_of_the_segment(library: Elf) -> None:
    data, end = library.build(), library.layout["end"]
    number = max(index for index, each in enumerate(facts(data).segments) if each.type == PT_LOAD)
    filesz = facts(data).segments[number].filesz
    image = _image(with_header(data, number, memsz=filesz + 8) + b"what follows in the file")
    assert image.read(end, 24) == bytes(8) + b"lows in the file"


def test_strings_run_across_regions_and_stop_at_the_end(library: Elf) -> None:
    image = _image(library.build()[:-8] + b"endless!")
    assert image.string(library.layout["end"] - 8) == b"endless!"  # the bss behind it begins with a NUL
    with pytest.raises(MemoryAccessError, match="SIGSEGV"):
        image.string(1 << 40)


@pytest.mark.parametrize(
    ("flags", "expected"), [(0, True), (1, False), (2, False), (4, False), (5, False), (6, False), (7, False)]
)
def test_memory_without_any_access_cannot_be_read(library: Elf, flags: int, expected: bool) -> None:  # noqa: FBT001 - a table
    assert ("hash" in stages(with_header(library.build(), 0, flags=flags))) is expected


def test_tables_that_can_only_be_executed_are_read_and_noted(library: Elf) -> None:
    data = library.build()
    noted = facts(with_header(data, 0, flags=1))
    assert stages(with_header(data, 0, flags=1)) == {"execute-only": "SIGSEGV"}
    assert (noted.references, sorted(noted.definitions)) == (facts(data).references, sorted(facts(data).definitions))


@pytest.mark.parametrize("flags", [4, 5])
def test_what_the_loader_writes_must_be_writable(library: Elf, flags: int) -> None:
    assert stages(with_header(library.build(), 1, flags=flags)) == {"dynamic-write": "SIGSEGV", "relocations": "SIGSEGV"}


def test_text_relocations_make_all_segments_writable() -> None:
    elf = Elf(relocations=[Relocation("relative", offset=0x10)])
    assert stages(elf.build()) == {"relocations": "SIGSEGV"}
    assert stages(write_elf(relocations=elf.relocations, dynamic=[(22, 0)])) == {}
    assert stages(write_elf(relocations=elf.relocations, dynamic=[(30, 4)])) == {}
    assert stages(write_elf(relocations=[Relocation("relative", offset=1 << 30)], dynamic=[(22, 0)])) == {
        "relocations": "SIGSEGV"
    }


def test_a_cut_inside_the_last_page_leaves_zeros(library: Elf) -> None:
    data = library.build()
    assert stages(data[:-32]) == {}


def test_a_page_beyond_the_end_of_the_file_is_deadly() -> None:
    elf = Elf(needed=["libc.so.6"])
    data = elf.build()
    assert stages(data[: elf.layout["dynamic"]]) == {"dynamic": "SIGBUS"}


def test_clearing_the_rest_of_a_page_beyond_the_end_of_the_file_is_deadly(library: Elf) -> None:
    data = library.build()
    assert stages(data[: library.layout["dynamic"]]) == {"mapping": "SIGBUS", "dynamic": "SIGBUS"}
    grown = with_header(data, 1, filesz=PAGE + 0x100, memsz=PAGE + 0x200)
    assert stages(grown) == {"mapping": "SIGBUS"}


def test_a_segment_cut_short_in_memory_still_has_its_page(library: Elf) -> None:
    assert stages(with_header(library.build(), 1, memsz=16)) == {}


@pytest.mark.parametrize(
    "fields",
    [{"vaddr": 8}, {"offset": 8}, {"offset": 1 << 63}, {"memsz": 1 << 62}, {"filesz": 1 << 62}, {"type": 0}],
)
def test_what_the_loader_refuses_to_map_has_no_more_facts(fields: dict[str, int]) -> None:
    data = write_elf(needed=["libc.so.6"])
    for number in (0, 1):
        data = with_header(data, number, **fields)
    found = facts(data)
    assert found.dynamic is None
    assert found.faults == ()
    assert len(found.segments) == 4


def test_segments_in_the_wrong_order_cannot_be_mapped() -> None:
    data = bytearray(write_elf())
    data[64:176] = data[120:176] + data[64:120]
    assert facts(bytes(data)).dynamic is None


def test_a_later_segment_covers_an_earlier_one(library: Elf) -> None:
    data = library.build()
    assert facts(with_header(data, 0, memsz=3 * PAGE)).references == facts(data).references
    dynamic, end = library.layout["dynamic"], library.layout["end"]
    again = (PT_LOAD, 6, dynamic, dynamic, end - dynamic, end - dynamic, PAGE)
    assert stages(write_elf(needed=["libc.so.6"], headers=[again])) == {}
    zeros = (PT_LOAD, 6, 0, dynamic, 0, PAGE, PAGE)
    assert facts(write_elf(needed=["libc.so.6"], headers=[zeros])).dynamic == DynamicInfo(has_strtab=False, has_symtab=False)


def test_the_first_segment_may_lie_anywhere(library: Elf) -> None:
    moved = with_header(with_header(library.build(), 0, vaddr=2**64 - 16 * PAGE), 1, vaddr=2**64 - 15 * PAGE)
    moved = with_header(moved, 2, vaddr=2**64 - 15 * PAGE)
    found = facts(moved)
    assert found.dynamic is not None
    assert found.dynamic.tags == (facts(library.build()).dynamic or found.dynamic).tags
    assert {fault.signal for fault in found.faults} == {"SIGSEGV"}  # its tables are where nothing is mapped any more


def test_an_executable_has_no_mapping_around_its_segments(library: Elf) -> None:
    data = bytearray(library.build())
    data[16] = 2
    assert stages(bytes(data)) == {}


@pytest.mark.parametrize(("vaddr", "expected"), [(0, {}), (64, {}), (PAGE, {}), (1 << 47, {"program-headers": "SIGSEGV"})])
def test_program_headers_are_read_again_where_pt_phdr_says(vaddr: int, expected: dict[str, str]) -> None:
    data = write_elf(headers=[(PT_PHDR, 4, 64, vaddr, 56, 56, 8)])
    assert stages(data) == expected
    assert facts(data).phdr_address == (vaddr or 64)


def test_program_headers_outside_the_mapping_are_copied() -> None:
    data = write_elf()
    moved = bytearray(data + data[64 : 64 + 4 * 56])
    moved[32:40] = len(data).to_bytes(8, "little")
    assert facts(bytes(moved)).phdr_address == len(data)  # inside the last page of a segment
    far = bytearray(data + bytes(-len(data) % PAGE) + data[64 : 64 + 4 * 56])
    far[32:40] = (len(far) - 4 * 56).to_bytes(8, "little")
    assert facts(bytes(far)).phdr_address is None


def test_endless_zeros_are_passed_over() -> None:
    elf = Elf(relocations=[Relocation("glob_dat")], bss=1 << 40)
    assert stages(with_entry(elf, 8, 1 << 41)) == {"relocations": "SIGSEGV"}

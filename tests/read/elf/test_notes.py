"""Notes: the properties that the loader sees in memory, and build-id and ABI tag in the file.

What a loader of glibc 2.41 makes of each arrangement was asked with an ISA level that no CPU has.
"""

from __future__ import annotations

import errno
import struct
from typing import TYPE_CHECKING

import pytest

from tests.elfparts import PT_GNU_PROPERTY, PT_NOTE, Note, abi_tag, build_id, gnu_property
from tests.elfwriter import Elf, write_elf
from tests.read.elf.damage import facts, stages, with_header

if TYPE_CHECKING:
    from collections.abc import Sequence

ISA, FEATURES, NEEDED_1, AARCH64 = 0xC0008002, 0xC0000002, 0xB0008000, 0xC0000000
NOWHERE = 1 << 47


def _array(*properties: tuple[int, int]) -> bytes:
    return b"".join(struct.pack("<IIII", kind, 4, value, 0) for kind, value in properties)


def _note(array: bytes, *, align: int = 8, segment: int = PT_NOTE, name: str = "GNU") -> Note:
    return Note(name, 5, array, align, segment)


def test_all_properties() -> None:
    found = facts(write_elf(notes=[gnu_property({ISA: 7, FEATURES: 3, NEEDED_1: 1})])).properties
    assert (found.x86_isa_needed, found.x86_features, found.needed_1, found.aarch64_features) == (7, 3, 1, 0)


def test_aarch64_properties() -> None:
    both = [gnu_property({AARCH64: 5}), gnu_property({AARCH64: 5}, segment=PT_GNU_PROPERTY)]
    assert facts(write_elf(machine="aarch64", notes=both)).properties.aarch64_features == 5
    assert facts(write_elf(machine="aarch64", notes=both[:1])).properties.aarch64_features == 0  # PT_NOTE is not looked at


@pytest.mark.parametrize(
    ("notes", "expected"),
    [
        ([_note(_array((ISA, 9)))], 9),
        ([_note(_array((ISA, 9)), segment=PT_GNU_PROPERTY)], 9),
        ([_note(_array((ISA, 9)), align=4)], 0),
        ([_note(_array((ISA, 9)), align=4, segment=PT_GNU_PROPERTY)], 0),
        ([_note(_array((ISA, 9))), _note(_array((ISA, 1)), segment=PT_GNU_PROPERTY)], 1),
        ([_note(_array((ISA, 1)), segment=PT_GNU_PROPERTY), _note(_array((ISA, 9)))], 1),
        ([_note(_array((FEATURES, 3), (ISA, 9), (FEATURES, 1)))], 9),
        ([_note(_array((ISA + 1, 3), (ISA, 9)))], 0),
        ([_note(_array((ISA, 9)), name="XYZ")], 0),
        ([_note(_array((ISA, 0))), _note(_array((ISA, 9)))], 9),
        ([_note(_array((ISA, 9))), _note(_array((ISA, 0)))], 0),
        ([_note(_array((ISA, 9))), Note("GNU", 3, b"abcd", 8)], 0),
        ([_note(_array((ISA, 0)), segment=PT_GNU_PROPERTY), _note(_array((ISA, 9)), segment=PT_GNU_PROPERTY)], 9),
        ([_note(struct.pack("<IIQ", ISA, 8, 9))], 0),
        ([_note(struct.pack("<IIQ", ISA, 400, 9))], 0),
        ([_note(struct.pack("<I", ISA))], 0),
        ([_note(struct.pack("<III", ISA, 4, 9))], 0),
        ([_note(_array((ISA, 9)) + struct.pack("<III4s", 4, 16, 5, b"GNU") + _array((ISA, 1)))], 9),
        ([_note(b"")], 0),
    ],
)
def test_which_note_counts(notes: Sequence[Note], expected: int) -> None:
    assert facts(write_elf(notes=notes)).properties.x86_isa_needed == expected


def test_two_property_notes_in_one_segment_cancel_each_other() -> None:
    elf = Elf(notes=[gnu_property({ISA: 9}), gnu_property({ISA: 9})])
    data = elf.build()
    size = elf.layout["note1"] - elf.layout["note0"] + 32
    joined = with_header(with_header(data, 3, filesz=size, memsz=size), 4, type=0)
    assert facts(joined).properties.x86_isa_needed == 0


@pytest.mark.parametrize(("size", "expected"), [(12, 0), (13, 9)])
def test_the_size_in_memory_says_where_notes_end(size: int, expected: int) -> None:
    data = write_elf(notes=[gnu_property({ISA: 9})])
    assert facts(with_header(data, 3, memsz=size, filesz=0)).properties.x86_isa_needed == expected


def test_notes_that_are_nowhere() -> None:
    data = write_elf(notes=[gnu_property({ISA: 9})])
    assert stages(with_header(data, 3, vaddr=NOWHERE)) == {"notes": "SIGSEGV", "older-notes": "SIGSEGV"}
    assert stages(with_header(write_elf(notes=[abi_tag(0, 3, 2, 0)]), 3, vaddr=NOWHERE)) == {}  # of alignment 4: not looked at


def test_beside_a_property_segment_only_older_loaders_read_notes() -> None:
    data = write_elf(notes=[gnu_property({ISA: 9}), gnu_property({ISA: 9})._replace(segment=PT_GNU_PROPERTY)])
    assert facts(data).faults == ()
    assert stages(with_header(data, 3, vaddr=NOWHERE)) == {"older-notes": "SIGSEGV"}


def test_other_machines_have_no_properties() -> None:
    data = bytearray(write_elf(notes=[gnu_property({ISA: 9})]))
    data[18] = 243
    assert facts(bytes(data)).properties.x86_isa_needed == 0


def test_build_id_and_abi_tag(library: Elf) -> None:
    found = facts(library.build()).properties
    assert (found.build_id, found.abi_tag, found.abi_tag_errno) == ("0102", (0, 3, 2, 0), None)
    found = facts(write_elf()).properties
    assert (found.build_id, found.abi_tag, found.abi_tag_errno) == (None, None, None)


@pytest.mark.parametrize(
    ("number", "fields", "tag", "error"),
    [
        (3, {"offset": 1 << 20}, None, 0),
        (3, {"offset": 1 << 63}, None, errno.EINVAL),
        (3, {"filesz": 1 << 40}, None, 0),
        (3, {"filesz": 31}, (2, 9, 9, 9), None),
        (3, {"filesz": 2**64 - 1}, (0, 3, 2, 0), None),
        (3, {"type": 0}, (2, 9, 9, 9), None),
        (4, {"offset": 1 << 20}, (0, 3, 2, 0), None),
    ],
)
def test_how_old_loaders_look_for_the_abi_tag(
    number: int, fields: dict[str, int], tag: tuple[int, ...] | None, error: int | None
) -> None:
    data = write_elf(notes=[abi_tag(0, 3, 2, 0), abi_tag(2, 9, 9, 9)])
    found = facts(with_header(data, number, **fields)).properties
    assert (found.abi_tag, found.abi_tag_errno) == (tag, error)


def test_old_loaders_look_for_the_abi_tag_before_they_map_anything() -> None:
    data = with_header(write_elf(notes=[abi_tag(0, 3, 2, 0)]), 3, offset=1 << 20)
    unmappable = with_header(with_header(data, 0, type=0), 1, type=0)
    assert facts(unmappable).properties.abi_tag_errno == 0


def test_a_tag_behind_another_note() -> None:
    elf = Elf(notes=[build_id(bytes(20)), abi_tag(0, 3, 2, 0)])
    data = elf.build()
    size = elf.layout["note1"] - elf.layout["note0"] + 32
    assert facts(with_header(with_header(data, 3, filesz=size), 4, type=0)).properties.abi_tag is None  # padded to 8 in between
    close = Elf(notes=[build_id(bytes(16)), abi_tag(0, 3, 2, 0)])
    data = close.build()
    size = close.layout["note1"] - close.layout["note0"] + 32
    assert facts(with_header(with_header(data, 3, filesz=size), 4, type=0)).properties.abi_tag == (0, 3, 2, 0)

"""Damages a written file: one program header or one dynamic entry changed."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from abicheck.model.elf import SharedObject
from abicheck.read.elf import parse_elf

if TYPE_CHECKING:
    from tests.elfwriter import Elf

_FIELDS = {"type": (0, "I"), "flags": (4, "I"), "offset": (8, "Q"), "vaddr": (16, "Q"), "filesz": (32, "Q"), "memsz": (40, "Q")}
_ABSENT = 0x6FFFF000


def with_header(data: bytes, number: int, **fields: int) -> bytes:
    """`data` with fields of program header `number` changed."""
    changed = bytearray(data)
    for name, value in fields.items():
        offset, form = _FIELDS[name]
        struct.pack_into("<" + form, changed, 64 + 56 * number + offset, value)
    return bytes(changed)


def with_entry(elf: Elf, tag: int, value: int | None) -> bytes:
    """The file with the value of the dynamic entry `tag` changed, or with another tag in its place for None."""
    changed = bytearray(elf.build())
    at = elf.layout["dynamic"]
    while (found := struct.unpack_from("<Q", changed, at)[0]) != tag:
        assert found, "no such entry"
        at += 16
    if value is None:
        struct.pack_into("<Q", changed, at, _ABSENT)
    else:
        struct.pack_into("<Q", changed, at + 8, value % 2**64)
    return bytes(changed)


def with_word(elf: Elf, table: str, offset: int, form: str, value: int) -> bytes:
    """The file with a word of a table changed."""
    changed = bytearray(elf.build())
    struct.pack_into("<" + form, changed, elf.layout[table] + offset, value)
    return bytes(changed)


def facts(data: bytes) -> SharedObject:
    """The facts of a file that the loader maps."""
    found = parse_elf(data)
    assert isinstance(found, SharedObject)
    return found


def stages(data: bytes) -> dict[str, str]:
    """The faults of a file, by stage."""
    return {fault.stage: fault.signal for fault in facts(data).faults}

"""What is decided before the program headers: the header, its refusals, and files that no 64-bit little-endian loader reads."""

from __future__ import annotations

import errno
import struct
from typing import TYPE_CHECKING

import pytest

from abicheck.model.elf import Malformed, SharedObject
from abicheck.read.elf import parse_elf, read_elf
from tests.elfwriter import write_elf

if TYPE_CHECKING:
    from pathlib import Path

    from tests.elfwriter import Elf


def _with(data: bytes, offset: int, form: str, *values: int) -> bytes:
    changed = bytearray(data)
    struct.pack_into("<" + form, changed, offset, *values)
    return bytes(changed)


def test_every_field_is_where_the_loader_reads_it() -> None:
    found = parse_elf(write_elf(osabi=3, abi_version=1))
    assert isinstance(found, SharedObject)
    header = found.header
    assert (header.elf_class, header.data, header.osabi, header.abi_version, header.padding) == (2, 1, 3, 1, bytes(7))
    assert (header.type, header.machine, header.version) == (3, 62, 1)
    assert (header.phoff, header.phentsize, header.phnum) == (64, 56, 4)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "too-short"),
        (b"\x7fELF", "too-short"),
        (bytes(63), "too-short"),
        (b"#!/bin/sh\n" * 10, "not-elf"),
        (bytes(64), "not-elf"),
    ],
)
def test_what_is_no_elf_file(data: bytes, reason: str) -> None:
    assert parse_elf(data) == Malformed(reason=reason, size=len(data))  # type: ignore[arg-type]  # a reason, as mypy cannot know


@pytest.mark.parametrize(
    ("phoff", "phnum", "reason", "number"),
    [
        (1 << 40, 1, "short-program-headers", 0),
        (64, 0xFFFF, "short-program-headers", 0),
        (1 << 63, 1, "bad-program-header-offset", errno.EINVAL),
        (1 << 63, 0, "bad-program-header-offset", errno.EINVAL),
    ],
)
def test_program_headers_that_cannot_be_read(phoff: int, phnum: int, reason: str, number: int) -> None:
    found = parse_elf(_with(_with(write_elf(), 32, "Q", phoff), 56, "H", phnum))
    assert isinstance(found, Malformed)
    assert (found.reason, found.errno) == (reason, number)
    assert found.header is not None
    assert found.header.phnum == phnum


@pytest.mark.parametrize(("phoff", "phnum"), [(1 << 40, 0), (2**64 - 56, 1), (64, 0)])
def test_no_program_headers_to_read(phoff: int, phnum: int) -> None:
    found = parse_elf(_with(_with(write_elf(), 32, "Q", phoff), 56, "H", phnum))
    assert isinstance(found, SharedObject)
    assert found.segments == ()


def test_the_header_is_kept_when_the_rest_is_cut_off(library: Elf) -> None:
    found = parse_elf(library.build()[:64])
    assert isinstance(found, Malformed)
    assert found.header is not None
    assert found.header.machine == 62


@pytest.mark.parametrize("order", ["<", ">"])
def test_32_bit_files(order: str) -> None:
    ident = b"\x7fELF\1" + (b"\1" if order == "<" else b"\2") + b"\1" + bytes(9)
    header = struct.pack(order + "16sHHIIIIIHHHHHH", ident, 3, 40, 1, 0, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    segment = struct.pack(order + "IIIIIIII", 1, 0x1000, 0x2000, 0x2000, 0x10, 0x20, 5, 0x1000)
    found = parse_elf(header + segment + bytes(64))
    assert isinstance(found, SharedObject)
    assert found.foreign
    assert (found.header.machine, found.header.phnum) == (40, 1)
    assert [tuple(each) for each in found.segments] == [(1, 5, 0x1000, 0x2000, 0x10, 0x20, 0x1000)]


def test_big_endian_64_bit_files() -> None:
    ident = b"\x7fELF\2\2\1" + bytes(9)
    header = struct.pack(">16sHHIQQQIHHHHHH", ident, 3, 21, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack(">IIQQQQQQ", 1, 5, 0x1000, 0x2000, 0x2000, 0x10, 0x20, 0x1000)
    found = parse_elf(header + segment)
    assert isinstance(found, SharedObject)
    assert found.foreign
    assert found.header.machine == 21
    assert [tuple(each) for each in found.segments] == [(1, 5, 0x1000, 0x2000, 0x10, 0x20, 0x1000)]


@pytest.mark.parametrize("ident", [(4, 0), (4, 1), (4, 3), (5, 0), (5, 2), (5, 3)])
def test_a_wrong_class_or_byte_order_is_foreign(library: Elf, ident: tuple[int, int]) -> None:
    found = parse_elf(_with(library.build(), ident[0], "B", ident[1]))
    assert isinstance(found, SharedObject)
    assert found.foreign
    assert found.dynamic is None


def test_a_directory_a_device_and_nothing(tmp_path: Path) -> None:
    assert read_elf(str(tmp_path)) == Malformed(reason="is-a-directory", size=0, errno=errno.EISDIR)
    assert read_elf("/dev/null") == Malformed(reason="too-short", size=0)
    (tmp_path / "empty").write_bytes(b"")
    assert read_elf(str(tmp_path / "empty")) == Malformed(reason="too-short", size=0)
    with pytest.raises(FileNotFoundError):
        read_elf(str(tmp_path / "absent"))

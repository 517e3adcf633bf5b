"""Edits of program headers and of the notes that they lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.truth.damage.edits import Edit, put, set_field
from tests.truth.damage.image import (
    PT_DYNAMIC,
    PT_GNU_PROPERTY,
    PT_GNU_RELRO,
    PT_GNU_STACK,
    PT_LOAD,
    PT_NOTE,
    PT_TLS,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tests.truth.damage.image import Image, Segment

PAGE = 0x1000
#: More than any machine has and less than an address space: whether it can be had does not depend on where the oracle runs.
TOO_MUCH = 1 << 46
NAMES = {
    PT_LOAD: "LOAD",
    PT_DYNAMIC: "DYNAMIC",
    PT_NOTE: "NOTE",
    PT_TLS: "TLS",
    PT_GNU_STACK: "GNU_STACK",
    PT_GNU_RELRO: "GNU_RELRO",
    PT_GNU_PROPERTY: "GNU_PROPERTY",
    0x6474E550: "GNU_EH_FRAME",
}
TYPES = (0, PT_LOAD, PT_DYNAMIC, 3, PT_NOTE, 5, 6, PT_TLS, PT_GNU_STACK, PT_GNU_RELRO, PT_GNU_PROPERTY, 0x70000000, 0xFFFFFFFF)
NT_GNU_ABI_TAG, NT_GNU_PROPERTY_TYPE_0 = 1, 5
X86_ISA_1_NEEDED = 0xC0008002


def segments(image: Image, random: Random) -> Iterator[Edit]:
    """Every field of every program header."""
    for number, segment in enumerate(image.segments):
        label = NAMES.get(segment.type, f"{segment.type:#x}")
        if segment.type == PT_LOAD:
            label += f" {[load.position for load in image.of_type(PT_LOAD)].index(segment.position)}"
        for edit in _fields(image, segment, random):
            yield edit._replace(kind=f"{label} {edit.kind}", name=f"{number} {label} {edit.name}")


def _fields(image: Image, segment: Segment, random: Random) -> Iterator[Edit]:
    near = (1, -1, 8, 0x10, -0x10, 0x800, PAGE, -PAGE, 16 * PAGE, random.randrange(1, 256) * 16)
    position = segment.position
    yield from set_field(image, "type", position, "I", TYPES)
    yield from set_field(image, "flags", position + 4, "I", (*range(8), 0x10))
    offsets = (*(segment.offset + step for step in near), 0, image.size, 1 << 40, 1 << 63, -1)
    yield from set_field(image, "offset", position + 8, "Q", offsets)
    yield from set_field(
        image, "vaddr", position + 16, "Q", (*(segment.vaddr + step for step in near), 0, TOO_MUCH, 1 << 62, -PAGE)
    )
    yield from set_field(image, "paddr", position + 24, "Q", (1, -1))
    sizes = (*(segment.filesz + step for step in near), 0, 1, segment.memsz, segment.memsz + 1, image.size, TOO_MUCH, 1 << 63)
    yield from set_field(image, "filesz", position + 32, "Q", sizes)
    sizes = (*(segment.memsz + step for step in near), 0, 1, segment.filesz, segment.filesz - 1, TOO_MUCH, 1 << 62, 1 << 63)
    yield from set_field(image, "memsz", position + 40, "Q", sizes)
    aligns = (0, 1, 2, 3, 0x18, 0x800, PAGE, 2 * PAGE, 0x10000, 0x200000, 1 << 47, 1 << 63, -1)
    yield from set_field(image, "align", position + 48, "Q", aligns)
    for step in (0x10, PAGE, -PAGE, 0x10000):
        both = put(position + 8, "QQ", segment.offset + step, segment.vaddr + step)
        yield Edit("offset and vaddr", f"offset and vaddr {step:+#x}", (both,))
        both = put(position + 32, "QQ", segment.filesz + step, segment.memsz + step)
        yield Edit("filesz and memsz", f"filesz and memsz {step:+#x}", (both,))


def stack(image: Image, _: Random) -> Iterator[Edit]:
    """The executable stack: asked for, not asked for, not mentioned, mentioned twice, and beside a file that fails later."""
    victims = [segment for segment in image.segments if segment.type in {PT_NOTE, 0x6474E550, PT_GNU_RELRO}]
    for segment in image.of_type(PT_GNU_STACK):
        yield from set_field(image, "flags", segment.position + 4, "I", (*range(8), 0xFFFFFFFF))
        yield Edit("missing", "no GNU_STACK", (put(segment.position, "I", 0),))
        yield Edit("missing", "no GNU_STACK, ET_EXEC", (put(segment.position, "I", 0), put(16, "H", 2)))
        for victim in victims:
            for flags in (6, 7):
                again = put(victim.position, "II", PT_GNU_STACK, flags)
                yield Edit("twice", f"another GNU_STACK with flags {flags} at {victim.position:#x}", (again,))
                yield Edit("twice", f"only a GNU_STACK with flags {flags}", (again, put(segment.position, "I", 0)))
        rwx = put(segment.position + 4, "I", 7)
        for entry in image.dynamic:
            if entry.tag in {1, 0x6FFFFFFB}:
                change = put(entry.position + 8, "Q", entry.value + 1 if entry.tag == 1 else 0x48)
                yield Edit("with another fault", f"flags 7 and dynamic entry {entry.tag:#x} changed", (rwx, change))
        yield Edit("with another fault", "flags 7 and no dynamic section", (rwx, *_hide(image, PT_DYNAMIC)))
        yield Edit("with another fault", "flags 7 and no segments", (rwx, *_hide(image, PT_LOAD)))


def _hide(image: Image, kind: int) -> list[tuple[int, bytes]]:
    return [put(segment.position, "I", 0) for segment in image.of_type(kind)]


def tls(image: Image, _: Random) -> Iterator[Edit]:
    """Sizes and alignments of a TLS segment around what fits into the static surplus."""
    for segment in image.of_type(PT_TLS):
        sizes = (
            0,
            1,
            64,
            512,
            1024,
            1280,
            1408,
            1472,
            1536,
            1600,
            1632,
            1648,
            1656,
            1664,
            1665,
            1680,
            1700,
            1792,
            2048,
            4096,
            65536,
        )
        fits = (max(size, segment.filesz) for size in sizes)
        yield from set_field(image, "memsz", segment.position + 40, "Q", fits)
        yield from set_field(image, "align", segment.position + 48, "Q", (0, 1, 4, 16, 32, 64, 128, 256, 512, 1024, 4096, 65536))
        for size in (1024, 1600):
            for align in (32, 64, 256):
                patch = put(segment.position + 40, "QQ", max(size, segment.filesz), align)
                yield Edit("memsz and align", f"memsz {size}, align {align}", (patch,))


def notes(image: Image, random: Random) -> Iterator[Edit]:
    """The ABI tag, the properties (the ISA level needed), and the sizes in a note's own header."""
    for segment in (*image.of_type(PT_NOTE), *image.of_type(PT_GNU_PROPERTY)):
        position, end = segment.offset, segment.offset + segment.filesz
        while position + 12 <= end:
            name, size, kind = image.unpack("III", position)
            body = position + 12 + (name + 3) // 4 * 4
            for index, label in enumerate(("namesz", "descsz", "type")):
                values = (0, 1, 3, 4, 5, 16, random.randrange(1 << 16), 0xFFFFFFFF)
                yield from set_field(image, f"note {label}", position + 4 * index, "I", values)
            yield from set_field(image, "note name", position + 12, "B", (0, 0x58))
            if kind == NT_GNU_ABI_TAG:
                yield from _abi_tag(image, body)
            if kind == NT_GNU_PROPERTY_TYPE_0:
                yield from _properties(image, body, size)
            align = 8 if segment.align == 8 else 4
            position = body + (size + align - 1) // align * align


def _abi_tag(image: Image, body: int) -> Iterator[Edit]:
    for index, label in enumerate(("os", "major", "minor", "patch")):
        yield from set_field(image, f"abi tag {label}", body + 4 * index, "I", (0, 1, 2, 3, 6, 7, 99, 255, 256, 0xFFFFFFFF))


def _properties(image: Image, body: int, size: int) -> Iterator[Edit]:
    position = body
    while position + 8 <= body + size:
        kind, length = image.unpack("II", position)
        for level in range(6):
            patch = put(position, "III", X86_ISA_1_NEEDED, 4, 1 << level)
            yield Edit("isa needed", f"property {kind:#x} to ISA level bit {level}", (patch,))
        yield from set_field(image, "property type", position, "I", (0, 0xC0000002, 0xC0010002, 0xB0008000, 0xFFFFFFFF))
        yield from set_field(image, "property size", position + 4, "I", (0, 3, 5, 8, 1 << 20, 0xFFFFFFFF))
        yield from set_field(image, "property value", position + 8, "I", (0, 1, 2, 3, 0xFFFFFFFF))
        position += 8 + (length + 7) // 8 * 8

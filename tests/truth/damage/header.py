"""Edits of a file's size and of its ELF header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.truth.damage.edits import Edit, put, set_field
from tests.truth.damage.image import PT_DYNAMIC, PT_LOAD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tests.truth.damage.image import Image

PAGE = 0x1000
#: The bytes of e_ident with the values that mean something to a loader, and some that do not.
IDENT = {
    0: (0x7E,),
    1: (0x65,),
    2: (0,),
    3: (0xFF,),
    4: (0, 1, 3),
    5: (0, 2, 3),
    6: (0, 2, 0xFF),
    7: (1, 2, 3, 6, 9, 97, 255),
    8: (1, 2, 3, 4, 5, 255),
    **dict.fromkeys(range(9, 16), (1, 0x80)),
}
#: Name, position and width of each field after e_ident, with values to try beside its old one plus and minus one.
FIELDS: dict[str, tuple[int, str, tuple[int, ...]]] = {
    "e_type": (16, "H", (0, 1, 2, 3, 4, 5, 0xFE00, 0xFF00, 0xFFFF)),
    "e_machine": (18, "H", (0, 3, 8, 40, 62, 183, 243, 258, 0xFFFF)),
    "e_version": (20, "I", (0, 2, 0xFFFFFFFF)),
    "e_entry": (24, "Q", (0, 1, -1)),
    "e_phoff": (32, "Q", (0, 56, 63, 65, 120, PAGE, 1 << 31, 1 << 40, 1 << 63, -1)),
    "e_shoff": (40, "Q", (0, 1, 1 << 40, -1)),
    "e_flags": (48, "I", (1, 0xFFFFFFFF)),
    "e_ehsize": (52, "H", (0, 1, 0xFFFF)),
    "e_phentsize": (54, "H", (0, 32, 55, 57, 112, 0xFFFF)),
    "e_phnum": (56, "H", (0, 1, 2, 3, 15, 16, 17, 100, 1000, 0xFFFF)),
    "e_shentsize": (58, "H", (0, 1, 0xFFFF)),
    "e_shnum": (60, "H", (0, 1, 0xFFFF)),
    "e_shstrndx": (62, "H", (0, 0xFFFF)),
}


def truncation(image: Image, random: Random) -> Iterator[Edit]:
    """Cuts at every place that a loader could notice, and at some that it could not."""
    cuts = {"header": {0, 1, 3, 4, 15, 16, 31, 63, 64, 65}}
    table = image.phoff + 56 * len(image.segments)
    cuts["program headers"] = {image.phoff + 28, image.phoff + 56, table - 56, table - 1, table, table + 1, 831, 832, 833}
    loads = image.of_type(PT_LOAD)
    for number, load in enumerate(loads):
        end = load.offset + load.filesz
        page = end // PAGE * PAGE
        cuts[f"load {number}"] = {
            load.offset,
            load.offset + 1,
            load.offset + load.filesz // 2,
            page - 1,
            page,
            page + 1,
            end - 1,
            end,
        }
    cuts["last page"] = {random.randrange(page, max(end, page + 1)) for _ in range(4)}
    for segment in image.of_type(PT_DYNAMIC):
        cuts["dynamic"] = {segment.offset, segment.offset + segment.filesz // 2, segment.offset + segment.filesz}
    cuts["anywhere"] = {random.randrange(image.size) for _ in range(12)} | {
        random.randrange(0, image.size, PAGE) for _ in range(6)
    }
    cuts["section headers"] = {image.unpack("Q", 40)[0], image.size - 1}
    for kind, sizes in cuts.items():
        for size in sorted(size for size in sizes if 0 <= size < image.size):
            yield Edit(f"cut {kind}", f"{kind} at {size:#x}", size=size)


def ident(image: Image, random: Random) -> Iterator[Edit]:
    """Every byte of e_ident, and OSABI and ABI version together."""
    for byte, values in IDENT.items():
        yield from set_field(image, f"e_ident[{byte}]", byte, "B", (*values, random.randrange(256)))
    for version in range(6):
        yield Edit("osabi 3 and abi version", f"OSABI 3, ABI version {version}", (put(7, "BB", 3, version),))
    for first, second in ((4, 5), (5, 7), (6, 8), (7, 15), (4, 0)):
        yield Edit("two of e_ident", f"e_ident[{first}] and [{second}]", (put(first, "B", 9), put(second, "B", 9)))


def header(image: Image, random: Random) -> Iterator[Edit]:
    """Every field after e_ident, and fields together with the class: the order of the checks shows."""
    for name, (position, form, values) in FIELDS.items():
        old = image.unpack(form, position)[0]
        yield from set_field(image, name, position, form, (*values, old + 1, old - 1, random.getrandbits(16)))
    yield from set_field(image, "e_phoff", 32, "Q", (image.size - 1, image.size, image.size - 56, image.phoff + 56))
    both = {
        "class 32, machine 3": (put(4, "B", 1), put(18, "H", 3)),
        "class 32, data big": (put(4, "BB", 1, 2),),
        "class 32, type 1": (put(4, "B", 1), put(16, "H", 1)),
        "machine 183, type 1": (put(16, "HH", 1, 183),),
        "machine 183, version 2": (put(18, "HI", 183, 2),),
        "machine 183, phentsize 0": (put(18, "H", 183), put(54, "H", 0)),
        "type 2, phnum 0": (put(16, "H", 2), put(56, "H", 0)),
        "type 1, phentsize 0": (put(16, "H", 1), put(54, "H", 0)),
        "version 2, osabi 9": (put(20, "I", 2), put(7, "B", 9)),
    }
    for name, patches in both.items():
        yield Edit("fields together", name, patches)

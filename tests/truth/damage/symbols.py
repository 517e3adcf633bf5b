"""Edits of dynamic symbols, of the relocations that name them and of the hash table that finds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.truth.damage import image as elf
from tests.truth.damage.edits import Edit, put, set_field

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tests.truth.damage.image import Image, Relocation, Symbol

#: Of each group so many are edited.
SOME = 16
STT_GNU_IFUNC, R_X86_64_IRELATIVE, R_AARCH64_IRELATIVE = 10, 37, 1032
EM_X86_64 = 62


def names(image: Image, random: Random) -> Iterator[Edit]:
    """The names of symbols that are wanted and of symbols that are offered."""
    named = {relocation.symbol for relocation in image.relocations}
    groups: dict[str, list[Symbol]] = {"undefined": [], "unreferenced": [], "defined": []}
    for symbol in image.symbols:
        if symbol.name:
            label = "defined" if symbol.section else "undefined" if symbol.number in named else "unreferenced"
            groups[label].append(symbol)
    for label, group in groups.items():
        for symbol in random.sample(group, min(SOME, len(group))):
            text = symbol.name.decode("latin-1")
            where = symbol.name_position + random.randrange(len(symbol.name))
            yield Edit(f"{label} name", f"{text}: byte {where:#x} is z", ((where, b"z"),))
            yield Edit(f"{label} name", f"{text} cut short", ((symbol.name_position + len(symbol.name) - 1, b"\0"),))
            yield Edit(f"{label} name", f"{text} with a byte that is no UTF-8", ((symbol.name_position, b"\xe9"),))
            yield Edit(f"{label} name", f"{text} empty", ((symbol.name_position, b"\0"),))
            other = random.choice(image.symbols)
            for value in (0, other.name_position - image.strings, 1 << 30):
                yield Edit(f"{label} st_name", f"{text}: st_name {value:#x}", (put(symbol.position, "I", value),))


def attributes(image: Image, random: Random) -> Iterator[Edit]:
    """Binding, type, visibility and section of symbols; IFUNC is left out: it would run what the object holds there."""
    groups = {
        "undefined": [symbol for symbol in image.symbols if not symbol.section],
        "defined": [symbol for symbol in image.symbols if symbol.section],
    }
    for label, group in groups.items():
        for symbol in random.sample(group, min(SOME, len(group))):
            if symbol.info & 15 == STT_GNU_IFUNC:
                continue
            infos = [(binding << 4) | (symbol.info & 15) for binding in (0, 1, 2, 3, 10, 13, 15)]
            infos += [(symbol.info & 0xF0) | kind for kind in (0, 1, 2, 3, 4, 5, 6, 7, 13)]
            for edit in (
                *set_field(image, f"{label} st_info", symbol.position + 4, "B", infos),
                *set_field(image, f"{label} st_other", symbol.position + 5, "B", (1, 2, 3, 0x80, 0xFF)),
                *set_field(image, f"{label} st_shndx", symbol.position + 6, "H", (0, 1, 0xFFF1, 0xFFF2, 0xFFFF)),
                *set_field(image, f"{label} st_value", symbol.position + 8, "Q", (0, 0x1000)),
                *set_field(image, f"{label} st_size", symbol.position + 16, "Q", (0, 1 << 20)),
            ):
                yield edit._replace(name=f"{symbol.name.decode('latin-1')} {edit.name}")


def relocations(image: Image, random: Random) -> Iterator[Edit]:
    """Types and symbols of relocations; IRELATIVE is left out: it would run what the object holds there."""
    groups: dict[str, list[Relocation]] = {}
    for relocation in image.relocations:
        groups.setdefault(f"{relocation.table} {'with' if relocation.symbol else 'without'} symbol", []).append(relocation)
    for label, group in groups.items():
        chosen = [*random.sample(group, min(SOME, len(group))), group[0], group[-1]]
        for relocation in chosen:
            for edit in _relocation(image, relocation, random):
                yield edit._replace(kind=f"{label}: {edit.kind}", name=f"{label} at {relocation.position:#x}: {edit.name}")


def _relocation(image: Image, relocation: Relocation, random: Random) -> Iterator[Edit]:
    if image.unpack("H", 18)[0] == EM_X86_64:
        types = [*range(44), 100, 250, 251, 255, 256, 1 << 16, 0xFFFFFFFF]
    else:
        types = [0, 1, 2, 257, 258, 1023, *range(1024, 1034), 0xFFFFFFFF]
    kinds = [kind for kind in types if kind not in {R_X86_64_IRELATIVE, R_AARCH64_IRELATIVE}]
    yield from set_field(image, "type", relocation.position + 8, "I", random.sample(kinds, 12))
    count = len(image.symbols)
    if count:
        others = (0, random.randrange(count), random.randrange(count), count + 100, 1 << 31)
        yield from set_field(image, "symbol", relocation.position + 12, "I", others)


def hashes(image: Image, random: Random) -> Iterator[Edit]:
    """The hash tables: sizes of zero, bloom words, buckets and chains."""
    if image.value(elf.DT_GNU_HASH):
        start = image.offset(image.value(elf.DT_GNU_HASH))
        buckets, first, words, shift = image.unpack("IIII", start)
        yield from set_field(image, "gnu nbuckets", start, "I", (0, 1, buckets + 1, buckets * 2, 1 << 28))
        yield from set_field(image, "gnu symoffset", start + 4, "I", (0, first + 1, first - 1, 1 << 20))
        yield from set_field(image, "gnu bloom words", start + 8, "I", (0, 1, 3, words * 2, 1 << 20))
        yield from set_field(image, "gnu bloom shift", start + 12, "I", (0, shift + 1, 31, 32, 63, 64, 255))
        bloom = start + 16
        yield Edit("gnu bloom", "all bits clear", ((bloom, b"\0" * 8 * words),))
        yield Edit("gnu bloom", "all bits set", ((bloom, b"\xff" * 8 * words),))
        for _ in range(SOME):
            bucket = bloom + 8 * words + 4 * random.randrange(max(buckets, 1))
            yield from set_field(image, "gnu bucket", bucket, "I", (0, 1, image.unpack("I", bucket)[0] + 1, 1 << 20, 1 << 30))
        chain = bloom + 8 * words + 4 * buckets
        for _ in range(SOME):
            entry = chain + 4 * random.randrange(max(len(image.symbols) + 1 - first, 1))
            yield from set_field(image, "gnu chain", entry, "I", (0, 1, image.unpack("I", entry)[0] ^ 1))
    if image.value(elf.DT_HASH):
        start = image.offset(image.value(elf.DT_HASH))
        buckets = image.unpack("I", start)[0]
        yield from set_field(image, "sysv nbucket", start, "I", (0, 1, buckets + 1, 1 << 28))
        for _ in range(SOME):
            bucket = start + 8 + 4 * random.randrange(max(buckets, 1))
            yield from set_field(image, "sysv bucket", bucket, "I", (0, 1, image.unpack("I", bucket)[0] + 1, 1 << 20))

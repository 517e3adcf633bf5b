"""Edits of version needs, version definitions and the version index of symbols."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.truth.damage import image as elf
from tests.truth.damage.edits import Edit, Patch, put, set_field

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tests.truth.damage.image import Aux, Image

WEAK = 2


def elf_hash(name: bytes) -> int:
    """The hash of a version's name, as the System V ABI defines it."""
    value = 0
    for byte in name:
        value = (value << 4) + byte
        value = (value ^ (value & 0xF0000000) >> 24) & 0x0FFFFFFF
    return value


def needs(image: Image, random: Random) -> Iterator[Edit]:
    """Every field of every version need, and names of versions that no library has."""
    files = [(image.unpack("I", need.position + 4)[0], need.file) for need in image.needs]
    names = [image.unpack("I", aux.position + 8)[0] for need in image.needs for aux in need.versions]
    for need in image.needs:
        start, label = need.position, need.file.decode()
        for edit in (
            *set_field(image, "vn_version", start, "H", (0, 2, 3, 0xFFFF)),
            *set_field(image, "vn_cnt", start + 2, "H", (0, len(need.versions) + 1, len(need.versions) - 1)),
            *set_field(image, "vn_file", start + 4, "I", (0, 1, *(file for file, _ in files), *random.sample(names, 1), 1 << 24)),
            *set_field(image, "vn_aux", start + 8, "I", (0, 16, 32, image.unpack("I", start + 8)[0] + 16, 1 << 28)),
            *set_field(image, "vn_next", start + 12, "I", (0, 1, 16, image.unpack("I", start + 12)[0] + 16, 1 << 28)),
        ):
            yield edit._replace(name=f"{label} {edit.name}")
        for aux in need.versions:
            for edit in _aux(image, aux, names):
                yield edit._replace(name=f"{label} {aux.name.decode()} {edit.name}")


def _aux(image: Image, aux: Aux, names: list[int]) -> Iterator[Edit]:
    value, _, other, _, following = image.unpack("IHHII", aux.position)
    yield from set_field(image, "vna_hash", aux.position, "I", (0, value ^ 1, value + 1))
    yield from set_field(image, "vna_flags", aux.position + 4, "H", (1, WEAK, 3, 4, 0xFFFF))
    yield from set_field(
        image, "vna_other", aux.position + 6, "H", (0, 1, other + 1, other - 1, other | 0x8000, 0x7FFF, 0xFFFF, 200)
    )
    yield from set_field(image, "vna_name", aux.position + 8, "I", (0, *names, 1 << 24))
    yield from set_field(image, "vna_next", aux.position + 12, "I", (0, 16, following + 16, 1 << 28))
    for new in _renamed(aux.name):
        text: Patch = (aux.name_position, new)
        yield Edit("version name", f"now {new!r}, hash kept", (text,))
        yield Edit("version name and hash", f"now {new!r}", (text, put(aux.position, "I", elf_hash(new))))
        weak = put(aux.position, "IH", elf_hash(new), WEAK)
        yield Edit("weak version name and hash", f"now {new!r}, weak", (text, weak))


def _renamed(name: bytes) -> list[bytes]:
    new = [b"x" * len(name), name[:-1] + b"9", name[:-1] + b"1"]
    real = (b"GLIBC_2.39", b"GLIBC_2.99", b"GLIBC_2.17", b"GLIBC_PRIVATE", b"GLIBC_2.2.5", b"GLIBC_2.2", b"GCC_3.0")
    return [instead for instead in (*new, *real) if instead != name and len(instead) == len(name)]


def definitions(image: Image, random: Random) -> Iterator[Edit]:
    """Every field of every version definition."""
    for position in image.definitions:
        _, _, index, count, value, aux, following = image.unpack("HHHHIII", position)
        name = image.unpack("I", position + aux)[0]
        label = image.string(image.strings + name).decode()
        for edit in (
            *set_field(image, "vd_version", position, "H", (0, 2, 0xFFFF)),
            *set_field(image, "vd_flags", position + 2, "H", (0, 1, 2, 3, 0xFFFF)),
            *set_field(image, "vd_ndx", position + 4, "H", (0, 1, index + 1, index | 0x8000, 0x7FFF, 300)),
            *set_field(image, "vd_cnt", position + 6, "H", (0, count + 1)),
            *set_field(image, "vd_hash", position + 8, "I", (0, value ^ 1)),
            *set_field(image, "vd_aux", position + 12, "I", (0, aux + 8, 1 << 28)),
            *set_field(image, "vd_next", position + 16, "I", (0, 20, following + 8, 1 << 28)),
            *set_field(image, "vda_name", position + aux, "I", (0, 1, name + 1, 1 << 24)),
        ):
            yield edit._replace(name=f"{label} {edit.name}")
        where = image.strings + name + random.randrange(max(len(label), 1))
        yield Edit("defined version name", f"{label} with an x", ((where, b"x"),))


def indices(image: Image, random: Random) -> Iterator[Edit]:
    """The version index of symbols, one at a time and all at once.

    Indices far beyond the loader's table of versions are left out: where the heap ends decides about them, and not the object.
    """
    if not image.value(elf.DT_VERSYM):
        return
    start = image.offset(image.value(elf.DT_VERSYM))
    count = len(image.symbols)
    undefined = [symbol.number for symbol in image.symbols if not symbol.section]
    defined = [symbol.number for symbol in image.symbols if symbol.section]
    for label, group in (("undefined", undefined), ("defined", defined)):
        for index in random.sample(group, min(12, len(group))):
            old = image.unpack("H", start + 2 * index)[0]
            values = (0, 1, 2, 3, 4, old + 1, old ^ 0x8000, 0x8000, 0x8001, 0x8002, 40, 0x8028, 100)
            for edit in set_field(image, f"versym of {label}", start + 2 * index, "H", values):
                yield edit._replace(name=f"symbol {index} {edit.name}")
        for value in (0, 1, 2, 0x8001, 100):
            patches = tuple(put(start + 2 * index, "H", value) for index in group)
            yield Edit(f"versym of all {label}", f"{label} all {value:#x}", patches)
    yield Edit("versym of all", "all 1", ((start, b"\1\0" * (count + 1)),))

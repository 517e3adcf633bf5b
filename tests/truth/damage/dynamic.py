"""Edits of the dynamic section and of the names that it points to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.truth.damage import image as elf
from tests.truth.damage.edits import Edit, put, set_field

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tests.truth.damage.image import Entry, Image

DT_FLAGS, DT_FLAGS_1, DT_RELACOUNT = 30, 0x6FFFFFFB, 0x6FFFFFF9
#: Entries to add: tag, values. An address among them is that of something harmless in the file, filled in below.
ADDED: dict[str, tuple[int, tuple[int, ...]]] = {
    "DT_SYMBOLIC": (16, (0,)),
    "DT_TEXTREL": (22, (0,)),
    "DT_BIND_NOW": (24, (0,)),
    "DT_FLAGS": (DT_FLAGS, tuple(1 << bit for bit in range(6))),
    "DT_FLAGS_1": (DT_FLAGS_1, tuple(1 << bit for bit in range(32))),
    "DT_RELACOUNT": (DT_RELACOUNT, (0, 1, 1 << 20)),
    "DT_RELENT": (19, (16, 24)),
    "DT_RELAENT": (9, (0, 16, 24)),
    "DT_RELSZ": (18, (0, 24)),
    "DT_PLTREL": (20, (0, 7, 17)),
    "DT_RELRENT": (37, (0, 8, 16)),
    "DT_RELRSZ": (35, (0, 8)),
    "DT_PREINIT_ARRAYSZ": (33, (0, 8)),
    "DT_GNU_PRELINKED": (0x6FFFFDF5, (1,)),
    "DT_X86_64_PLT": (0x70000000, (0, 0x1000)),
    "DT_X86_64_PLTSZ": (0x70000001, (0, 16)),
    "DT_AARCH64_VARIANT_PCS": (0x70000005, (0,)),
    "DT_HIOS": (0x6FFFF000, (1,)),
    "DT_LOPROC": (0x7FFFFFFC, (1,)),
    "unknown": (0x12345678, (1,)),
}
#: Tags whose value is the offset of a name.
NAMED = {
    elf.DT_NEEDED: "DT_NEEDED",
    elf.DT_SONAME: "DT_SONAME",
    elf.DT_RPATH: "DT_RPATH",
    elf.DT_RUNPATH: "DT_RUNPATH",
    0x7FFFFFFD: "DT_AUXILIARY",
    0x7FFFFFFF: "DT_FILTER",
    0x6FFFFEFC: "DT_AUDIT",
}


def dynamic(image: Image, random: Random) -> Iterator[Edit]:
    """Every entry: another tag, another value, gone."""
    tags = sorted({entry.tag for entry in image.dynamic})
    for number, entry in enumerate(image.dynamic):
        label = f"{entry.tag:#x}"
        others = (0, elf.DT_DEBUG, random.choice(tags), random.choice(tags), 0x6FFFFEF0, 0x7FFFFFF0, 1 << 40, -1)
        steps = (1, -1, 4, 8, -8, 16, 24, 0x1000, -0x1000, random.randrange(1 << 12) * 8)
        values = (0, 1, *(entry.value + step for step in steps), 1 << 24, 1 << 40, 1 << 63, -1)
        for edit in set_field(image, f"{label} tag", entry.position, "Q", others):
            yield edit._replace(name=f"entry {number} {edit.name}")
        if entry.tag == elf.DT_NULL:
            continue
        for edit in set_field(image, f"{label} value", entry.position + 8, "Q", values):
            yield edit._replace(name=f"entry {number} {edit.name}")


def added(image: Image, random: Random) -> Iterator[Edit]:
    """Entries that were not there, in the place that the linker left free or that of a harmless one."""
    free = image.spare or [entry.position for entry in image.dynamic if entry.tag in {DT_RELACOUNT, 12, 13, 25, 27}]
    if not free:
        return
    for label, (tag, values) in ADDED.items():
        for value in values:
            yield Edit(f"add {label}", f"{label} {value:#x}", (put(free[0], "QQ", tag, value),))
    for label, tag in (("DT_REL", 17), ("DT_RELR", 36), ("DT_PREINIT_ARRAY", 32), ("DT_PLTGOT", 3), ("DT_VERSYM", elf.DT_VERSYM)):
        for target in (0, image.value(elf.DT_SYMTAB), image.segments[0].vaddr):
            yield Edit(f"add {label}", f"{label} {target:#x}", (put(free[0], "QQ", tag, target),))
    names = [entry.value for entry in image.dynamic if entry.tag in NAMED]
    names += [symbol.name_position - image.strings for symbol in random.sample(image.symbols, min(3, len(image.symbols)))]
    names += [need.versions[0].name_position - image.strings for need in image.needs]
    for tag, label in NAMED.items():
        for name in dict.fromkeys([*names, 0, 1 << 20]):
            yield Edit(f"add {label}", f"{label} string {name:#x}", (put(free[0], "QQ", tag, name),))
    if len(free) > 1:
        for flags in ((1 << 27) | 0x40, 0x41, 0x800):
            two = put(free[0], "QQQQ", DT_FLAGS_1, flags, elf.DT_NEEDED, 1)
            yield Edit("add two", f"DT_FLAGS_1 {flags:#x} and a DT_NEEDED", (two,))


def names(image: Image, random: Random) -> Iterator[Edit]:
    """The strings of DT_NEEDED, DT_SONAME, DT_RPATH and DT_RUNPATH, and the exchange of one such entry for another."""
    entries = [entry for entry in image.dynamic if entry.tag in NAMED]
    for entry in entries:
        label = NAMED[entry.tag]
        for edit in _spelling(image, entry, random):
            yield edit._replace(kind=f"{label} {edit.kind}", name=f"{label} at {entry.position:#x} {edit.name}")
        for tag, other_label in NAMED.items():
            if tag != entry.tag:
                yield Edit(f"{label} to another", f"{label} to {other_label}", (put(entry.position, "Q", tag),))
        for other in entries:
            if other.value != entry.value:
                yield Edit(
                    f"{label} name of another", f"{label} names {other.value:#x}", (put(entry.position + 8, "Q", other.value),)
                )
    needed = [entry for entry in entries if entry.tag == elf.DT_NEEDED]
    for first in needed:
        for second in needed:
            if first.position < second.position:
                swap = (put(first.position + 8, "Q", second.value), put(second.position + 8, "Q", first.value))
                yield Edit("DT_NEEDED order", f"{first.position:#x} and {second.position:#x} swapped", swap)


def _spelling(image: Image, entry: Entry, random: Random) -> Iterator[Edit]:
    start = image.strings + entry.value
    text = image.string(start)
    if not text:
        return
    where = random.randrange(len(text))
    yield Edit("spelling", f"byte {where} is x", ((start + where, b"x"),))
    yield Edit("spelling", "first byte is /", ((start, b"/"),))
    yield Edit("spelling", "a / inside", ((start + len(text) // 2, b"/"),))
    yield Edit("spelling", "a byte that is no UTF-8", ((start + len(text) // 2, b"\xff"),))
    yield Edit("spelling", "a letter of two bytes", ((start, b"\xc3\xa9"),))
    yield Edit("spelling", "a $ at its start", ((start, b"$"),))
    yield Edit("spelling", "a : inside", ((start + len(text) // 2, b":"),))
    yield Edit("spelling", "last byte gone", ((start + len(text) - 1, b"\0"),))
    yield Edit("spelling", "empty", ((start, b"\0"),))
    for new in (b"libm.so.6", b"libc.so.6", b"$LIB/x", b"$ORIGIN", b"${ORIGIN}/", b"$PLATFORM", b"../x", b"libz.so.1", b"./"):
        if len(new) <= len(text):
            yield Edit("another", new.decode(), ((start, new + b"\0" * (len(text) - len(new))),))

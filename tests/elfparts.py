"""The parts of an ELF file to be written by `elfwriter`, and the numbers and hashes that they are made of."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

MACHINES = {"x86_64": 62, "aarch64": 183}
RELOCATION_TYPES: Mapping[str, Mapping[str, int]] = {
    "x86_64": {
        "none": 0, "absolute": 1, "copy": 5, "glob_dat": 6, "jump_slot": 7, "relative": 8, "dtpmod": 16, "dtpoff": 17,
        "tpoff": 18, "tlsdesc": 36, "irelative": 37, "size": 32, "unknown": 200,
    },
    "aarch64": {
        "none": 0, "absolute": 257, "copy": 1024, "glob_dat": 1025, "jump_slot": 1026, "relative": 1027, "dtpmod": 1028,
        "dtpoff": 1029, "tpoff": 1030, "tlsdesc": 1031, "irelative": 1032, "unknown": 2000,
    },
}  # fmt: skip
#: A function that does nothing.
RETURNS: Mapping[str, bytes] = {"x86_64": b"\xc3", "aarch64": b"\xc0\x03\x5f\xd6"}
PAGE = 4096
PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE, PT_PHDR, PT_TLS = 1, 2, 3, 4, 6, 7
PT_GNU_STACK, PT_GNU_PROPERTY = 0x6474E551, 0x6474E553
LOCAL, GLOBAL, WEAK, UNIQUE = 0, 1, 2, 10
NOTYPE, OBJECT, FUNC, TLS = 0, 1, 2, 6
DEFAULT, INTERNAL, HIDDEN, PROTECTED = range(4)


@dataclass(frozen=True)
class Symbol:
    """A dynamic symbol. `file` is where a needed version comes from; `default` tells `@@` from `@`."""

    name: str
    defined: bool = False
    version: str | None = None
    file: str | None = None
    default: bool = True
    binding: int = GLOBAL
    type: int = OBJECT
    visibility: int = DEFAULT
    value: int | None = None
    section: int | None = None


class Relocation(NamedTuple):
    """A relocation of a kind named in `RELOCATION_TYPES`, or numbered. It writes to its own slot unless given an `offset`."""

    kind: str | int
    symbol: str | None = None
    offset: int | None = None
    addend: int = 0


class NeededVersion(NamedTuple):
    """A version that is needed though no symbol bears it, or with a weak flag or a hash of its own."""

    file: str
    name: str
    weak: bool = False
    hash: int | None = None


class Note(NamedTuple):
    """A note segment with one note."""

    name: str
    type: int
    description: bytes
    align: int = 4
    segment: int = PT_NOTE


def build_id(value: bytes) -> Note:
    """A build-id."""
    return Note("GNU", 3, value)


def abi_tag(system: int, major: int, minor: int, patch: int) -> Note:
    """An ABI tag: the kernel that the object wants (system 0 is Linux)."""
    return Note("GNU", 1, struct.pack("<IIII", system, major, minor, patch))


def gnu_property(properties: Mapping[int, int], segment: int = PT_NOTE) -> Note:
    """GNU properties of 32 bits each, ascending by type."""
    array = b"".join(struct.pack("<IIII", kind, 4, value, 0) for kind, value in sorted(properties.items()))
    return Note("GNU", 5, array, 8, segment)


def gnu_hash(name: str) -> int:
    """The hash of DT_GNU_HASH, spelled as its inventor did."""
    value = 5381
    for byte in name.encode():
        value = (value * 33 + byte) % 2**32
    return value


def sysv_hash(name: str) -> int:
    """The hash of DT_HASH and of versions, as the System V ABI spells it."""
    value = 0
    for byte in name.encode():
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ high >> 24) & ~high
    return value


class Strings:
    """A string table that grows as strings are asked for; with `merged` the tail of a longer one serves a shorter one too."""

    def __init__(self, *, merged: bool = False) -> None:
        self.data = b"\0"
        self._merged = merged
        self._offsets = {"": 0}

    def __getitem__(self, text: str) -> int:
        if text not in self._offsets:
            string = text.encode("utf-8", "surrogateescape") + b"\0"
            found = self.data.find(string) if self._merged else -1
            if found < 0:
                found = len(self.data)
                self.data += string
            self._offsets[text] = found
        return self._offsets[text]

"""GNU properties from memory; build-id and ABI tag from the file."""

from __future__ import annotations

import errno
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from abicheck.read.elf.header import BUFFER, MASK, PT_GNU_PROPERTY, PT_NOTE
from abicheck.read.elf.machines import EM_AARCH64, EM_X86_64

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abicheck.model.elf import Segment
    from abicheck.read.elf.header import Bytes
    from abicheck.read.elf.image import Image

_NOTE = Struct("<III")
_PAIR = Struct("<II")
_WORD = Struct("<I")
_TAG = Struct("<IIII")
_NT_ABI_TAG, _NT_BUILD_ID, _NT_PROPERTY = 1, 3, 5
_NEEDED_1, _AARCH64_FEATURES, _X86_FEATURES, _X86_ISA_NEEDED = 0xB0008000, 0xC0000000, 0xC0000002, 0xC0008002
#: The properties that each machine's loader looks for; it stops behind the last of them.
_SOUGHT = {EM_X86_64: (_NEEDED_1, _X86_FEATURES, _X86_ISA_NEEDED), EM_AARCH64: (_AARCH64_FEATURES,)}
#: A segment with more notes than this is garbage.
_MOST_NOTES = 1 << 12


class LoaderProperties(NamedTuple):
    """The property masks that the loader sees, 0 where absent."""

    x86_isa_needed: int = 0
    x86_features: int = 0
    aarch64_features: int = 0
    needed_1: int = 0


class AbiTag(NamedTuple):
    """What `open_verify` of glibc <= 2.35 finds: the tag's four words, or the errno of a note that it cannot read (0: short)."""

    tag: tuple[int, int, int, int] | None = None
    errno: int | None = None


def _next_note(name_size: int, size: int, align: int) -> int:
    """The distance to the next note: ELF_NOTE_NEXT_OFFSET of glibc."""
    desc = (_NOTE.size + name_size + align - 1) & -align
    return (desc + size + align - 1) & -align


def _property_arrays(image: Image, segment: Segment) -> Iterator[tuple[int, int]]:
    """The address and size of each property array of a note segment in memory."""
    at = 0
    for _ in range(_MOST_NOTES):
        if at + _NOTE.size >= segment.memsz:
            return
        name_size, size, kind = image.unpack(_NOTE, segment.vaddr + at)
        if name_size == 4 and kind == _NT_PROPERTY and image.read(segment.vaddr + at + _NOTE.size, 4) == b"GNU\0":
            yield segment.vaddr + at + _NOTE.size + 4, size
        at += _next_note(name_size, size, 8)


class _PropertyReader:
    """Walks property arrays as `_dl_process_pt_gnu_property` and `_dl_process_property_note` (sysdeps/x86/dl-prop.h) do."""

    def __init__(self, image: Image, machine: int, *, older: bool) -> None:
        self._image = image
        self._sought = _SOUGHT[machine]
        self._reads_notes = machine == EM_X86_64
        #: Up to glibc 2.38 x86-64 finds the note of a PT_GNU_PROPERTY and makes nothing of it (commit 4753e92868).
        self._takes_property_segments = not (older and self._reads_notes)
        self._last_type = 0
        #: False until a property note was seen: `lc_property_unknown`.
        self._seen = False
        self.values: dict[int, int] = {}

    def process(self, segment: Segment) -> None:
        """Take in one PT_NOTE or PT_GNU_PROPERTY."""
        if segment.align != 8:
            return
        self._last_type = 0
        if segment.type == PT_GNU_PROPERTY:
            for at, size in _property_arrays(self._image, segment):
                if self._takes_property_segments:
                    self._seen = True
                    self._read_array(at, size, self.values)
                return  # only the first counts
        elif segment.type == PT_NOTE and self._reads_notes and not self._seen:
            self._process_note(segment)

    def _process_note(self, segment: Segment) -> None:
        found: dict[int, int] = {}
        for at, size in _property_arrays(self._image, segment):
            if self._seen:
                return  # an older linker left more than one: none of them counts
            self._seen = True
            if not self._read_array(at, size, found):
                return
        self._seen = True
        self.values.update(found)

    def _read_array(self, at: int, size: int, found: dict[int, int]) -> bool:
        """Put the sought properties of one array into `found`; False where the array is ill-formed."""
        if size < 8 or size % 8:
            return False
        stop = at + size
        while stop - at >= 8:
            kind, data_size = self._image.unpack(_PAIR, at)
            at += 8
            if kind < self._last_type or at + data_size > stop:
                return False
            self._last_type = kind
            if kind in self._sought:
                if data_size != 4:
                    return False
                (value,) = self._image.unpack(_WORD, at)
                if value:
                    found[kind] = value
            if kind >= self._sought[-1]:
                break
            at += (data_size + 7) & -8
        return True


def read_properties(image: Image, machine: int, headers: Sequence[Segment], *, older: bool = False) -> LoaderProperties:
    """The properties that the loader (an `older` one: glibc 2.38) finds through the program headers, which it scans backward."""
    if machine not in _SOUGHT:
        return LoaderProperties()
    reader = _PropertyReader(image, machine, older=older)
    for segment in reversed(headers):
        if segment.type in (PT_NOTE, PT_GNU_PROPERTY):
            reader.process(segment)
    get = reader.values.get
    return LoaderProperties(get(_X86_ISA_NEEDED, 0), get(_X86_FEATURES, 0), get(_AARCH64_FEATURES, 0), get(_NEEDED_1, 0))


def read_abi_tag(data: Bytes, segments: Sequence[Segment]) -> AbiTag:
    """The first .note.ABI-tag as `open_verify` of glibc <= 2.35 (elf/dl-load.c) finds it in the file."""
    buffered = min(BUFFER, len(data))
    for segment in segments:
        size = segment.filesz
        if segment.type != PT_NOTE or size < 32 or segment.align not in (4, 8):
            continue
        if (segment.offset + size & MASK) > buffered:
            if segment.offset >= 2**63:
                return AbiTag(errno=errno.EINVAL)
            if segment.offset + size > len(data):
                return AbiTag(errno=0)
        tag = _abi_tag(data[segment.offset : segment.offset + size], segment.align)
        if tag is not None:
            return AbiTag(tag)
    return AbiTag()


def _abi_tag(notes: bytes, align: int) -> tuple[int, int, int, int] | None:
    at = 0
    while len(notes) - at >= 32:
        name_size, size, kind = _NOTE.unpack_from(notes, at)
        if (name_size, size, kind) == (4, 16, _NT_ABI_TAG) and notes[at + 12 : at + 16] == b"GNU\0":
            system, major, minor, patch = _TAG.unpack_from(notes, at + 16)
            return system, major, minor, patch
        at += _next_note(name_size, size, align)
    return None


def read_build_id(data: Bytes, segments: Sequence[Segment]) -> str | None:
    """The build-id in hexadecimal, from the file's note segments."""
    for segment in segments:
        if segment.type == PT_NOTE and segment.align in (1, 4, 8):
            notes = data[segment.offset : segment.offset + min(segment.filesz, 1 << 16)]
            at = 0
            while at + _NOTE.size <= len(notes):
                name_size, size, kind = _NOTE.unpack_from(notes, at)
                if name_size == 4 and kind == _NT_BUILD_ID and notes[at + 12 : at + 16] == b"GNU\0":
                    return notes[at + 16 : at + 16 + size].hex()
                at += _next_note(name_size, size, max(segment.align, 4))
    return None

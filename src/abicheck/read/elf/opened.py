"""Names of libraries that code opens at run time: what a `.note.dlopen` says, then strings that look like sonames.

Neither is what a loader acts on, so nothing here is a fact of `SharedObject`: ask only about objects that import dlopen or
dlmopen, and take the names for hints. The note: https://uapi-group.org/specifications/specs/elf_dlopen_metadata/
"""

from __future__ import annotations

import mmap
import os
import re
from struct import Struct
from typing import TYPE_CHECKING, Any

from abicheck.model.elf import Malformed
from abicheck.read.elf.dynamic import DT_STRSZ, DT_STRTAB, decode
from abicheck.read.elf.header import PT_DYNAMIC, PT_LOAD, PT_NOTE, is_foreign, read_header, read_segments
from abicheck.read.elf.image import PF_W, PF_X

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abicheck.model.elf import Segment
    from abicheck.read.elf.header import Bytes

_NOTE, _ENTRY = Struct("<III"), Struct("<QQ")
_NOTE_DLOPEN, _OWNER = 0x407C0C0A, b"FDO\0"
#: A whole string of C: names that are parts of messages, of paths or of templates (`lib%s.so`) open nothing as they stand.
_SONAME = re.compile(rb"lib[A-Za-z0-9_+.-]{1,100}?\.so(?:\.[0-9][A-Za-z0-9_.]{0,30})?")
#: The ends of such names are rarer than their beginnings, so they are what is looked for first.
_END_OF_SONAME = re.compile(rb"\.so(?:\.[0-9][A-Za-z0-9_.]{0,30})?(?=\0)")
_LONGEST_SONAME = 140
#: A segment with more notes than this is garbage.
_MOST_NOTES = 1 << 12


def read_opened_names(source: Bytes | str) -> tuple[str, ...]:
    """The names in the file `source` (its content, or its path), each once, the note's first; none in what is no ELF file.

    An OSError of opening or mapping a path is the caller's.
    """
    if isinstance(source, str):
        with open(source, "rb") as file:
            if not os.fstat(file.fileno()).st_size:
                return ()  # nothing that could be mapped
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return read_opened_names(data)
    header = read_header(source)
    if header is None or is_foreign(header):
        return ()
    segments = read_segments(source, header)
    if isinstance(segments, Malformed):
        return ()
    noted = (name for segment in segments if segment.type == PT_NOTE for name in _noted(source, segment))
    return tuple(dict.fromkeys((*noted, *_strings(source, segments))))


def _noted(data: Bytes, segment: Segment) -> Iterator[str]:
    """The sonames of a note segment."""
    import json  # noqa: PLC0415 -- few objects have the note

    notes, at = data[segment.offset : segment.offset + segment.filesz], 0
    for _ in range(_MOST_NOTES):
        if at + _NOTE.size > len(notes):
            return
        name_size, size, kind = _NOTE.unpack_from(notes, at)
        start = at + _NOTE.size + (name_size + 3 & -4)
        if kind == _NOTE_DLOPEN and notes[at + _NOTE.size :][:name_size] == _OWNER:
            try:
                yield from _sonames(json.loads(notes[start : start + size].rstrip(b"\0")))
            except (ValueError, RecursionError):
                return  # what stands there is not the note that the specification describes
        at = start + (size + 3 & -4)


def _sonames(entries: Any) -> Iterator[str]:
    for entry in entries if isinstance(entries, list) else ():
        names = entry.get("soname", ()) if isinstance(entry, dict) else ()
        yield from (name for name in (names if isinstance(names, list) else ()) if isinstance(name, str))


def _strings(data: Bytes, segments: Sequence[Segment]) -> Iterator[str]:
    """The strings of read-only segments, those of the dynamic section left out: they name what is needed, not what is opened."""
    start, end = _string_table(data, segments)
    read_only = [segment for segment in segments if segment.type == PT_LOAD and not segment.flags & PF_W]
    # Where code has a segment of its own (ld -z separate-code), constants lie in one behind it, and code need not be searched.
    constants = [segment for segment in read_only if not segment.flags & PF_X and segment.offset]
    for segment in constants or read_only:
        first = min(segment.offset, len(data))
        for match in _END_OF_SONAME.finditer(data, first, min(first + segment.filesz, len(data))):
            begin = data.rfind(b"\0", max(first, match.start() - _LONGEST_SONAME), match.start()) + 1
            if begin and not start <= begin - segment.offset + segment.vaddr < end:
                name = _SONAME.fullmatch(data, begin, match.end())
                if name is not None:
                    yield decode(name[0])


def _string_table(data: Bytes, segments: Sequence[Segment]) -> tuple[int, int]:
    """From where to where DT_STRTAB lies, as addresses."""
    values: dict[int, int] = {}
    for segment in segments:
        if segment.type == PT_DYNAMIC:
            table = data[segment.offset : segment.offset + segment.filesz]
            values.update(_ENTRY.iter_unpack(table[: len(table) // _ENTRY.size * _ENTRY.size]))
    start = values.get(DT_STRTAB, 0)
    return start, start + values.get(DT_STRSZ, 0)

"""DT_RPATH and DT_RUNPATH that count from the current directory: what they were to say, where that fits into the file."""

from __future__ import annotations

import posixpath
import struct
from typing import TYPE_CHECKING

from abicheck.errors import TargetError
from abicheck.model.repair import Change, Edit

if TYPE_CHECKING:
    from collections.abc import Collection
    from mmap import mmap

    from abicheck.model.elf import SharedObject

_PT_LOAD, _PT_DYNAMIC = 1, 2
_DT_NULL, _DT_STRTAB, _DT_STRSZ, _DT_RPATH, _DT_RUNPATH = 0, 5, 10, 15, 29
_ENTRY = struct.Struct("<QQ")


def path_changes(content: bytearray | mmap, facts: SharedObject, name: str, directories: Collection[str]) -> tuple[Change, ...]:
    """The change of the search path that counts, none where none is needed. Raises `TargetError` where it does not fit.

    The file never grows. Either the entry of the dynamic section is led to a string that is there already, or the string itself
    is shortened, after which everything else must still mean what it meant: linkers let strings share their tails.
    """
    info = facts.dynamic
    tag, old = (_DT_RPATH, info.rpath) if info and info.runpath is None else (_DT_RUNPATH, info and info.runpath)
    wanted = old and _wanted(old, posixpath.dirname(name), directories)
    if not old or not wanted or wanted == old:
        return ()
    encoded, text = (each.encode("utf-8", "surrogateescape") for each in (old, wanted))
    try:
        entry, table, size = _places(content, facts, tag)
        (start,) = struct.unpack_from("<Q", content, entry)
        edit = _edit(content, (entry, table, size), table + start, encoded, text)
    except (struct.error, LookupError):
        raise TargetError(f"the strings of {name} do not lie in the file as its dynamic section says; build it anew") from None
    if edit is None:
        raise TargetError(f"the search path of {name} is {old!r}, and {wanted!r} does not fit there; use patchelf --set-rpath")
    kind = "DT_RPATH" if tag == _DT_RPATH else "DT_RUNPATH"
    return (Change(name, "relative-rpath", edit, f"{kind} {old} → {wanted}"),)


def _wanted(path: str, here: str, directories: Collection[str]) -> str:
    """The search path with each relative entry as it was meant: from site-packages on or from the object on; else left out."""
    entries = []
    for entry in path.split(":"):
        if entry.startswith(("/", "$ORIGIN", "${ORIGIN}")):
            entries.append(entry)
            continue
        meant = (posixpath.normpath(entry), posixpath.normpath(posixpath.join(here, entry))) if entry else ()
        found = next((each for each in meant if each in directories), None)
        if found is not None:
            relative = posixpath.relpath(found, here or ".")
            entries.append("$ORIGIN" if relative == "." else f"$ORIGIN/{relative}")
    # An empty path meant the current directory, too, to older glibc (elf/dl-load.c, fillin_rpath).
    return ":".join(dict.fromkeys(entries)) or "$ORIGIN"


def _places(content: bytearray | mmap, facts: SharedObject, tag: int) -> tuple[int, int, int]:
    """Where in the file the value of the last entry with this tag stands, and the string table, and how long that is."""
    segment = facts.segment(_PT_DYNAMIC)
    assert segment is not None
    start = _offset(facts, segment.vaddr)
    values: dict[int, tuple[int, int]] = {}
    for at in range(start, len(content), _ENTRY.size):
        kind, value = _ENTRY.unpack_from(content, at)
        if kind == _DT_NULL:
            break
        values[kind] = at + 8, value
    return values[tag][0], _offset(facts, values[_DT_STRTAB][1]), values[_DT_STRSZ][1]


def _offset(facts: SharedObject, address: int) -> int:
    """Where in the file that lies which the loader maps to `address`. Raises `LookupError`."""
    for each in reversed(facts.segments):  # of two that overlap, the later one is what is seen
        if each.type == _PT_LOAD and each.vaddr <= address < each.vaddr + each.filesz:
            return address - each.vaddr + each.offset
    raise LookupError(address)


def _edit(content: bytearray | mmap, places: tuple[int, int, int], at: int, old: bytes, new: bytes) -> Edit | None:
    entry, table, size = places
    if content[at : at + len(old) + 1] != old + b"\0":
        raise LookupError(at)
    known = content.find(new + b"\0", table, table + size)
    if known >= 0:
        return _least(Edit(entry, bytes(content[entry : entry + 8]), struct.pack("<Q", known - table)))
    return _least(Edit(at, old, new.ljust(len(old), b"\0"))) if len(new) <= len(old) else None


def _least(edit: Edit) -> Edit:
    """The same edit of no more bytes than differ."""
    differing = [at for at, (old, new) in enumerate(zip(edit.old, edit.new, strict=True)) if old != new]
    first, end = differing[0], differing[-1] + 1
    return Edit(edit.offset + first, edit.old[first:end], edit.new[first:end])

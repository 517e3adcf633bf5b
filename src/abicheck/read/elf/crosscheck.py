"""Compares our facts of a file with what pyelftools, an independent reader, finds in it."""

from __future__ import annotations

import mmap
from collections import Counter
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from abicheck.model.elf import SharedObject
from abicheck.read.elf import parse_elf
from abicheck.read.elf.oracle import Oracle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from abicheck.model.symbols import Version

#: Where a 64-bit ELF header tells of section headers: e_shoff, then e_shnum and e_shstrndx.
_SECTION_HEADER_FIELDS = (slice(40, 48), slice(60, 64))


def cross_check(path: str) -> list[str]:
    """The differences between both readers, each as a sentence; none for a file that a loader refuses at its header."""
    with Path(path).open("rb") as file:
        if not file.read(1):
            return []
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) as data:
            ours = parse_elf(data)
            if not isinstance(ours, SharedObject) or ours.foreign:
                return []
            for field in _SECTION_HEADER_FIELDS:
                data[field] = bytes(field.stop - field.start)  # section headers may lie: the oracle gets none either
            try:
                return list(_compare(ours, Oracle(data)))
            except Exception as error:  # noqa: BLE001 - on damaged files pyelftools fails in any way
                return [f"pyelftools cannot read it: {type(error).__name__}: {error}"]


def _compare(ours: SharedObject, oracle: Oracle) -> Iterator[str]:
    yield from _differences("program headers", ours.segments, oracle.segments())
    properties = ours.properties
    notes = [properties.build_id, properties.abi_tag, properties.x86_isa_needed, properties.x86_features]
    yield from _differences("notes", [*notes, properties.aarch64_features], oracle.notes())
    info = ours.dynamic
    yield from _differences("dynamic section", [info is not None], [oracle.has_dynamic])
    if info is None or not oracle.has_dynamic:
        return
    yield from _differences("dynamic tags", info.tags, [tag for tag, _ in oracle.entries])
    yield from _differences("DT_NEEDED", info.needed, oracle.strings("DT_NEEDED"))
    yield from _differences("DT_SONAME", [info.soname], oracle.strings("DT_SONAME")[-1:] or [None])
    yield from _differences("DT_RPATH", [info.rpath], oracle.strings("DT_RPATH")[-1:] or [None])
    yield from _differences("DT_RUNPATH", [info.runpath], oracle.strings("DT_RUNPATH")[-1:] or [None])
    yield from _differences("version needs", ours.version_needs, oracle.version_needs())
    yield from _differences("version definitions", ours.version_definitions, oracle.version_definitions())
    references = [(each.name, _label(each.version), each.weak, each.type, each.in_plt) for each in ours.references]
    yield from _differences("references", references, oracle.references(ours.header.machine))
    definitions = Counter(
        (name, _label(each.version), each.hidden, each.binding, each.type)
        for name, found in ours.definitions.items()
        for each in found
    )
    theirs = Counter(oracle.definitions())
    yield from _differences("definitions", sorted((definitions - theirs).items()), sorted((theirs - definitions).items()))


def _label(version: Version | None) -> str | None:
    return None if version is None else version.name


def _differences(what: str, ours: Iterable[object], theirs: Iterable[object]) -> Iterator[str]:
    """At most one sentence: the first place where two sequences differ."""
    for place, (mine, other) in enumerate(zip_longest(ours, theirs)):
        if mine != other:
            yield f"{what}: number {place} is {mine!r} for us, {other!r} for pyelftools."
            return

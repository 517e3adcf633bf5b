"""Which edits of an object are made: some of each family and of each kind in it, the same for the same seed."""

from __future__ import annotations

import struct
from random import Random
from typing import TYPE_CHECKING

from tests.truth.damage import dynamic, header, segments, symbols, versions
from tests.truth.damage.image import Image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.truth.damage.edits import Edit

FAMILIES: dict[str, Callable[[Image, Random], Iterator[Edit]]] = {
    "truncation": header.truncation,
    "ident": header.ident,
    "header": header.header,
    "segments": segments.segments,
    "stack": segments.stack,
    "tls": segments.tls,
    "notes": segments.notes,
    "dynamic": dynamic.dynamic,
    "dynamic-added": dynamic.added,
    "names": dynamic.names,
    "version-needs": versions.needs,
    "version-definitions": versions.definitions,
    "version-indices": versions.indices,
    "symbol-names": symbols.names,
    "symbol-attributes": symbols.attributes,
    "relocations": symbols.relocations,
    "hash-tables": symbols.hashes,
}


def edits(data: bytes, family: str, random: Random) -> list[Edit]:
    """Every edit of one family that changes `data`; what the file has no place for is left out."""
    image = Image(data)
    found = list(FAMILIES[family](image, random))
    return [edit for edit in found if edit.size is not None or any(data[at : at + len(new)] != new for at, new in edit.patches)]


def sample(data: bytes, family: str, count: int, seed: str) -> list[Edit]:
    """Up to `count` edits of one family, taken from its kinds in turn."""
    random = Random(f"{seed} {family}")  # reproducible, not secret
    kinds: dict[str, list[Edit]] = {}
    for edit in edits(data, family, random):
        kinds.setdefault(edit.kind, []).append(edit)
    order = list(kinds.values())
    for group in order:
        random.shuffle(group)
    random.shuffle(order)
    chosen: list[Edit] = []
    while len(chosen) < count and any(order):
        chosen += [group.pop() for group in order if group]
    return chosen[:count]


def is_sound(data: bytes) -> bool:
    """Whether every table of the file can be read, so that it can be edited."""
    image = Image(data)
    try:
        return bool(image.dynamic and image.segments and image.strings) and bool(
            image.symbols or image.relocations or image.needs
        )
    except (ValueError, struct.error, IndexError):
        return False

"""What an edit is: a named change of a few bytes, or a cut."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.truth.damage.image import Image

Patch: TypeAlias = tuple[int, bytes]


class Edit(NamedTuple):
    """Bytes to write over those of the file, and the size to cut it to (None: all of it).

    `kind` names what is edited within the family; the sample of a corpus takes some of each kind.
    """

    kind: str
    name: str
    patches: tuple[Patch, ...] = ()
    size: int | None = None

    def apply(self, data: bytes) -> bytes:
        """`data` after this edit."""
        changed = bytearray(data)
        for position, new in self.patches:
            changed[position : position + len(new)] = new
        return bytes(changed[: self.size])


def put(position: int, form: str, *values: int) -> Patch:
    """The patch that writes `values` at `position`, each cut to its width."""
    packed = b"".join(
        struct.pack("<" + code, value & ((1 << 8 * struct.calcsize("<" + code)) - 1))
        for code, value in zip(form, values, strict=True)
    )
    return position, packed


def set_field(image: Image, kind: str, position: int, form: str, values: Iterable[int]) -> Iterator[Edit]:
    """One edit for each of `values` that is not there already, in the field `kind` at `position`."""
    mask = (1 << 8 * struct.calcsize("<" + form)) - 1
    old = image.unpack(form, position)[0]
    for value in sorted({value & mask for value in values} - {old}):
        yield Edit(kind, f"{kind}={value:#x}", (put(position, form, value),))

"""A table in memory: its bytes at hand where they come straight from the file, the rest through the image."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from abicheck.read.elf.header import MASK
from abicheck.read.elf.image import MemoryAccessError

if TYPE_CHECKING:
    from abicheck.read.elf.image import Image

_WORD16, _WORD32, _WORD64 = Struct("<H"), Struct("<I"), Struct("<Q")


class Window:
    """Reads by offset from a table's start; what `raw` does not hold is read from `image`, or is deadly without one."""

    __slots__ = ("_image", "address", "raw")

    def __init__(self, raw: bytes, address: int | None, image: Image | None) -> None:
        self.raw = raw
        self.address = address
        self._image = image

    def on(self, image: Image | None) -> Window:
        """The same table, read through another image."""
        return Window(self.raw, self.address, image)

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes at `offset`."""
        if 0 <= offset <= len(self.raw) - length:
            return self.raw[offset : offset + length]
        if self._image is None or self.address is None:
            raise MemoryAccessError("SIGSEGV")
        return self._image.read(self.address + offset & MASK, length)

    def word16(self, offset: int) -> int:
        """The 16-bit word at `offset`."""
        if 0 <= offset <= len(self.raw) - 2:
            return int(_WORD16.unpack_from(self.raw, offset)[0])
        return int(_WORD16.unpack(self.read(offset, 2))[0])

    def word32(self, offset: int) -> int:
        """The 32-bit word at `offset`."""
        if 0 <= offset <= len(self.raw) - 4:
            return int(_WORD32.unpack_from(self.raw, offset)[0])
        return int(_WORD32.unpack(self.read(offset, 4))[0])

    def word64(self, offset: int) -> int:
        """The 64-bit word at `offset`."""
        if 0 <= offset <= len(self.raw) - 8:
            return int(_WORD64.unpack_from(self.raw, offset)[0])
        return int(_WORD64.unpack(self.read(offset, 8))[0])

    def has_string(self, offset: int, string: bytes) -> bool:
        """True if `string`, its NUL included, stands at `offset`; like strcmp it reads no further than the first difference."""
        if offset + len(string) <= len(self.raw):
            return self.raw.startswith(string, offset)
        return all(self.read(offset + index, 1)[0] == byte for index, byte in enumerate(string))

    def string(self, offset: int) -> bytes:
        """The bytes from `offset` up to the first NUL."""
        end = self.raw.find(b"\0", offset)
        if end >= 0:
            return self.raw[offset:end]
        if self._image is None or self.address is None:
            raise MemoryAccessError("SIGSEGV")
        return self._image.string(self.address + offset & MASK)

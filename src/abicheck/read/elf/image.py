"""The memory of a mapped object: what the loader finds at an address, or the signal that kills it there."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from abicheck.read.elf.header import MASK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from struct import Struct

    from abicheck.model.symbols import Signal
    from abicheck.read.elf.header import Bytes

PF_W = 2
#: Memory that can be written can be read too; what can only be executed is readable unless the CPU has protection keys.
_READABLE, _EXECUTE_ONLY = 7, 1
#: No name is longer; where no NUL comes, reading on would only take time.
_LONGEST_STRING = 1 << 20


class MemoryAccessError(Exception):
    """The loader would die of `signal` here."""

    def __init__(self, signal: Signal) -> None:
        super().__init__(signal)
        self.signal: Signal = signal


class Region(NamedTuple):
    """A stretch of memory of one kind; `start` and `end` count from the image's base and may be negative.

    `content` is the file offset of `start`, or one of the negative marks below. `access` holds PF_* bits.
    """

    start: int
    end: int
    access: int
    content: int


#: Marks for `Region.content`: zero-filled · whole pages beyond the end of the file (SIGBUS).
ZERO, BEYOND = -1, -2


class Image:
    """The address space of one object, by regions in ascending order, over the bytes of its file.

    Addresses are virtual addresses as the file spells them (modulo 2**64); the load address is left out everywhere.
    """

    __slots__ = ("_base", "_data", "_regions", "_starts", "read_execute_only")

    def __init__(self, data: Bytes, base: int, regions: list[Region]) -> None:
        self._data = data
        self._base = base
        self._regions = regions
        self._starts = [region.start for region in regions]
        #: Whether anything was read that can only be executed.
        self.read_execute_only = False

    def _relative(self, address: int) -> int:
        distance = (address - self._base) & MASK
        return distance - 2**64 if distance >> 63 else distance

    def _region(self, at: int) -> Region | None:
        index = bisect_right(self._starts, at) - 1
        if index >= 0:
            region = self._regions[index]
            if at < region.end:
                return region
        return None

    def file_slice(self, address: int, length: int) -> bytes | None:
        """The bytes at `address` if all of them come straight from the file, else None: the ordinary case, at one glance."""
        at = self._relative(address)
        region = self._region(at)
        if region is None or region.content < 0 or at + length > region.end or region.access <= _EXECUTE_ONLY:
            return None
        offset = region.content + at - region.start
        return self._data[offset : offset + length]

    def take(self, address: int, length: int) -> tuple[bytes, Signal | None]:
        """Up to `length` bytes from `address`, and the signal that comes before all of them are read."""
        at = self._relative(address)
        pieces: list[bytes] = []
        signal: Signal | None = None
        while length > 0:
            region = self._region(at)
            if region is None or not region.access & _READABLE:
                signal = "SIGSEGV"
                break
            if region.content == BEYOND:
                signal = "SIGBUS"
                break
            self.read_execute_only |= region.access == _EXECUTE_ONLY
            count = min(length, region.end - at)
            if region.content == ZERO:
                pieces.append(bytes(count))
            else:
                offset = region.content + at - region.start
                pieces.append(self._data[offset : offset + count])
            at += count
            length -= count
        return b"".join(pieces), signal

    def read(self, address: int, length: int) -> bytes:
        """Exactly `length` bytes."""
        data = self.file_slice(address, length)
        if data is None:
            data, signal = self.take(address, length)
            if signal is not None:
                raise MemoryAccessError(signal)
        return data

    def unpack(self, layout: Struct, address: int) -> tuple[int, ...]:
        """One structure at `address`."""
        return layout.unpack(self.read(address, layout.size))

    def chunks(self, address: int, length: int, size: int) -> Iterator[bytes]:
        """`length` bytes, at most `size` at a time; raises where the loader would die.

        Of a zero-filled stretch all but one chunk and the rest at its end is left out: there may be terabytes of it.
        """
        while length > 0:
            piece, signal = self.take(address, min(size, length))
            yield piece
            if signal is not None:
                raise MemoryAccessError(signal)
            at = self._relative(address) + len(piece)
            region = self._region(at)
            skipped = (region.end - at) // size * size if region is not None and region.content == ZERO else 0
            address += len(piece) + skipped
            length -= len(piece) + skipped

    def string(self, address: int) -> bytes:
        """The bytes from `address` up to the first NUL."""
        pieces: list[bytes] = []
        at = self._relative(address)
        while True:
            region = self._region(at)
            if region is None or not region.access & _READABLE:
                raise MemoryAccessError("SIGSEGV")
            if region.content == BEYOND:
                raise MemoryAccessError("SIGBUS")
            self.read_execute_only |= region.access == _EXECUTE_ONLY
            if region.content == ZERO:
                return b"".join(pieces)
            start = region.content + at - region.start
            end = region.content + region.end - region.start
            limit = min(end, start + _LONGEST_STRING)
            found = self._data.find(b"\0", start, limit)
            pieces.append(self._data[start : found if found >= 0 else limit])
            if found >= 0 or limit < end:
                return b"".join(pieces)
            at = region.end

    def write_fault(self, address: int, length: int, *, text: bool = False) -> Signal | None:
        """The signal of writing `length` bytes at `address`; `text` for an object with DT_TEXTREL, all writable for a while."""
        at = self._relative(address)
        end = at + length
        while at < end:
            region = self._region(at)
            if region is None or not (text or region.access & PF_W):
                return "SIGSEGV"
            if region.content == BEYOND:
                return "SIGBUS"
            at = region.end
        return None

    def write(self, address: int, length: int, *, text: bool) -> None:
        """Write there; raises where the loader would die."""
        signal = self.write_fault(address, length, text=text)
        if signal:
            raise MemoryAccessError(signal)

    def writable(self, *, text: bool = False) -> list[tuple[int, int]]:
        """The stretches that can be written, as start and end address, joined where they touch."""
        joined: list[tuple[int, int]] = []
        for start, end, access, content in self._regions:
            if content != BEYOND and (text or access & PF_W):
                first, last = start + self._base, end + self._base
                if joined and joined[-1][1] == first:
                    joined[-1] = (joined[-1][0], last)
                else:
                    joined.append((first, last))
        return joined

    def frozen(self, addresses: Iterable[int]) -> Image:
        """A copy that needs the file no more: of the file it holds the regions around `addresses` and those beside them."""
        places = {bisect_right(self._starts, self._relative(address)) - 1 for address in addresses}
        kept = {place + step for place in places for step in (-1, 0, 1)}
        regions: list[Region] = []
        data = bytearray()
        for place, region in enumerate(self._regions):
            if region.content < 0:
                regions.append(region)
            elif place in kept:
                regions.append(region._replace(content=len(data)))
                data += self._data[region.content : region.content + region.end - region.start]
        return Image(bytes(data), self._base, regions)

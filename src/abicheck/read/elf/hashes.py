"""The hash tables by which symbols are found: DT_GNU_HASH and DT_HASH (glibc: elf/dl-setup_hash.c, elf/dl-lookup.c)."""

from __future__ import annotations

from contextlib import suppress
from copy import copy
from functools import lru_cache
from itertools import accumulate
from operator import le
from typing import TYPE_CHECKING, TypeAlias

from abicheck.read.elf.dynamic import DT_GNU_HASH, DT_HASH
from abicheck.read.elf.image import MemoryAccessError
from abicheck.read.elf.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from abicheck.read.elf.image import Image

#: A longer chain is garbage; the loader would run through it to the end of the mapping.
_LONGEST = 1 << 13
_MOST_BUCKETS = 1 << 20
_MASK32 = 0xFFFFFFFF

_DIGITS = b"0123456789abcdefghijklmnopqrstuvw"
_HIGH, _LOW = (bytes(_DIGITS[part] for part in parts) for parts in ([b >> 5 for b in range(256)], [b & 31 for b in range(256)]))
#: 5381 * 33 ** n for names of n bytes; int() refuses more than 4,300 digits.
_START: list[int] = list(accumulate(range(1023), lambda value, _: value * 33 & _MASK32, initial=5381))
#: A long name is hashed by so many bytes at once: int() takes longer for each digit of a longer number.
_PART = 128
_POWERS = [pow(33, length, 1 << 32) for length in range(_PART + 1)]
#: Each byte's lowest bit.
_ODD = bytes(byte & 1 for byte in range(256))


def gnu_hashes(names: list[bytes]) -> list[int]:
    """`gnu_hash` of each."""
    if not all(0 < length < len(_START) for length in set(map(len, names))):
        return [gnu_hash(name) for name in names]
    return [_START[len(name)] + (int(name.translate(_HIGH), 33) << 5) + int(name.translate(_LOW), 33) & _MASK32 for name in names]


def gnu_hash(name: bytes) -> int:
    """The hash of DT_GNU_HASH (`_dl_new_hash`): the name's bytes as the digits of a number to the base of 33, behind 5381.

    A byte is 32 times its upper three bits plus its lower five, and both are digits of that base: so int() does the work.
    """
    return _short_hash(name) if len(name) < len(_START) else _long_hash(name)


@lru_cache(maxsize=1 << 18)
def _short_hash(name: bytes) -> int:
    digits = (int(name.translate(_HIGH), 33) << 5) + int(name.translate(_LOW), 33) if name else 0
    return _START[len(name)] + digits & _MASK32


def _long_hash(name: bytes) -> int:
    """No compiler makes such names; a string table without its NULs has thousands, each of which would stay in memory above."""
    value = _START[0]
    for start in range(0, len(name), _PART):
        part = name[start : start + _PART]
        digits = (int(part.translate(_HIGH), 33) << 5) + int(part.translate(_LOW), 33)
        value = value * _POWERS[len(part)] + digits & _MASK32
    return value


@lru_cache(maxsize=1 << 16)
def sysv_hash(name: bytes) -> int:
    """The hash of DT_HASH (`_dl_elf_hash`)."""
    value = 0
    for byte in name:
        value = (value << 4) + byte
        value = (value ^ (value >> 24 & 0xF0)) & 0x0FFFFFFF
    return value


class BloomSizeError(Exception):
    """The size of the Bloom filter is no power of two: an assertion of the loader."""


class GnuHash:
    """DT_GNU_HASH: a Bloom filter, buckets, and chains that hold the hashes.

    `count` is the number of symbols up to the last one hashed, None for a table that makes no sense or lies not in the file.
    """

    __slots__ = ("_bias", "_bloom", "_bloom_mask", "_bucket_count", "_buckets", "_chain", "_shift", "_words", "count", "table")

    def __init__(self, table: Window, words: int) -> None:
        self.table = table
        self.count: int | None = None
        self._bucket_count, self._bias, self._shift = table.word32(0), table.word32(4), table.word32(12) & 31
        self._bloom_mask = words - 1 & _MASK32
        self._buckets = 16 + 8 * words
        self._chain = self._buckets + 4 * self._bucket_count
        self._words: memoryview | None = None
        self._bloom: memoryview | None = None

    def __getstate__(self) -> tuple[None, dict[str, object]]:
        """All but the views of the table's bytes, which are made anew."""
        return None, {**{name: getattr(self, name) for name in self.__slots__}, "_words": None, "_bloom": None}

    def on(self, image: Image | None) -> GnuHash:
        """The same table, read through another image."""
        other = copy(self)
        other.table = self.table.on(image)
        return other

    def older(self) -> GnuHash | None:
        """The table as glibc before 2.36 reads it, None for the same: it shifted hashes as 64-bit words (commit 535e935a28)."""
        if not self.table.word32(12) & 32:
            return None
        other = copy(self)
        other._shift = 32  # noqa: SLF001 - its own kind; nothing is left of a hash
        return other

    @property
    def is_empty(self) -> bool:
        """True for a table without buckets, which the loader passes over."""
        return self._bucket_count == 0

    @property
    def first(self) -> int:
        """The first symbol that is hashed."""
        return self._bias

    def candidates(self, name: bytes) -> Iterable[int]:
        """The symbols that a lookup of `name` compares, in its order."""
        value = gnu_hash(name)
        if self.count is None:
            return self._walk_candidates(value)
        # The table makes sense and is at hand.
        words, bloom = self._words, self._bloom
        if words is None or bloom is None:
            words = self._words = memoryview(self.table.raw).cast("I")
            bloom = self._bloom = memoryview(self.table.raw)[16 : self._buckets].cast("Q")
        bits = bloom[value >> 6 & self._bloom_mask]
        found: list[int] = []
        if not bits >> (value & 63) & bits >> (value >> self._shift & 63) & 1:
            return found
        index = words[self._buckets // 4 + value % self._bucket_count]
        at = self._chain // 4 + index - self._bias
        while index:
            entry = words[at]
            if (entry ^ value) >> 1 == 0:
                found.append(index)
            if entry & 1:
                break
            index += 1
            at += 1
        return found

    def leads_to(self, symbols: list[int], names: list[bytes]) -> bool:
        """True if a lookup of each name comes across the symbol beside it, in a table that makes sense and is at hand.

        Passes over whole lists: this is where the time of reading a large library goes.
        """
        first, last = self._bias, self.count or 0
        if not symbols:
            return True
        if min(symbols) < first or max(symbols) >= last:
            return False
        words = memoryview(self.table.raw).cast("I")
        bloom = memoryview(self.table.raw)[16 : self._buckets].cast("Q").tolist()
        buckets = words[self._buckets // 4 : self._chain // 4].tolist()
        chain = words[self._chain // 4 :]
        mask, shift, count = self._bloom_mask, self._shift, self._bucket_count
        hashes = gnu_hashes(names)
        if [chain[symbol - first] | 1 for symbol in symbols] != [value | 1 for value in hashes]:
            return False
        passed = [(bits := bloom[value >> 6 & mask]) >> (value & 63) & bits >> (value >> shift & 63) & 1 for value in hashes]
        if not all(passed):
            return False
        starts = [buckets[value % count] for value in hashes]
        # A chain ends at an entry with bit 0 set, so as many of these stand before its start as before any of its symbols.
        ends = list(accumulate(self.table.raw[self._chain :: 4].translate(_ODD), initial=0))
        return (
            min(starts) >= first
            and all(map(le, starts, symbols))
            and [ends[start - first] for start in starts] == [ends[symbol - first] for symbol in symbols]
        )

    def _walk_candidates(self, value: int) -> Iterator[int]:
        word = self.table.word64(16 + 8 * (value >> 6 & self._bloom_mask))
        if word >> (value & 63) & word >> (value >> self._shift & 63) & 1:
            for index, entry in self._walk(self.table.word32(self._buckets + 4 * (value % self._bucket_count))):
                if (entry ^ value) >> 1 == 0:
                    yield index

    def _walk(self, index: int) -> Iterator[tuple[int, int]]:
        """The chain from `index`: each symbol with its entry, the last of which has bit 0 set."""
        if index == 0:
            return
        for step in range(_LONGEST):
            entry = self.table.word32(self._chain + 4 * (index + step - self._bias))
            yield index + step & _MASK32, entry
            if entry & 1:
                return

    def indices(self) -> Iterator[int]:
        """All symbols that some lookup can reach."""
        for bucket in range(min(self._bucket_count, _MOST_BUCKETS)):
            for index, _ in self._walk(self.table.word32(self._buckets + 4 * bucket)):
                yield index

    def measure(self, image: Image, address: int) -> None:
        """Count the symbols and take the table's bytes to hand, if the whole of it makes sense."""
        raw = image.file_slice(address, self._chain)
        if raw is None or self._bloom_mask == _MASK32:  # a filter of no words is looked up anywhere
            return
        buckets = memoryview(raw)[self._buckets :].cast("I").tolist()
        last = max(buckets)
        end = self._bias
        if last:
            if min(filter(None, buckets)) < self._bias:
                return
            end, entry = max(self._walk(last))
            if not entry & 1:
                return
            end += 1
        whole = image.file_slice(address, self._chain + 4 * (end - self._bias))
        if whole is not None:
            self.table.raw = whole
            self.count = end


class SysvHash:
    """DT_HASH: buckets and chains of symbol numbers. `count` is as in `GnuHash`."""

    __slots__ = ("_bucket_count", "count", "table")

    def __init__(self, table: Window) -> None:
        self.table = table
        self.count: int | None = None
        self._bucket_count = table.word32(0)

    def on(self, image: Image | None) -> SysvHash:
        """The same table, read through another image."""
        other = copy(self)
        other.table = self.table.on(image)
        return other

    @property
    def is_empty(self) -> bool:
        """True for a table without buckets, which the loader passes over."""
        return self._bucket_count == 0

    @property
    def first(self) -> int:
        """The first symbol that may be hashed."""
        return 1

    def candidates(self, name: bytes) -> Iterator[int]:
        """The symbols that a lookup of `name` compares, in its order."""
        return self._walk(sysv_hash(name) % self._bucket_count)

    def leads_to(self, symbols: list[int], names: list[bytes]) -> bool:
        """True if a lookup of each name comes across the symbol beside it, in a table that makes sense and is at hand."""
        return all(symbol in self.candidates(name) for symbol, name in zip(symbols, names, strict=True))

    def _walk(self, bucket: int) -> Iterator[int]:
        index = self.table.word32(8 + 4 * bucket)
        for _ in range(_LONGEST):
            if index == 0:
                return
            yield index
            index = self.table.word32(8 + 4 * (self._bucket_count + index))

    def indices(self) -> Iterator[int]:
        """All symbols that some lookup can reach."""
        for bucket in range(min(self._bucket_count, _MOST_BUCKETS)):
            yield from self._walk(bucket)

    def measure(self, image: Image, address: int) -> None:
        """Count the symbols and take the table's bytes to hand, if the whole of it makes sense."""
        head = image.file_slice(address, 8)
        if head is None:
            return
        count = int.from_bytes(head[4:], "little")
        raw = image.file_slice(address, 8 + 4 * (self._bucket_count + count))
        if raw is not None and max(memoryview(raw)[8:].cast("I"), default=0) < max(count, 1):
            self.table.raw = raw
            self.count = count


HashTable: TypeAlias = "GnuHash | SysvHash"


def read_hash_table(image: Image, values: Mapping[int, int]) -> HashTable | None:
    """Set up the object's hash table as `_dl_setup_hash` does; None for an object without one, or with an empty one."""
    table: GnuHash | SysvHash
    if DT_GNU_HASH in values:
        address = values[DT_GNU_HASH]
        window = Window(image.read(address, 16), address, image)
        words = window.word32(8)
        if words & (words - 1):
            raise BloomSizeError
        table = GnuHash(window, words)
    elif DT_HASH in values:
        address = values[DT_HASH]
        table = SysvHash(Window(image.read(address, 4), address, image))
    else:
        return None
    if table.is_empty:
        return None
    with suppress(MemoryAccessError):
        table.measure(image, address)
    return table

"""Bounds-checked reading of the numbers, names and vectors of the binary format."""

from __future__ import annotations

from abicheck.errors import AbicheckError


class MalformedError(AbicheckError):
    """The bytes contradict the format: the message says how, `offset` (in bytes) where."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class Cursor:
    """A place in `data` that moves towards `end`, and never beyond it."""

    def __init__(self, data: bytes, position: int, end: int) -> None:
        self.data = data
        self.position = position
        self.end = end

    def byte(self) -> int:
        """The next byte. Raises `MalformedError`, as everything here does, where there is none."""
        if self.position >= self.end:
            raise MalformedError("it ends in the middle of something", self.position)
        self.position += 1
        return self.data[self.position - 1]

    def peek(self) -> int:
        """The next byte, which stays the next."""
        value = self.byte()
        self.position -= 1
        return value

    def number(self, bits: int = 32) -> int:
        """An unsigned number in LEB128 of at most `bits` bits."""
        start, value = self.position, 0
        for shift in range(0, bits, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if value >> bits:
                    break
                return value
        raise MalformedError(f"a number of more than {bits} bits", start)

    def skip_number(self) -> None:
        """A number of whatever sign and size."""
        while self.byte() >= 0x80:
            pass

    def count(self) -> int:
        """The length of a vector, each element of which takes a byte at least."""
        start, value = self.position, self.number()
        if value > self.end - self.position:
            raise MalformedError(f"{value} elements in {self.end - self.position} bytes", start)
        return value

    def skip(self, size: int) -> None:
        """Pass over so many bytes."""
        if size > self.end - self.position:
            raise MalformedError("it ends in the middle of something", self.end)
        self.position += size

    def name(self) -> str:
        """A name, which is UTF-8."""
        size = self.count()
        start = self.position
        self.skip(size)
        try:
            return self.data[start : self.position].decode()
        except UnicodeDecodeError:
            raise MalformedError("a name that is not UTF-8", start) from None

    def part(self, size: int) -> Cursor:
        """The next `size` bytes as a place of their own."""
        start = self.position
        self.skip(size)
        return Cursor(self.data, start, self.position)

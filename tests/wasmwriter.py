"""Writes small WebAssembly modules, for tests that need one of a certain shape."""

from __future__ import annotations

I32, I64, V128, FUNCREF = b"\x7f", b"\x7e", b"\x7b", b"\x70"
END = b"\x0b"
#: A memory of one page; of one to two pages, shared; of one page, with 64-bit addresses.
PLAIN, SHARED, WIDE = b"\x00\x01", b"\x03\x01\x02", b"\x04\x01"


def number(value: int) -> bytes:
    """An unsigned number in LEB128."""
    low, high = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + number(high) if high else bytes([low])


def name(text: str) -> bytes:
    """A name with its length."""
    return number(len(text.encode())) + text.encode()


def vector(*items: bytes) -> bytes:
    """Several things with their count."""
    return number(len(items)) + b"".join(items)


def section(code: int, content: bytes) -> bytes:
    """A section with its length."""
    return bytes([code]) + number(len(content)) + content


def signature(parameters: bytes = b"", results: bytes = b"") -> bytes:
    """The type of a function; each type of a value is one byte here."""
    return b"\x60" + number(len(parameters)) + parameters + number(len(results)) + results


def module(*sections: bytes) -> bytes:
    """A module of these sections."""
    return b"\0asm\1\0\0\0" + b"".join(sections)


def custom(title: str, content: bytes) -> bytes:
    """A custom section."""
    return section(0, name(title) + content)


def bodies(*codes: bytes, local: bytes = b"\x00") -> bytes:
    """The code section: functions of these instructions, each with the same locals."""
    functions = [local + code + END for code in codes]
    return section(10, vector(*(number(len(each)) + each for each in functions)))


def program(code: bytes, *, local: bytes = b"\x00", memories: tuple[bytes, ...] = (PLAIN,), extra: bytes = b"") -> bytes:
    """A module with one function `() -> ()` of these instructions, a memory and a table; `extra` stands before its code."""
    return module(
        section(1, vector(signature(), signature(I32, I32))),
        section(3, vector(b"\x00")),
        section(4, vector(FUNCREF + b"\x00\x01")),
        section(5, vector(*memories)),
        extra,
        bodies(code, local=local),
    )


#: One module for each feature of the table, which needs that and, if told so, what it stands on.
FEATURES: dict[str, bytes] = {
    "bigint": module(
        section(1, vector(signature(I64))), section(2, vector(name("env") + name("f") + b"\x00\x00")),
    ),
    "bulk-memory": program(b"\x41\x00" * 3 + b"\xfc\x0b\x00"),
    "exceptions": program(b"\x1f\x40\x01\x02\x00\x0b"),
    "exceptions-legacy": program(b"\x06\x40\x19\x0b"),
    "extended-const": program(b"", extra=section(6, vector(I32 + b"\x00\x41\x01\x41\x02\x6a\x0b"))),
    "gc": module(section(1, vector(b"\x5f\x01\x7f\x00"))),
    "memory64": program(b"", memories=(WIDE,)),
    "multi-memory": program(b"", memories=(PLAIN, PLAIN)),
    "multi-value": program(b"\x41\x00\x02\x01\x0b\x1a"),
    "mutable-globals": program(
        b"", extra=section(6, vector(I32 + b"\x01\x41\x00\x0b")) + section(7, vector(name("g") + b"\x03\x00"))
    ),
    "reference-types": program(b"\xd0\x70\x1a"),
    "relaxed-simd": program((b"\xfd\x0c" + bytes(16)) * 2 + b"\xfd\x80\x02\x1a"),
    "saturating-float-to-int": program(b"\x43\x00\x00\x80\x3f\xfc\x00\x1a"),
    "sign-extension": program(b"\x41\x00\xc0\x1a"),
    "simd": program(b"\xfd\x0c" + bytes(16) + b"\x1a"),
    "tail-call": program(b"\x12\x00"),
    "threads": program(b"", memories=(SHARED,)),
    "typed-function-references": program(
        b"\xd2\x00\x14\x00", extra=section(9, vector(b"\x03\x00" + vector(b"\x00")))
    ),
    "wide-arithmetic": program(b"\x42\x00" * 4 + b"\xfc\x13\x1a\x1a"),
}  # fmt: skip
#: What they need besides.
BESIDES = {
    "relaxed-simd": {"simd"},
    "typed-function-references": {"reference-types", "bulk-memory"},
}

"""The types of the binary format, and the features without which there are none of them.

https://webassembly.github.io/spec/core/binary/types.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from abicheck.model.wasm import Limits
from abicheck.read.wasm.cursor import Cursor, MalformedError

if TYPE_CHECKING:
    from abicheck.read.wasm.uses import Uses

_I64 = 0x7E
_NUMBERS = (0x7C, 0x7D, _I64, 0x7F)
_BY_FEATURE = {
    0x7B: "simd",
    0x70: "reference-types",
    0x6F: "reference-types",
    0x69: "exceptions",
    **dict.fromkeys((0x6A, 0x6B, 0x6C, 0x6D, 0x6E, 0x71, 0x72, 0x73, 0x74), "gc"),
}
_FUNCTION, _STRUCT, _ARRAY, _SUB, _SUB_FINAL, _GROUP = 0x60, 0x5F, 0x5E, 0x50, 0x4F, 0x4E


class Signature(NamedTuple):
    """What matters of a function's type: whether 64-bit integers pass through it."""

    has_i64: bool


def value_type(cursor: Cursor, uses: Uses) -> bool:
    """A type of values; true for i64."""
    at, code = cursor.position, cursor.byte()
    if code in (0x63, 0x64):
        uses.note("typed-function-references", at, "type")
        cursor.skip_number()
    elif code in _BY_FEATURE:
        uses.note(_BY_FEATURE[code], at, "type")
    elif code not in _NUMBERS:
        raise MalformedError(f"no type of values: 0x{code:02x}", at)
    return code == _I64


def element_type(cursor: Cursor, uses: Uses) -> None:
    """The type of a table's elements: the first tables held functions only."""
    if cursor.peek() == 0x70:
        cursor.skip(1)
    else:
        value_type(cursor, uses)


def limits(cursor: Cursor, uses: Uses) -> Limits:
    """The size of a memory or table."""
    at, flags = cursor.position, cursor.byte()
    if flags > 7:
        raise MalformedError(f"no flags of limits: 0x{flags:02x}", at)
    if flags & 2:
        uses.note("threads", at, "limits")
    if flags & 4:
        uses.note("memory64", at, "limits")
    bits = 64 if flags & 4 else 32
    initial = cursor.number(bits)
    return Limits(initial, cursor.number(bits) if flags & 1 else None, bool(flags & 2), bool(flags & 4))


def type_entries(cursor: Cursor, uses: Uses) -> list[Signature]:
    """One entry of the type section: one type, or a group of them."""
    if cursor.peek() != _GROUP:
        return [_sub_type(cursor, uses)]
    uses.note("gc", cursor.position, "type")
    cursor.skip(1)
    return [_sub_type(cursor, uses) for _ in range(cursor.count())]


def _sub_type(cursor: Cursor, uses: Uses) -> Signature:
    if cursor.peek() in (_SUB, _SUB_FINAL):
        uses.note("gc", cursor.position, "type")
        cursor.skip(1)
        for _ in range(cursor.count()):
            cursor.number()
    at, form = cursor.position, cursor.byte()
    if form == _FUNCTION:
        return _signature(cursor, uses)
    if form not in (_STRUCT, _ARRAY):
        raise MalformedError(f"no form of types: 0x{form:02x}", at)
    uses.note("gc", at, "type")
    for _ in range(cursor.count() if form == _STRUCT else 1):
        if cursor.peek() in (0x77, 0x78):  # packed fields
            cursor.skip(1)
        else:
            value_type(cursor, uses)
        cursor.skip(1)  # mutable or not
    return Signature(has_i64=False)


def _signature(cursor: Cursor, uses: Uses) -> Signature:
    parameters = [value_type(cursor, uses) for _ in range(cursor.count())]
    at, number = cursor.position, cursor.count()
    if number > 1:
        uses.note("multi-value", at, "type")
    results = [value_type(cursor, uses) for _ in range(number)]
    return Signature(any((*parameters, *results)))

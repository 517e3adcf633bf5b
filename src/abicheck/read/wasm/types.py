"""The types of the binary format, and the features without which there are none of them.

https://webassembly.github.io/spec/core/binary/types.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from abicheck.model.wasm import Limits
from abicheck.read.wasm.cursor import Cursor, MalformedError

if TYPE_CHECKING:
    from abicheck.read.wasm.uses import Uses

#: Each type with the feature that it belongs to, None for those of the first engines.
_TYPES: dict[int, tuple[str, str | None]] = {
    0x7F: ("i32", None),
    0x7E: ("i64", None),
    0x7D: ("f32", None),
    0x7C: ("f64", None),
    0x7B: ("v128", "simd"),
    0x70: ("funcref", "reference-types"),
    0x6F: ("externref", "reference-types"),
    0x69: ("exnref", "exceptions"),
    0x6E: ("anyref", "gc"),
    0x6D: ("eqref", "gc"),
    0x6C: ("i31ref", "gc"),
    0x6B: ("structref", "gc"),
    0x6A: ("arrayref", "gc"),
    0x71: ("nullref", "gc"),
    0x72: ("nullexternref", "gc"),
    0x73: ("nullfuncref", "gc"),
    0x74: ("nullexnref", "gc"),
}
_FUNCTION, _STRUCT, _ARRAY, _SUB, _SUB_FINAL, _GROUP = 0x60, 0x5F, 0x5E, 0x50, 0x4F, 0x4E


class Signature(NamedTuple):
    """The type of a function; one without either for a type of something else."""

    parameters: tuple[str, ...] = ()
    results: tuple[str, ...] = ()


def value_type(cursor: Cursor, uses: Uses) -> str:
    """A type of values; `ref` stands for a reference to a type of the module."""
    at, code = cursor.position, cursor.byte()
    if code in (0x63, 0x64):
        uses.note("typed-function-references", at, "type")
        cursor.skip_number()
        return "ref"
    if code not in _TYPES:
        raise MalformedError(f"no type of values: 0x{code:02x}", at)
    name, feature = _TYPES[code]
    if feature is not None:
        uses.note(feature, at, "type")
    return name


def element_type(cursor: Cursor, uses: Uses) -> str:
    """The type of a table's elements: the first tables held functions only."""
    if cursor.peek() == 0x70:
        cursor.skip(1)
        return "funcref"
    return value_type(cursor, uses)


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
    return Signature()


def _signature(cursor: Cursor, uses: Uses) -> Signature:
    parameters = tuple(value_type(cursor, uses) for _ in range(cursor.count()))
    at, number = cursor.position, cursor.count()
    if number > 1:
        uses.note("multi-value", at, "type")
    return Signature(parameters, tuple(value_type(cursor, uses) for _ in range(number)))

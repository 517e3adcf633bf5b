"""Which features the code of a module really uses: what custom sections claim is stripped from most releases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.read.wasm.cursor import Cursor, MalformedError
from abicheck.read.wasm.opcodes import CODE, CODE_FEATURES, CONSTANT, CONSTANT_FEATURES, one_of, run_of
from abicheck.read.wasm.types import value_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abicheck.read.wasm.uses import Uses

_END = 0x0B


class UnknownInstructionError(MalformedError):
    """An instruction that no feature of ours explains: of a newer proposal, or no instruction at all."""


def read_body(cursor: Cursor, uses: Uses) -> None:
    """One function's body: its locals, then its code."""
    for _ in range(cursor.count()):
        cursor.number()
        value_type(cursor, uses)
    while cursor.position < cursor.end:
        _advance(cursor, uses, CODE, CODE_FEATURES)
        if cursor.position < cursor.end:
            _irregular(cursor, uses)


def read_constant(cursor: Cursor, uses: Uses) -> None:
    """A constant expression, up to and with its end."""
    while True:
        _advance(cursor, uses, CONSTANT, CONSTANT_FEATURES)
        if cursor.peek() == _END:
            cursor.skip(1)
            return
        raise _unknown(cursor)


def _advance(cursor: Cursor, uses: Uses, base: bytes, features: Mapping[str, bytes]) -> None:
    """Pass over all instructions of one form.

    What a feature brought counts as ordinary from its first use on, so that each of them stops a run only once.
    """
    data, end = cursor.data, cursor.end
    run = run_of(base, *(kind for feature, kind in features.items() if feature in uses.found))
    while True:
        while (match := run.match(data, cursor.position, end)) is not None:
            cursor.position = match.end()
        for feature, kind in features.items():
            if one_of(kind).match(data, cursor.position, end) is not None:
                uses.note(feature, cursor.position, "instruction")
                run = run_of(base, *(kind for feature, kind in features.items() if feature in uses.found))
                break
        else:
            return


def _irregular(cursor: Cursor, uses: Uses) -> None:
    """One instruction with a list in it."""
    at, opcode = cursor.position, cursor.peek()
    if opcode == 0x0E:  # br_table
        cursor.skip(1)
        for _ in range(cursor.count() + 1):
            cursor.skip_number()
    elif opcode == 0x1C:  # select with a type
        uses.note("reference-types", at, "instruction")
        cursor.skip(1)
        for _ in range(cursor.count()):
            value_type(cursor, uses)
    elif opcode == 0x1F:  # try_table
        uses.note("exceptions", at, "instruction")
        cursor.skip(1)
        _block_type(cursor)
        for _ in range(cursor.count()):
            for _ in range(2 if cursor.byte() < 2 else 1):  # catch_all has no tag
                cursor.skip_number()
    else:
        raise _unknown(cursor)


def _block_type(cursor: Cursor) -> None:
    if cursor.peek() in (0x63, 0x64):
        cursor.skip(1)
    cursor.skip_number()


def _unknown(cursor: Cursor) -> UnknownInstructionError:
    code = " ".join(f"0x{byte:02x}" for byte in cursor.data[cursor.position : min(cursor.position + 2, cursor.end)])
    return UnknownInstructionError(f"an instruction that abicheck does not know ({code})", cursor.position)

"""The instructions of WebAssembly as regular expressions, by the feature that brought them.

A body is far too long to be decoded one instruction after another in Python (15 MB take a minute), so runs of instructions are
matched at once. Source of the encodings: https://webassembly.github.io/spec/core/binary/instructions.html, and for the legacy
exceptions https://github.com/WebAssembly/exception-handling/blob/main/proposals/exception-handling/legacy/Exceptions.md.
"""

from __future__ import annotations

import re
from functools import lru_cache

#: A number in LEB128, and what stands behind a load or store of memory 0, or of another one.
_N = rb"(?:[\x00-\x7f]|[\x80-\xff]+[\x00-\x7f])"
_MEMORY = rb"[\x00-\x3f]" + _N
_OTHER_MEMORY = rb"[\x40-\x7f]" + _N + _N
_BLOCK = rb"[\x02-\x04]"
_GC = (
    rb"\xfb(?:[\x00\x01\x06\x07\x0b-\x0e\x10\x14-\x17]" + _N + rb"|[\x02-\x05\x08-\x0a\x11-\x13]" + _N + _N +
    rb"|[\x0f\x1a-\x1e]|[\x18\x19]." + _N + _N + _N + rb")"
)  # fmt: skip
_CONSTANTS = rb"[\x41\x42]" + _N + rb"|\x43.{4}|\x44.{8}"

#: What the first engines knew (the "MVP").
CODE = (
    rb"[\x0c\x0d\x10\x20-\x24\x41\x42]" + _N + rb"|[\x00\x01\x05\x0b\x0f\x1a\x1b\x45-\xbf]|[\x28-\x3e]" + _MEMORY +
    rb"|" + _BLOCK + rb"[\x40\x7c-\x7f]|\x11" + _N + rb"\x00|[\x3f\x40]\x00|\x43.{4}|\x44.{8}"
)  # fmt: skip
#: What each feature added. Where two match, the first one is meant: the later one's has other operands.
CODE_FEATURES = {
    "sign-extension": rb"[\xc0-\xc4]",
    "saturating-float-to-int": rb"\xfc[\x00-\x07]",
    "bulk-memory": rb"\xfc(?:\x08" + _N + rb"\x00|[\x09\x0d]" + _N + rb"|[\x0a\x0e]\x00\x00|\x0b\x00|\x0c" + _N + rb"\x00)",
    "simd": (
        rb"\xfd(?:[\x00-\x0b\x5c\x5d]" + _MEMORY + rb"|[\x0c\x0d].{16}|[\x15-\x22].|[\x54-\x5b]" + _MEMORY +
        rb".|[\x0e-\x14\x23-\x53\x5e-\x7f]|[\x80-\xff]\x01)|" + _BLOCK + rb"\x7b"
    ),
    "threads": rb"\xfe(?:\x03.|[\x00-\x02\x10-\x4e]" + _MEMORY + rb")",
    "reference-types": (
        rb"[\x25\x26\xd2]" + _N + rb"|\x11" + _N + _N + rb"|\xd0[\x6f\x70]|\xd1|\xfc[\x0c\x0e]" + _N + _N +
        rb"|\xfc[\x0f-\x11]" + _N + rb"|" + _BLOCK + rb"[\x6f\x70]"
    ),
    "tail-call": rb"\x12" + _N + rb"|\x13" + _N + _N,
    "relaxed-simd": rb"\xfd[\x80-\x93]\x02",
    "exceptions-legacy": rb"\x06(?:[\x63\x64])?" + _N + rb"|[\x07-\x09\x18]" + _N + rb"|\x19",
    "exceptions": rb"\x0a|" + _BLOCK + rb"\x69",
    "typed-function-references": rb"[\x14\x15\xd5\xd6]" + _N + rb"|\xd4|" + _BLOCK + rb"[\x63\x64]" + _N,
    "gc": rb"\xd3|\xd0" + _N + rb"|" + _BLOCK + rb"[\x6a-\x6e\x71-\x74]|" + _GC,
    "multi-value": _BLOCK + rb"(?:[\x00-\x3f]|[\x80-\xff]+[\x00-\x7f])",
    "wide-arithmetic": rb"\xfc[\x13-\x16]",
    "multi-memory": (
        rb"[\x28-\x3e]" + _OTHER_MEMORY + rb"|[\x3f\x40]" + _N + rb"|\xfc(?:[\x08\x0a]" + _N + _N + rb"|\x0b" + _N +
        rb")|\xfd(?:[\x00-\x0b\x5c\x5d]" + _OTHER_MEMORY + rb"|[\x54-\x5b]" + _OTHER_MEMORY + rb".)|\xfe[\x00-\x02\x10-\x4e]" +
        _OTHER_MEMORY
    ),
}  # fmt: skip

#: The same of constant expressions, which end with 0x0b.
CONSTANT = rb"\x23" + _N + rb"|" + _CONSTANTS
CONSTANT_FEATURES = {
    "extended-const": rb"[\x6a-\x6c\x7c-\x7e]",
    "reference-types": rb"\xd0[\x6f\x70]|\xd2" + _N,
    "simd": rb"\xfd\x0c.{16}",
    "gc": rb"\xd0" + _N + rb"|" + _GC,
}


@lru_cache(maxsize=256)
def run_of(base: bytes, *more: bytes) -> re.Pattern[bytes]:
    """Matches some instructions of these kinds (bounded, because a match of any length would keep a stack of them all)."""
    return re.compile(rb"(?:" + b"|".join((base, *more)) + rb"){1,4000}", re.DOTALL)


@lru_cache(maxsize=256)
def one_of(kind: bytes) -> re.Pattern[bytes]:
    """Matches one instruction of this kind."""
    return re.compile(kind, re.DOTALL)

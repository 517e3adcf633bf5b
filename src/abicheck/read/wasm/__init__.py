"""WebAssembly modules: our own reader, of files and of scripts that bring their module along."""

from __future__ import annotations

import base64
import re

from abicheck.model.wasm import Damaged, DefectKind, WasmFile
from abicheck.read.wasm.cursor import Cursor, MalformedError
from abicheck.read.wasm.sections import Sections

__all__ = ["embedded", "read_wasm"]

_MAGIC = b"\0asm"
_VERSION = b"\1\0\0\0"
#: A module in base64, as emscripten's -sSINGLE_FILE writes it: the magic, the version and the first section's number.
_EMBEDDED = re.compile(rb"AGFzbQEAAA[A-Za-z0-9+/]+={0,2}")
_LFS = b"version https://git-lfs.github.com/spec/"
#: By number, as V8 names them.
_SECTIONS = ("Custom", "Type", "Import", "Function", "Table", "Memory", "Global", "Export", "Start", "Element", "Code", "Data",
             "DataCount", "Tag")  # fmt: skip


def embedded(script: bytes) -> tuple[bytes, ...]:
    """The modules that a script brings along, each once."""
    return tuple(dict.fromkeys(_decoded(match[0]) for match in _EMBEDDED.finditer(script)))


def _decoded(text: bytes) -> bytes:
    whole = text.rstrip(b"=")
    whole = whole[:-1] if len(whole) % 4 == 1 else whole  # cut in the middle: a module that is cut short
    return base64.b64decode(whole + b"=" * (-len(whole) % 4))


def read_wasm(data: bytes) -> WasmFile:
    """The facts of a module, or what is wrong with it; any bytes will do."""
    damage = _beginning(data)
    if damage is not None:
        return damage
    sections = Sections()
    damage = _read_sections(data, sections)
    if damage is None:
        return sections.module(len(data))
    return damage._replace(uses=tuple(use for use in sections.uses if use.function is None))


def _read_sections(data: bytes, sections: Sections) -> Damaged | None:
    """Read all sections; what is wrong with the first bad one."""
    cursor = Cursor(data, 8, len(data))
    kind: DefectKind = "truncated"
    try:
        while cursor.position < cursor.end:
            kind = "truncated"
            at, number, size = cursor.position, cursor.byte(), cursor.number()
            if size > cursor.end - cursor.position:
                return _cut(number, size, at, cursor)
            kind = "malformed"
            sections.read(number, cursor.part(size))
    except MalformedError as error:
        return Damaged(kind, f"{error.message}, at byte {error.offset} of {len(data)}")
    lacking = sections.lacking_bodies
    if lacking:
        text = f"function count is {lacking}, but code section is absent @+{len(data)}"
        return Damaged("truncated", f"it ends before the code of its {lacking} functions", text, text)
    return None


def _beginning(data: bytes) -> Damaged | None:
    """What is wrong with the first eight bytes."""
    if not data:
        return Damaged("empty", "the file is empty", "BufferSource argument is empty", "BufferSource argument is empty")
    for at, wanted, name in ((0, _MAGIC, "magic word"), (4, _VERSION, "version")):
        found = data[at : at + 4]
        if found == wanted:
            continue
        if len(found) < 4:
            text = f"expected 4 bytes, fell off end @+{at}"
            return Damaged("truncated", f"the file has {len(data)} bytes, too few for any module", text, text)
        text = f"expected {name} {wanted.hex(' ')}, found {found.hex(' ')} @+{at}"
        pointer = data.startswith(_LFS)
        return Damaged("pointer" if pointer else "other-file", _resembles(data), text, text)
    return None


def _resembles(data: bytes) -> str:
    """What a file is that does not begin as a module does."""
    start = data[:256].lstrip().lower()
    if data.startswith(_LFS):
        return "it is the pointer that Git LFS leaves where the file was not fetched"
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")):
        return "it is a page of HTML, as a server sends in place of a file that it does not find"
    if data.startswith(b"\x1f\x8b"):
        return "it is compressed with gzip, and was to be unpacked on the way"
    if data.startswith(_MAGIC + b"\r\0\1\0"):
        return "it is a component, which runtimes for JavaScript do not load; take the module inside"
    return f"it begins with {data[:8].hex(' ')}"


def _cut(number: int, size: int, at: int, cursor: Cursor) -> Damaged:
    """A section that reaches beyond the end of the file: V8's words before 11.3 or so (Node 18) and since."""
    left = cursor.end - cursor.position
    name = _SECTIONS[number] if number < len(_SECTIONS) else None
    detail = f"it has {cursor.end} bytes and ends in its {name or 'unknown'} section, where {size - left} more should follow"
    text = f'section (code {number}, "{name}") extends past end of the module (length {size}, remaining bytes {left}) @+{at}'
    return Damaged("truncated", detail, text if name else None, f"expected {size} bytes, fell off end @+{cursor.position}")

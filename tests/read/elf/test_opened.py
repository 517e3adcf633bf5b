"""Names of libraries that code opens: notes and strings written on purpose, and real files."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abicheck.read.elf.opened import read_opened_names
from tests.elfparts import PT_LOAD, Note
from tests.elfwriter import write_elf

if TYPE_CHECKING:
    from pathlib import Path

DLOPEN = 0x407C0C0A


def strings(*texts: bytes) -> Note:
    """Strings in read-only memory."""
    return Note("text", 1, b"\0" + b"".join(text + b"\0" for text in texts))


def note(entries: Any, owner: str = "FDO", kind: int = DLOPEN) -> Note:
    payload = entries if isinstance(entries, bytes) else json.dumps(entries).encode() + b"\0"
    return Note(owner, kind, payload)


def test_whole_strings_that_look_like_sonames() -> None:
    found = strings(
        b"libcublas.so.12", b"libmpi.so.40", b"libplugin.so", b"libstdc++.so.6", b"libfoo-1.2.so.3a",
        b"cannot open libmessage.so.1", b"/usr/lib/libpath.so.1", b"lib%s.so", b"libnothing.a", b"liblong.so.1 is gone", b"xx.so",
        b"libcublas.so.12",
    )  # fmt: skip
    names = ("libcublas.so.12", "libmpi.so.40", "libplugin.so", "libstdc++.so.6", "libfoo-1.2.so.3a")
    assert read_opened_names(write_elf(notes=[found])) == names


def test_what_is_needed_is_not_opened() -> None:
    assert read_opened_names(write_elf(needed=["libneeded.so.1"], soname="libself.so.1")) == ()


def test_the_note_comes_first() -> None:
    entries = [
        {"feature": "zip", "priority": "recommended", "soname": ["libzstd.so.1", "libz.so.1"]},
        {"feature": "more", "soname": ["liblz4.so.1"]},
    ]
    found = read_opened_names(write_elf(notes=[strings(b"libfirst.so.1", b"libz.so.1"), note(entries)]))
    assert found == ("libzstd.so.1", "libz.so.1", "liblz4.so.1", "libfirst.so.1")


@pytest.mark.parametrize(
    "other",
    [
        note(b"no JSON"),
        note(b"[" * 100_000),
        note({"soname": ["liba.so"]}),
        note([["liba.so"], {"soname": "liba.so"}, {"soname": [3]}, {}]),
        note([{"soname": ["liba.so"]}], owner="GNU"),
        note([{"soname": ["liba.so"]}], kind=1),
    ],
)
def test_other_notes_say_nothing(other: Note) -> None:
    assert read_opened_names(write_elf(notes=[other])) == ()


def test_data_that_is_written_to_holds_no_names() -> None:
    elf = bytearray(write_elf(notes=[strings(b"liba.so.1")]))
    assert read_opened_names(bytes(elf)) == ("liba.so.1",)
    count = struct.unpack_from("<H", elf, 56)[0]
    for at in range(64, 64 + 56 * count, 56):
        if struct.unpack_from("<I", elf, at)[0] == PT_LOAD:
            struct.pack_into("<I", elf, at + 4, 6)
    assert read_opened_names(bytes(elf)) == ()


def test_a_path(tmp_path: Path) -> None:
    (tmp_path / "a.so").write_bytes(write_elf(notes=[strings(b"liba.so.1")]))
    (tmp_path / "empty.so").touch()
    assert read_opened_names(str(tmp_path / "a.so")) == ("liba.so.1",)
    assert read_opened_names(str(tmp_path / "empty.so")) == ()
    with pytest.raises(FileNotFoundError):
        read_opened_names(str(tmp_path / "gone.so"))


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"\x7fELF\1\1\1" + bytes(60), b"MZ" * 100])
def test_what_is_no_such_file_holds_none(data: bytes) -> None:
    assert read_opened_names(data) == ()


@given(st.data())
def test_no_bytes_raise(data: st.DataObject) -> None:
    elf = bytearray(write_elf(notes=[strings(b"liba.so.1"), note([{"soname": ["libb.so"]}])], needed=["libc.so.6"]))
    for _ in range(data.draw(st.integers(1, 8))):
        elf[data.draw(st.integers(16, len(elf) - 1))] = data.draw(st.integers(0, 255))
    read_opened_names(bytes(elf[: data.draw(st.integers(0, len(elf)))]))

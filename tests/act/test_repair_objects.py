from __future__ import annotations

import struct

import pytest

from abicheck.act.repair.objects import repair_object
from abicheck.errors import TargetError
from abicheck.model.elf import SharedObject
from abicheck.read.elf import parse_elf
from tests.elfparts import PT_GNU_STACK, WEAK, Relocation, Symbol
from tests.elfwriter import Elf, write_elf


def _repaired(content: bytes, name: str = "demo.libs/libx.so", directories: set[str] | None = None) -> tuple[bytes, list[str]]:
    memory = bytearray(content)
    changes = repair_object(memory, name, directories)
    assert len(memory) == len(content)
    return bytes(memory), [change.meaning for change in changes]


def _path(content: bytes) -> str | None:
    facts = parse_elf(content)
    assert isinstance(facts, SharedObject)
    assert facts.dynamic is not None
    return facts.dynamic.rpath if facts.dynamic.runpath is None else facts.dynamic.runpath


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize(("stack", "words"), [(7, "RWE → RW"), (1, "E → "), (5, "RE → R")])
def test_one_bit_of_the_stack_header(machine: str, stack: int, words: str) -> None:
    before = write_elf(machine=machine, stack=stack)
    after, said = _repaired(before)
    assert said == [f"PT_GNU_STACK {words}"]
    (at,) = [at for at, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    assert before[at] ^ after[at] == 1
    assert struct.unpack_from("<I", before, at - 4) == (PT_GNU_STACK,)
    assert _repaired(after) == (after, [])


def test_every_stack_header_is_cleared() -> None:
    headers = [(PT_GNU_STACK, 7, 0, 0, 0, 0, 16), (PT_GNU_STACK, 6, 0, 0, 0, 0, 16)]
    assert len(_repaired(write_elf(stack=7, headers=headers))[1]) == 2


@pytest.mark.parametrize(
    "content",
    [
        write_elf(stack=6),
        write_elf(stack=7, type=2),
        write_elf(stack=7, interpreter="/lib64/ld-linux-x86-64.so.2"),
        write_elf(stack=7, dynamic=[(0x6FFFFFFB, 0x08000000)]),
        write_elf(stack=None, machine="aarch64"),
        write_elf(stack=7)[:100],
        b"\x7fELF",
        b"no object at all",
    ],
)
def test_what_needs_no_repair_stays(content: bytes) -> None:
    assert _repaired(content) == (content, [])


def test_no_stack_header_cannot_be_cleared() -> None:
    with pytest.raises(TargetError, match="no PT_GNU_STACK at all"):
        _repaired(write_elf(stack=None))


def test_an_object_of_32_bits_is_refused() -> None:
    header = b"\x7fELF\1\1\1" + bytes(9) + struct.pack("<HHIIIIIHHHHHH", 3, 3, 1, 0, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    with pytest.raises(TargetError, match="of 32 bits"):
        _repaired(header + struct.pack("<8I", PT_GNU_STACK, 0, 0, 0, 0, 0, 7, 16))


@pytest.mark.parametrize("tag", ["rpath", "runpath"])
@pytest.mark.parametrize(
    ("old", "directories", "new"),
    [
        ("demo.libs", {"demo", "demo.libs"}, "$ORIGIN"),
        ("./demo.libs/", {"demo", "demo.libs"}, "$ORIGIN"),
        ("demo.libs/sub/../x", {"demo.libs", "demo.libs/x"}, "$ORIGIN/x"),
        ("$ORIGIN:demo.libs", {"demo.libs"}, "$ORIGIN"),
        ("/opt/lib:demo.libs", {"demo.libs"}, "/opt/lib:$ORIGIN"),
        (":/opt/lib", {"demo.libs"}, "/opt/lib"),
        ("nowhere/at/all", {"demo.libs"}, "$ORIGIN"),
    ],
)
def test_a_relative_search_path(tag: str, old: str, directories: set[str], new: str) -> None:
    before = write_elf(soname="libx.so", needed=["liby.so"], **{tag: old})
    after, said = _repaired(before, directories=directories)
    assert _path(after) == new
    assert said == [f"DT_{tag.upper()} {old} → {new}"]
    assert _repaired(before)[1] == []


@pytest.mark.parametrize("path", ["$ORIGIN", "${ORIGIN}/../x", "/opt/lib"])
def test_other_search_paths_stay(path: str) -> None:
    before = write_elf(runpath=path)
    assert _repaired(before, directories={"demo.libs"}) == (before, [])


def test_a_string_that_is_there_is_used_although_it_is_longer() -> None:
    before = write_elf(rpath="libs", symbols=[Symbol("in:$ORIGIN/libs", defined=True)], merged=True)
    after, _ = _repaired(before, "x.so", {"libs"})
    assert _path(after) == "$ORIGIN/libs"
    assert sum(old != new for old, new in zip(before, after, strict=True)) <= 8
    assert parse_elf(after).definitions.keys() == {"in:$ORIGIN/libs"}  # type: ignore[union-attr]


def test_a_string_that_does_not_fit_is_refused() -> None:
    with pytest.raises(TargetError, match="does not fit there; use patchelf"):
        _repaired(write_elf(rpath="libs"), "a/b/x.so", {"libs"})


@pytest.mark.parametrize(
    "more",
    [
        {"filters": ["o.libs"]},
        {"needed": ["demo.libs"]},
        {"soname": "in.demo.libs"},
        {"symbols": [Symbol("libs", defined=True)]},
        {"symbols": [Symbol("libs", binding=WEAK)], "relocations": [Relocation("glob_dat", "libs")]},
        {"symbols": [Symbol("libs")], "relocations": [Relocation("jump_slot", "libs")]},
        {"filters": ["libs"]},
        {"symbols": [Symbol("s", version="libs", file="libs")]},
        {"version_definitions": ["libs"]},
        {"auxiliaries": ["libs"]},
    ],
)
def test_a_string_that_others_share_is_refused(more: dict[str, object]) -> None:
    elf = Elf(rpath="demo.libs", merged=True, **more)  # type: ignore[arg-type]
    assert elf._strings[str(more.get("soname", "demo.libs"))]  # the longest one first, so that others find their tails in it
    with pytest.raises(TargetError, match="share their tails"):
        _repaired(elf.build(), directories={"demo.libs"})


def test_a_string_of_its_own_is_changed_whatever_others_are_called() -> None:
    before = write_elf(rpath="demo.libs", soname="libs", needed=["s"])
    assert _path(_repaired(before, directories={"demo.libs"})[0]) == "$ORIGIN"


def test_a_string_table_of_unknown_size_is_refused() -> None:
    with pytest.raises(TargetError, match="do not lie in the file"):
        _repaired(write_elf(rpath="demo.libs", without=[10]), directories={"demo.libs"})

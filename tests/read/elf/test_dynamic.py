"""The dynamic section: last entry wins, names are read to their NUL, and what cannot be read is a fault of its stage."""

from __future__ import annotations

import pytest

from tests.elfwriter import Elf, write_elf
from tests.read.elf.damage import facts, stages, with_entry, with_header

NOWHERE = 1 << 47


def test_names(library: Elf) -> None:
    info = facts(
        write_elf(needed=["liba.so", "libb.so", "liba.so"], soname="libx.so.1", rpath="$ORIGIN/a:/b", runpath="")
    ).dynamic
    assert info is not None
    assert info.needed == ("liba.so", "libb.so", "liba.so")
    assert (info.soname, info.rpath, info.runpath) == ("libx.so.1", "$ORIGIN/a:/b", "")
    info = facts(library.build()).dynamic
    assert info is not None
    assert (info.rpath, info.runpath) == (None, "$ORIGIN")


def test_filters_and_auxiliaries_keep_their_order() -> None:
    info = facts(write_elf(filters=["libf.so"], auxiliaries=["liba.so", "libb.so"])).dynamic
    assert info is not None
    assert (info.filters, info.auxiliaries, info.needed) == (("libf.so",), ("liba.so", "libb.so"), ())


def test_of_entries_that_may_stand_once_the_last_counts() -> None:
    first = Elf(soname="first", needed=["second"])
    first.build()
    info = facts(write_elf(soname="first", needed=["second"], dynamic=[(14, 1), (30, 0), (30, 2)])).dynamic
    assert info is not None
    assert info.soname == "second"
    assert (info.flags, info.symbolic) == (2, True)


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([(16, 0)], {"symbolic"}),
        ([(22, 0)], {"textrel"}),
        ([(24, 0)], {"bind_now"}),
        ([(30, 2)], {"symbolic"}),
        ([(30, 4)], {"textrel"}),
        ([(30, 8)], {"bind_now"}),
        ([(0x6FFFFFFB, 1)], {"bind_now"}),
        ([(0x6FFFFFFB, 0x48)], set()),
        ([(0x70000000, 0)], {"x86_64_plt"}),
        ([(17, 0)], {"has_rel"}),
        ([(7, 0), (8, 0)], {"has_rela"}),
        ([(7, 0), (8, 24)], {"has_rela", "null_rela"}),
    ],
)
def test_flags(entries: list[tuple[int, int]], expected: set[str]) -> None:
    info = facts(write_elf(dynamic=entries)).dynamic
    names = ("symbolic", "textrel", "bind_now", "x86_64_plt", "has_rel", "has_rela", "null_rela")
    assert {name for name in names if getattr(info, name)} == expected


def test_sizes_of_entries_and_counts(library: Elf) -> None:
    info = facts(library.build()).dynamic
    assert info is not None
    assert (info.rela_entry, info.rel_entry, info.relr_entry, info.plt_rel, info.relacount) == (24, None, None, 7, 1)
    assert info.has_hash
    assert info.has_gnu_hash
    assert info.tags[0] == 1
    assert 0 not in info.tags


def test_a_name_that_is_no_utf8_survives() -> None:
    info = facts(write_elf(needed=["lib\udcff.so"])).dynamic
    assert info is not None
    assert info.needed == ("lib\udcff.so",)


def test_the_section_is_walked_past_its_segment(library: Elf) -> None:
    data = library.build()
    assert facts(with_header(data, 2, filesz=16, memsz=16)).dynamic == facts(data).dynamic


@pytest.mark.parametrize("fields", [{"filesz": 0}, {"vaddr": 0}, {"type": 0}])
def test_without_a_dynamic_section(library: Elf, fields: dict[str, int]) -> None:
    assert facts(with_header(library.build(), 2, **fields)).dynamic is None


def test_a_dynamic_section_that_is_nowhere(library: Elf) -> None:
    found = facts(with_header(library.build(), 2, vaddr=NOWHERE))
    assert [tuple(fault) for fault in found.faults] == [("dynamic", "SIGSEGV")]
    assert found.dynamic is not None
    assert found.dynamic.tags == ()


def test_strings_that_are_nowhere(library: Elf) -> None:
    found = facts(with_entry(library, 5, NOWHERE))
    assert {fault.stage for fault in found.faults} == {"needed", "soname", "search-path", "version-needs", "relocations"}
    assert found.dynamic is not None
    assert found.dynamic.needed == ()


def test_names_before_one_that_cannot_be_read_are_kept() -> None:
    found = facts(write_elf(needed=["liba.so"], dynamic=[(1, NOWHERE), (1, 1)]))
    assert found.dynamic is not None
    assert found.dynamic.needed == ("liba.so",)
    assert [tuple(fault) for fault in found.faults] == [("needed", "SIGSEGV")]


def test_rpath_beside_runpath_is_not_read() -> None:
    assert stages(write_elf(runpath="/a", dynamic=[(15, NOWHERE)])) == {}
    assert stages(write_elf(rpath="/a", dynamic=[(15, NOWHERE)])) == {"search-path": "SIGSEGV"}


def test_the_size_of_the_string_table_does_not_matter(library: Elf) -> None:
    expected = facts(library.build())
    for size in (0, 1, 1 << 20, 2**64 - 1):
        found = facts(with_entry(library, 10, size))
        assert found.dynamic == expected.dynamic
        assert found.references == expected.references
        assert dict(found.definitions) == dict(expected.definitions)


def test_the_interpreter() -> None:
    assert facts(write_elf(interpreter="/lib64/ld-linux-x86-64.so.2")).interpreter == "/lib64/ld-linux-x86-64.so.2"
    assert facts(write_elf()).interpreter is None

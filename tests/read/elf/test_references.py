"""What relocations refer to: which, in which order, and how far the loader gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.elfparts import FUNC, GLOBAL, HIDDEN, INTERNAL, LOCAL, PROTECTED, RELOCATION_TYPES, TLS, WEAK, Relocation, Symbol
from tests.elfwriter import Elf, write_elf
from tests.read.elf.damage import facts, stages, with_entry, with_word

if TYPE_CHECKING:
    from collections.abc import Sequence

NOWHERE = 1 << 47
A, B = Symbol("a"), Symbol("b")


def _names(data: bytes) -> list[tuple[str | None, str]]:
    return [(each.name, each.kind) for each in facts(data).references]


def test_rela_comes_before_jmprel_and_relative_is_left_out() -> None:
    relocations = [Relocation("jump_slot", "a"), Relocation("relative"), Relocation("glob_dat", "b"), Relocation("absolute", "a")]
    found = facts(write_elf(symbols=[A, B], relocations=relocations)).references
    assert [(each.name, each.kind, each.in_plt) for each in found] == [
        ("b", "data", False),
        ("a", "data", False),
        ("a", "plt", True),
    ]


def test_each_symbol_is_asked_for_once_a_kind() -> None:
    kinds = ["glob_dat", "absolute", "glob_dat", "dtpmod", "dtpoff", "tpoff"]
    relocations = [Relocation(kind, name) for kind in kinds for name in ("a", "b")]
    assert _names(write_elf(symbols=[A, B], relocations=relocations)) == [
        (name, kind) for kind in ("data", "tls-dynamic", "tls-static") for name in ("a", "b")
    ]


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize(
    ("relocation", "kind", "plt_class"),
    [
        ("absolute", "data", False),
        ("glob_dat", "data", False),
        ("jump_slot", "plt", True),
        ("tpoff", "tls-static", True),
        ("tlsdesc", "tls-descriptor", True),
        ("dtpmod", "tls-dynamic", True),
        ("dtpoff", "tls-dynamic", True),
        ("copy", "copy", False),
        ("irelative", "irelative", False),
        ("unknown", "unknown", False),
    ],
)
def test_kinds(machine: str, relocation: str, kind: str, plt_class: bool) -> None:  # noqa: FBT001 - a table
    (found,) = facts(write_elf(machine=machine, symbols=[A], relocations=[Relocation(relocation, "a")])).references
    assert (found.name, found.kind, found.plt_class) == ("a", kind, plt_class)
    assert found.type == RELOCATION_TYPES[machine][relocation]


@pytest.mark.parametrize("relocation", ["none", "relative"])
def test_what_refers_to_nothing(relocation: str) -> None:
    assert _names(write_elf(symbols=[A], relocations=[Relocation(relocation, "a")])) == []


def test_local_and_hidden_symbols_have_no_name() -> None:
    symbols = [
        Symbol("local", defined=True, binding=LOCAL),
        Symbol("hidden", defined=True, visibility=HIDDEN),
        Symbol("internal", defined=True, visibility=INTERNAL),
        Symbol("protected", defined=True, visibility=PROTECTED),
        Symbol("weak", binding=WEAK),
    ]
    relocations = [Relocation("tpoff", symbol.name) for symbol in symbols] + [Relocation("tpoff")]
    found = facts(write_elf(symbols=symbols, relocations=relocations)).references
    assert [(each.name, each.weak, each.visibility) for each in found] == [
        (None, False, 0),
        (None, False, HIDDEN),
        (None, False, INTERNAL),
        ("protected", False, PROTECTED),
        ("weak", True, 0),
        (None, False, 0),
    ]


def test_the_name_of_a_local_symbol_may_lie_anywhere() -> None:
    elf = Elf(symbols=[Symbol("local", defined=True, binding=LOCAL)], relocations=[Relocation("glob_dat", "local")])
    found = facts(with_word(elf, "dynsym", 24, "I", 0xFFFFFFFF))
    assert ([each.name for each in found.references], found.faults) == ([None], ())


@pytest.mark.parametrize("binding", [GLOBAL, WEAK])
def test_the_name_of_an_own_definition_may_not(binding: int) -> None:
    """Without a hash table the object is no help in finding its own definitions: each is looked up."""
    elf = Elf(symbols=[Symbol("own", defined=True, binding=binding)], relocations=[Relocation("glob_dat", "own")], hashes=())
    data = with_word(elf, "dynsym", 24, "I", 0xFFFFFFFF)
    assert stages(data) == {"relocations": "SIGSEGV"}
    assert facts(data).references == ()


def test_other_machines_have_no_references() -> None:
    data = bytearray(write_elf(symbols=[A], relocations=[Relocation("glob_dat", "a")]))
    data[18] = 243
    assert facts(bytes(data)).references == ()


def test_references_before_the_one_that_cannot_be_written_are_kept() -> None:
    relocations = [Relocation("glob_dat", "a"), Relocation("glob_dat", "b", offset=0x10), Relocation("tpoff", "a")]
    data = write_elf(symbols=[A, B], relocations=relocations)
    assert stages(data) == {"relocations": "SIGSEGV"}
    assert _names(data) == [("a", "data"), ("b", "data")]  # b is looked up before it is written


def test_nothing_is_written_for_none() -> None:
    data = write_elf(symbols=[A], relocations=[Relocation("none", offset=NOWHERE), Relocation("glob_dat", "a")])
    assert stages(data) == {}
    assert _names(data) == [("a", "data")]


def test_targets_in_two_writable_stretches() -> None:
    far = (1, 6, 0, 1 << 20, 0, 4096, 4096)
    near_and_far = [Relocation("glob_dat", "a"), Relocation("glob_dat", "b", offset=(1 << 20) + 8)]
    assert stages(write_elf(symbols=[A, B], relocations=near_and_far, headers=[far])) == {}
    between = [*near_and_far, Relocation("relative", offset=1 << 19)]
    assert stages(write_elf(symbols=[A, B], relocations=between, headers=[far])) == {"relocations": "SIGSEGV"}


FUNCTIONS = [Symbol("f", type=FUNC), Symbol("g", type=FUNC)]
CALLS = [Relocation("relative"), Relocation("relative"), Relocation("glob_dat", "f"), Relocation("jump_slot", "g")]


@pytest.mark.parametrize(
    ("tag", "value", "expected"),
    [
        (0x6FFFFFF9, 0, ["f", "g"]),
        (0x6FFFFFF9, 1, ["f", "g"]),
        (0x6FFFFFF9, 1 << 62, ["f", "g"]),  # times 24 it is 0 again
        (8, 0, ["g"]),
        (8, 48, ["g"]),
        (8, 49, ["f", "g"]),  # a relocation that is cut short is applied all the same
        (8, 96, ["f", "g"]),
        (8, 2**64 - 1, ["g"]),  # the end lies before the start
        (7, 0, ["g"]),
        (2, 0, ["f"]),
        (20, None, ["f"]),
    ],
)
def test_where_the_loops_begin_and_end(tag: int, value: int | None, expected: list[str]) -> None:
    data = with_entry(Elf(symbols=FUNCTIONS, relocations=CALLS), tag, value)
    assert [each.name for each in facts(data).references] == expected
    assert stages(data) == {}
    assert not facts(data).bad_relative_count


@pytest.mark.parametrize("count", [3, 4, 1000, 1 << 40])
def test_what_is_counted_as_relative_must_be(count: int) -> None:
    assert facts(with_entry(Elf(symbols=FUNCTIONS, relocations=CALLS), 0x6FFFFFF9, count)).bad_relative_count


def test_the_aarch64_loader_takes_what_is_counted_as_relative_unseen() -> None:
    elf = Elf(machine="aarch64", symbols=FUNCTIONS, relocations=CALLS)
    found = facts(with_entry(elf, 0x6FFFFFF9, 3))
    assert [each.name for each in found.references] == ["g"]
    assert not found.bad_relative_count


@pytest.mark.parametrize("tag", [8, 2, 23, 6])
def test_entries_that_others_need(tag: int) -> None:
    data = with_entry(Elf(symbols=FUNCTIONS, relocations=CALLS), tag, None)
    assert stages(data) == {"relocations": "SIGSEGV"}
    assert facts(data).references == ()


def test_jmprel_may_be_the_tail_of_rela_or_all_of_it() -> None:
    elf = Elf(symbols=FUNCTIONS, relocations=CALLS)
    both = with_entry(elf, 8, 96)
    assert [(each.name, each.in_plt) for each in facts(both).references] == [("f", False), ("g", True)]


@pytest.mark.parametrize(("tag", "expected"), [(7, []), (23, ["f"])])
def test_tables_that_are_nowhere(tag: int, expected: Sequence[str]) -> None:
    data = with_entry(Elf(symbols=FUNCTIONS, relocations=CALLS), tag, NOWHERE)
    assert [each.name for each in facts(data).references] == expected
    assert stages(data) == {"relocations": "SIGSEGV"}


def test_a_symbol_beyond_the_table_is_read_all_the_same() -> None:
    elf = Elf(symbols=[A], relocations=[Relocation("glob_dat", "a")])
    assert stages(with_word(elf, "rela", 12, "I", 1 << 28)) == {"relocations": "SIGSEGV"}
    assert len(facts(with_word(elf, "rela", 12, "I", 3)).references) == 1


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([0x1000, 0x1008], {}),
        ([0x1000, 0b111], {}),
        ([], {}),
        ([1], {}),
        ([0b11], {"relr": "SIGSEGV"}),
        ([0x10], {"relr": "SIGSEGV"}),
        ([0x1000, 1 << 63 | 1, 1 << 63 | 1], {}),
        ([0x1000, *([1] * 100)], {}),
        ([0x1000, *([1] * 100), 0b11], {"relr": "SIGSEGV"}),
    ],
)
def test_relr(entries: list[int], expected: dict[str, str]) -> None:
    assert stages(write_elf(relr=entries, bss=1024)) == expected


def test_thread_local_variables() -> None:
    data = write_elf(
        symbols=[Symbol("t", defined=True, type=TLS, value=0), Symbol("u", type=TLS)],
        relocations=[Relocation("tpoff", "t"), Relocation("dtpmod", "u")],
        tls_size=8,
    )
    assert _names(data) == [("t", "tls-static"), ("u", "tls-dynamic")]
    assert facts(data).definitions["t"][0].tls

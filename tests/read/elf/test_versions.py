"""Version needs and definitions, and the table that references and definitions select their versions from."""

from __future__ import annotations

import pytest

from abicheck.model.symbols import BEYOND, Version, VersionDefinition, VersionNeed
from abicheck.model.symbols import NeededVersion as Needed
from tests.elfparts import NeededVersion, Relocation, Symbol, sysv_hash
from tests.elfwriter import Elf
from tests.read.elf.damage import facts, stages, with_entry, with_word

NOWHERE = 1 << 47
GLIBC = sysv_hash("GLIBC_2.2.5")


def test_needs_and_definitions(library: Elf) -> None:
    found = facts(library.build())
    assert found.version_needs == (VersionNeed("libc.so.6", 1, (Needed("GLIBC_2.2.5", GLIBC, 0, 4),)),)
    assert found.version_definitions == (
        VersionDefinition("libx.so.1", sysv_hash("libx.so.1"), 1, 1, 1),
        VersionDefinition("V1", sysv_hash("V1"), 2, 0, 1),
        VersionDefinition("V2", sysv_hash("V2"), 3, 0, 1),
    )
    assert found.versions_in_use


def test_weak_needs_and_files_without_symbols() -> None:
    elf = Elf(version_needs=[NeededVersion("liba.so", "A", weak=True), NeededVersion("libb.so", "B", hash=7)])
    assert [(need.file, [tuple(each) for each in need.versions]) for need in facts(elf.build()).version_needs] == [
        ("liba.so", [("A", sysv_hash("A"), 2, 2)]),
        ("libb.so", [("B", 7, 0, 3)]),
    ]


def test_references_and_definitions_have_their_versions(library: Elf) -> None:
    found = facts(library.build())
    assert {each.name: each.version for each in found.references} == {
        "puts": Version("GLIBC_2.2.5", GLIBC, "libc.so.6"),
        "answer": None,
    }
    (old,) = found.definitions["old"]
    assert (old.version, old.index, old.hidden) == (Version("V1", sysv_hash("V1")), 2, True)
    (answer,) = found.definitions["answer"]
    assert (answer.version, answer.index, answer.hidden) == (None, 1, False)


def test_bit_15_of_a_needed_index_hides_the_version(library: Elf) -> None:
    found = facts(with_word(library, "verneed", 16 + 6, "H", 0x8004))
    assert found.references[-1].version == Version("GLIBC_2.2.5", GLIBC, "libc.so.6", hidden=True)


def test_an_index_behind_the_table_may_mean_anything() -> None:
    elf = Elf(
        symbols=[Symbol("answer", defined=True, version="V1"), Symbol("asked", version="V2", file="libb.so")],
        version_definitions=["V1"],
        relocations=[Relocation("glob_dat", "asked")],
    )
    sound = facts(elf.build())
    assert sound.demand is not None
    stray = facts(with_word(elf, "versym", 2 * elf.index("asked"), "H", 0x7FFF))
    assert (stray.references[0].version, stray.demand) == (BEYOND, None)
    (definition,) = facts(with_word(elf, "versym", 2 * elf.index("answer"), "H", 9)).definitions["answer"]
    assert definition.version == BEYOND


def test_without_a_string_table_there_are_no_versions(library: Elf) -> None:
    found = facts(with_entry(library, 5, None))
    assert (found.version_needs, found.version_definitions, found.versions_in_use) == ((), (), False)


def test_tables_that_select_nothing_are_not_in_use() -> None:
    elf = Elf(symbols=[Symbol("answer", defined=True, version="V1")], version_definitions=["V1"])
    assert facts(elf.build()).versions_in_use
    assert not facts(with_entry(elf, 0x6FFFFFFC, None)).versions_in_use
    need = Elf(version_needs=[NeededVersion("liba.so", "A")])
    assert not facts(with_word(need, "verneed", 16 + 6, "H", 0)).versions_in_use


def test_versions_without_their_index_table(library: Elf) -> None:
    assert stages(with_entry(library, 0x6FFFFFF0, None))["symbol-versions"] == "SIGSEGV"


def test_an_index_table_without_versions() -> None:
    """The loader looks into a table that it has not made."""
    elf = Elf(
        symbols=[Symbol("answer", defined=True, version="V1")],
        version_definitions=["V1"],
        relocations=[Relocation("relative"), Relocation("glob_dat", "answer")],
    )
    found = facts(with_entry(elf, 0x6FFFFFFC, None))
    assert [tuple(fault) for fault in found.faults] == [("relocations", "SIGSEGV")]
    assert found.references == ()
    (definition,) = found.definitions["answer"]
    assert (definition.version, definition.index, definition.hidden) == (None, 0, False)


@pytest.mark.parametrize(("tag", "stage"), [(0x6FFFFFFE, "version-needs"), (0x6FFFFFFC, "version-definitions")])
def test_tables_that_are_nowhere(library: Elf, tag: int, stage: str) -> None:
    assert stages(with_entry(library, tag, NOWHERE))[stage] == "SIGSEGV"


@pytest.mark.parametrize(("table", "offset"), [("verneed", 12), ("verdef", 16)])
def test_a_chain_that_leads_out_of_the_mapping_keeps_what_came_before(library: Elf, table: str, offset: int) -> None:
    found = facts(with_word(library, table, offset, "I", 0xFFFFFFF0))
    assert len(found.version_needs) == 1
    assert len(found.version_definitions) == (3 if table == "verneed" else 1)
    assert [fault.signal for fault in found.faults] == ["SIGSEGV"]


def test_other_revisions_are_told(library: Elf) -> None:
    assert facts(with_word(library, "verneed", 0, "H", 2)).version_needs[0].revision == 2
    assert facts(with_word(library, "verdef", 0, "H", 7)).version_definitions[0].revision == 7

"""Real files: the extension modules of this Python and its C library, against pyelftools, and cut short everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abicheck.model.elf import SharedObject
from abicheck.read.elf import parse_elf, read_elf, relocations
from abicheck.read.elf.crosscheck import cross_check
from abicheck.read.elf.hashes import GnuHash, SysvHash
from tests.elfwriter import Elf, write_elf
from tests.read.elf.conftest import real_files

if TYPE_CHECKING:
    from pathlib import Path

FILES = real_files()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_pyelftools_finds_the_same(path: Path) -> None:
    assert cross_check(str(path)) == []


def test_a_written_file_is_what_pyelftools_reads(library: Elf, tmp_path: Path) -> None:
    (tmp_path / "library.so").write_bytes(library.build())
    assert cross_check(str(tmp_path / "library.so")) == []


def test_differences_are_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.so").write_bytes(write_elf(soname="libx.so"))
    monkeypatch.setattr("abicheck.read.elf.oracle.Oracle.strings", lambda *_: ["liby.so"])
    assert "DT_SONAME: number 0 is 'libx.so' for us, 'liby.so' for pyelftools." in cross_check(str(tmp_path / "x.so"))


@pytest.mark.parametrize("data", [b"", b"text", write_elf()[:60]])
def test_there_is_nothing_to_compare_in_what_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.so").write_bytes(data)
    assert cross_check(str(tmp_path / "x.so")) == []


@pytest.mark.parametrize("path", FILES[:6] + FILES[-2:], ids=lambda path: path.name)
def test_reading_with_care_finds_the_same_as_reading_at_a_glance(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    glance = read_elf(str(path))
    monkeypatch.setattr(relocations, "_read_tables", lambda *_, **__: None)
    for table in (GnuHash, SysvHash):
        monkeypatch.setattr(table, "measure", lambda *_: None)
    care = read_elf(str(path))
    assert isinstance(glance, SharedObject)
    assert isinstance(care, SharedObject)
    assert care.references == glance.references
    assert care.faults == glance.faults == ()
    names = list(glance.definitions)[:300]
    assert all(care.definitions[name] == glance.definitions[name] for name in names)
    assert care.definitions.get("no such name") is None


def test_bytes_and_files_are_read_alike() -> None:
    path = FILES[0]
    assert parse_elf(path.read_bytes()) == read_elf(str(path))


def test_every_cut_of_a_file_has_facts(library: Elf) -> None:
    data = library.build()
    for size in range(0, len(data), 16):
        found = parse_elf(data[:size])
        if isinstance(found, SharedObject):
            assert all(found.definitions[name] for name in found.definitions)


def test_cuts_of_a_real_file_have_facts() -> None:
    data = FILES[0].read_bytes()
    for size in range(0, len(data), 1 + len(data) // 200):
        found = parse_elf(data[:size])
        assert found.size == size

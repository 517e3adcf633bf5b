"""The generator of damaged objects: what it makes differs from the sound object and is the same every time."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import pytest

from tests.truth.corpus import Subject, stratified
from tests.truth.damage.edits import Edit, put
from tests.truth.damage.image import PT_LOAD, Image
from tests.truth.damage.sample import FAMILIES, edits, is_sound, sample
from tests.truth.damage.versions import elf_hash

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs a shared object of this machine")
#: Families that need something which not every object has.
OPTIONAL = {"tls", "version-definitions", "version-needs", "version-indices", "notes"}


@pytest.fixture(scope="module")
def data() -> bytes:
    """The smallest shared object that this very process has loaded, of those that need another one: any will do."""
    lines = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    files = {Path(line.split(maxsplit=5)[5]) for line in lines if ".so" in line.rpartition("/")[2]}
    contents = (file.read_bytes() for file in sorted(files, key=lambda file: file.stat().st_size))
    sound = (content for content in contents if content[4:6] == b"\2\1" and is_sound(content))
    return next(content for content in sound if b"libc.so.6\0" in content and edits(content, "names", Random(1)))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_edit_changes_the_object(data: bytes, family: str) -> None:
    made = edits(data, family, Random(1))
    assert made or family in OPTIONAL
    assert all(edit.apply(data) != data for edit in made)


@pytest.mark.parametrize("family", FAMILIES)
def test_edits_stay_within_the_file(data: bytes, family: str) -> None:
    made = edits(data, family, Random(1))
    assert all(len(edit.apply(data)) == (len(data) if edit.size is None else edit.size) for edit in made)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_sample_is_the_same_for_the_same_seed(data: bytes, family: str) -> None:
    assert sample(data, family, 8, "1") == sample(data, family, 8, "1")


def test_another_seed_takes_another_sample(data: bytes) -> None:
    assert sample(data, "segments", 20, "1") != sample(data, "segments", 20, "2")


def test_a_sample_takes_every_kind_before_it_takes_one_twice(data: bytes) -> None:
    kinds = {edit.kind for edit in edits(data, "ident", Random(1))}
    assert {edit.kind for edit in sample(data, "ident", len(kinds), "1")} == kinds


def test_the_image_agrees_with_the_header(data: bytes) -> None:
    image = Image(data)
    assert len(image.segments) == int.from_bytes(data[56:58], "little")
    assert all(image.offset(load.vaddr) == load.offset for load in image.of_type(PT_LOAD) if load.filesz)


def test_patches_are_cut_to_their_width() -> None:
    assert put(3, "BH", -1, 0x12345) == (3, b"\xff\x45\x23")


def test_an_edit_patches_before_it_cuts() -> None:
    assert Edit("kind", "name", ((1, b"xy"),), 3).apply(b"abcde") == b"axy"


def test_the_hash_of_a_version_name() -> None:
    assert elf_hash(b"GLIBC_2.2.5") == 0x09691A75


def test_the_stratified_choice_takes_of_every_family_and_never_changes() -> None:
    groups = {
        name: [Subject(path=f"/{family}/{number}", family=family) for family in ("a", "b") for number in range(50)]
        for name in ("one", "two")
    }
    chosen = stratified(groups, 20)
    assert chosen == stratified(groups, 20)
    assert {name: {each.family for each in group} for name, group in chosen.items()} == {"one": {"a", "b"}, "two": {"a", "b"}}
    assert sum(map(len, chosen.values())) == 20

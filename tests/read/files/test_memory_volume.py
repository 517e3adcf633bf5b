from __future__ import annotations

import os
from errno import EACCES, EISDIR, ENOENT, ENOTDIR

import pytest

from abicheck.model.elf import Malformed
from abicheck.read.files import Entry, FactStore, Memory, Root

ENTRIES = {
    "/usr/lib/libx.so.1": Entry(link="libx.so.1.2"),
    "/usr/lib/libx.so.1.2": Entry(
        size=7, load=lambda: Malformed(reason="too-short", size=7), read=lambda limit: b"content"[:limit]
    ),
    "/usr/lib/hard-1": Entry(size=1, same=0),
    "/usr/lib/hard-2": Entry(size=1, same=0),
    "/usr/lib/secret": Entry(mode=0),
    "/lib": Entry(link="usr/lib"),
}


@pytest.fixture
def root() -> Root:
    return Root(Memory(ENTRIES, 5, ("/tmp/empty",)), FactStore())


def test_links_lead_to_the_one_file(root: Root) -> None:
    found = root.stat("/lib/libx.so.1")
    assert found == root.stat("/usr/lib/libx.so.1.2")
    assert not isinstance(found, int)
    assert found.size == 7
    assert root.facts(found) == Malformed(reason="too-short", size=7)
    assert root.resolve("/lib/libx.so.1") == "/usr/lib/libx.so.1.2"
    assert root.read("/lib/libx.so.1", 3) == b"con"
    assert root.locate("/lib/libx.so.1") is None
    assert root.inner("/usr/lib") is None


@pytest.mark.parametrize(
    ("path", "errno"),
    [("/lib/none", ENOENT), ("/none/libx.so.1", ENOENT), ("/lib/libx.so.1/more", ENOTDIR), ("/lib/secret", EACCES)],
)
def test_what_cannot_be_opened(root: Root, path: str, errno: int) -> None:
    assert root.stat(path) == errno


def test_directories(root: Root) -> None:
    assert sorted(root.names("/")) == ["lib", "tmp", "usr"]
    assert sorted(root.names("/lib")) == sorted(os.path.basename(path) for path in ENTRIES if path.startswith("/usr/lib/"))
    assert root.has_directory("/tmp/empty")
    found = root.stat("/lib")
    assert not isinstance(found, int)
    assert root.facts(found) == Malformed(reason="is-a-directory", size=0, errno=EISDIR)


def test_names_of_one_file_are_one_inode(root: Root) -> None:
    assert root.stat("/lib/hard-1") == root.stat("/lib/hard-2")


def test_another_tree_has_other_files() -> None:
    one, same, other = (Root(Memory(ENTRIES, identity), FactStore()).stat("/lib/libx.so.1") for identity in (5, 5, 6))
    assert one == same != other

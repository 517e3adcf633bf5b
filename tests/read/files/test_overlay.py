from __future__ import annotations

import os
from errno import ENOENT, ENOTDIR
from typing import TYPE_CHECKING

import pytest

from abicheck.model.artifact import Distribution, Scheme, Sources
from abicheck.model.elf import Malformed
from abicheck.model.files import FileId
from abicheck.read.files import FactStore, Overlay, Root

if TYPE_CHECKING:
    from pathlib import Path

    from abicheck.model.elf import ElfFile

FACTS = Malformed(reason="not-elf", size=7)


class Package:
    """A package that brings files at these paths."""

    distribution = Distribution("wheel", "demo", "1", "demo", "demo", Scheme("", "", ""), (), ())

    def __init__(self, *paths: str) -> None:
        self._entries = {path: FileId(-9, number, 1, 1, 1) for number, path in enumerate(paths)}

    def entries(self) -> dict[str, FileId]:
        return self._entries

    def facts(self, file: FileId) -> ElfFile:
        assert file in self._entries.values()
        return FACTS

    def sources(self) -> Sources:
        return Sources()


FILES = [
    "/usr/lib/python3/site/demo/ext.so",
    "/usr/lib/python3/site/demo.libs/libx.so",
    "/usr/lib/old.so",
    "/new/deep/file",
]


def _fill(root: Path) -> None:
    for name in ("usr/lib/python3/there.py", "usr/lib/old.so", "usr/lib/python3/site2/x", "etc/passwd"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "lib").symlink_to("usr/lib")
    (root / "usr/lib/link.so").symlink_to("old2.so")
    (root / "usr/lib/old2.so").write_text("x")
    (root / "usr/lib64").symlink_to("/lib")


@pytest.fixture
def overlay(tmp_path: Path) -> Overlay:
    root = tmp_path / "root"
    root.mkdir()
    _fill(root)
    return Overlay(Root(str(root), FactStore()), Package(*FILES))


@pytest.fixture
def merged(tmp_path: Path) -> Root:
    """The same files really installed."""
    root = tmp_path / "merged"
    root.mkdir()
    _fill(root)
    for path in FILES:
        (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (root / path[1:]).write_text("installed")
    return Root(str(root), FactStore())


PATHS = [
    *FILES,
    "/lib/python3/site/demo/ext.so",
    "/usr/lib64/python3/site/demo/../demo.libs/libx.so",
    "/usr/lib/python3/site/demo/.././/demo.libs/libx.so",
    "/usr/lib/python3/site/demo",
    "/usr/lib/python3/site/demo/",
    "/usr/lib/python3/site/demo/.",
    "/usr/lib/python3/site/demo/..",
    "/usr/lib/python3/site/demo/gone.so",
    "/usr/lib/python3/site/gone/x.so",
    "/usr/lib/python3/site/demo/ext.so/",
    "/usr/lib/python3/site/demo/ext.so/.",
    "/usr/lib/python3/site/demo/ext.so/../x",
    "/usr/lib/python3/there.py",
    "/usr/lib/python3/site2/x",
    "/usr/lib/python3/there.py/x",
    "/usr/lib/link.so",
    "/lib/old.so",
    "/new",
    "/new/deep/../deep/file",
    "/../new/deep/file",
    "/",
    "//",
    "",
    "/etc/passwd",
    "/gone",
    "/" + "a/" * 2048 + "b",
    "/new" + "/deep/.." * 400 + "/deep/file",
    "/a\0b",
]


@pytest.mark.parametrize("path", PATHS)
def test_names_lead_where_a_kernel_would_lead(overlay: Overlay, merged: Root, path: str) -> None:
    mine, real = overlay.stat(path), merged.stat(path)
    assert (mine if isinstance(mine, int) else "file") == (real if isinstance(real, int) else "file")
    assert overlay.resolve(path) == merged.resolve(path)


def test_files_are_those_of_the_package_and_else_the_hosts(overlay: Overlay) -> None:
    assert overlay.stat("/lib/python3/site/demo/ext.so") == FileId(-9, 0, 1, 1, 1)
    assert overlay.stat("/lib/old.so") == FileId(-9, 2, 1, 1, 1)
    for path, facts in (("/new/deep/file", FACTS), ("/etc/passwd", Malformed("too-short", 10))):
        file = overlay.stat(path)
        assert isinstance(file, FileId)
        assert overlay.facts(file) == facts
    directory = overlay.stat("/new/deep")
    assert isinstance(directory, FileId)
    assert overlay.facts(directory) == Malformed(reason="is-a-directory", size=0, errno=21)


def test_a_later_package_wins_and_the_host_stays_as_it_is(tmp_path: Path) -> None:
    base = Root(str(tmp_path), FactStore())
    first, second = Package("/a/x"), Package("/b/y", "/a/x")
    overlay = Overlay(base, first, second)
    assert overlay.stat("/a/x") == FileId(-9, 1, 1, 1, 1)
    assert base.stat("/a/x") == ENOENT
    assert Overlay(base).stat("/a/x") == ENOENT
    assert os.listdir(tmp_path) == []


def test_a_package_may_bring_a_directory_where_the_host_has_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("file")
    base = Root(str(tmp_path), FactStore())
    assert base.stat("/a/x") == ENOTDIR
    assert Overlay(base, Package("/a/x")).stat("/a/x") == FileId(-9, 0, 1, 1, 1)

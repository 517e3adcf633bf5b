"""Base images: what goes into their tar, always in the same bytes, and one clear line where none can be made."""

from __future__ import annotations

import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from containers import make_base
from containers.make_base import BASES, NEXT_GLIBC, write_tar
from containers.make_root import Recipe, RootError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small root with what is kept and what is not."""
    files = {
        "usr/lib/x86_64-linux-gnu/libc.so.6": "GNU C Library (Debian GLIBC 2.41-12) stable release version 2.41.\n",
        "usr/bin/python3.13": "program",
        "usr/share/doc/libc6/copyright": "text",
        **dict.fromkeys(("etc/hostname", "etc/resolv.conf", "etc/apt/sources.list", "var/cache/apt/x", "proc/1", "dev/null"), ""),
        **dict.fromkeys(("usr/share/man/man1/x", "usr/share/locale/de/x", "usr/lib/python3/__pycache__/x.pyc", "x/y"), ""),
    }
    for name, text in files.items():
        (tmp_path / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / name).write_text(text)
    (tmp_path / "root/lib").symlink_to("usr/lib")
    os.link(tmp_path / "root/usr/bin/python3.13", tmp_path / "root/usr/bin/python3")
    return tmp_path / "root"


def test_what_a_tar_holds(root: Path) -> None:
    write_tar(root, root.parent / "out.tar")
    with tarfile.open(root.parent / "out.tar") as tar:
        members = {member.name: member for member in tar.getmembers()}
    files = {name for name, member in members.items() if not member.isdir()}
    assert files == {
        *("lib", "usr/bin/python3", "usr/bin/python3.13", "usr/lib/x86_64-linux-gnu/libc.so.6", "usr/share/doc/libc6/copyright"),
    }
    assert {"dev", "proc"} <= set(members)
    assert "x" not in members
    assert (members["lib"].issym(), members["lib"].linkname) == (True, "usr/lib")
    assert (members["usr/bin/python3.13"].islnk(), members["usr/bin/python3.13"].linkname) == (True, "usr/bin/python3")


def test_the_same_files_give_the_same_bytes(root: Path) -> None:
    write_tar(root, root.parent / "one.tar")
    for path in root.rglob("*"):
        if not path.is_symlink():
            os.utime(path, (2_000_000_000, 2_000_000_000))
    write_tar(root, root.parent / "two.tar")
    assert (root.parent / "one.tar").read_bytes() == (root.parent / "two.tar").read_bytes()


def _make_root_of(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_base, "make_root", lambda _recipe, out, _mirror: root.rename(out))


def test_a_base_is_kept_in_the_cache(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _make_root_of(root, monkeypatch)
    monkeypatch.setenv("ABICHECK_CACHE", str(tmp_path / "cache"))
    path = make_base.open_base("glibc-2.41")
    assert path == tmp_path / "cache/bases/glibc-2.41.tar"
    assert os.listdir(path.parent) == ["glibc-2.41.tar"]
    assert make_base.open_base("glibc-2.41") == path  # the root is gone: it is not made again
    with pytest.raises(RootError, match=r"there is no base glibc-1\.0: name one of glibc-2\.31, "):
        make_base.open_base("glibc-1.0")


def test_a_suite_that_has_moved_on(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _make_root_of(root, monkeypatch)
    with pytest.raises(RootError, match=r"the packages have glibc 2\.41 now, not 2\.40: name the suite that has it"):
        make_base.make_base(Recipe(suite="trixie"), tmp_path / "new/out.tar", glibc="2.40")
    assert not os.listdir(tmp_path / "new")


def test_packages_of_another_suite() -> None:
    assert Recipe(suite="sid", pythons=("3.9",), packages=NEXT_GLIBC).suites() == ["sid", "experimental", "bullseye"]
    assert all("libstdc++6" in recipe.packages for recipe in BASES.values())


def test_the_command_line(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Recipe] = []

    def make_root(recipe: Recipe, out: Path, _mirror: str | None) -> None:
        asked.append(recipe)
        root.rename(out)

    monkeypatch.setattr(make_base, "make_root", make_root)
    out = str(tmp_path / "out.tar")
    options = ["--suite", "trixie", "--python", "3.9", "--python", "3.13", "--architecture", "arm64", "--package", "libc-bin/sid"]
    assert make_base.main([*options, out]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    packages = ("libc-bin/sid", "libstdc++6")
    assert asked == [Recipe(suite="trixie", pythons=("3.9", "3.13"), packages=packages, architecture="arm64")]
    assert make_base.main([*options, out]) == 1
    assert capsys.readouterr().err == f"make_base: {out} exists: remove it first\n"
    with pytest.raises(SystemExit):
        make_base.main(["--suite", "trixie"])
    assert "name the file to make" in capsys.readouterr().err

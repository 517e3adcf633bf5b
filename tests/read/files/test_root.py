from __future__ import annotations

import os
from errno import EACCES, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, ENXIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from abicheck.read.files import Disk, FactStore, Root, View, view_of

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A root with merged /usr, as distributions have it, and outside of it a file that must never be seen."""
    root = tmp_path / "root"
    (root / "usr/lib/x86_64-linux-gnu").mkdir(parents=True)
    (root / "usr/lib/x86_64-linux-gnu/libc.so.6").write_bytes(b"libc of the root")
    (root / "lib").symlink_to("usr/lib")
    (root / "lib64").symlink_to("/usr/lib/x86_64-linux-gnu")
    (tmp_path / "secret").write_bytes(b"outside")
    return root


@pytest.fixture
def root(directory: Path) -> Root:
    return Root(str(directory), FactStore())


def _inode(path: Path) -> int:
    return path.stat().st_ino


def _found(root: Root, path: str) -> int:
    answer = root.stat(path)
    assert not isinstance(answer, int), f"{path}: {os.strerror(answer)}"
    return answer.inode


@pytest.mark.parametrize(
    "path",
    [
        "/usr/lib/x86_64-linux-gnu/libc.so.6",
        "/lib/x86_64-linux-gnu/libc.so.6",
        "/lib64/libc.so.6",
        "//lib64//./libc.so.6",
        "usr/lib/x86_64-linux-gnu/libc.so.6",
        "/lib64/../x86_64-linux-gnu/libc.so.6",  # `..` leaves the real directory, not the link
        "/../../lib64/libc.so.6",  # there is nothing above the root
    ],
)
def test_paths_lead_to_the_roots_own_file(root: Root, directory: Path, path: str) -> None:
    assert _found(root, path) == _inode(directory / "usr/lib/x86_64-linux-gnu/libc.so.6")
    assert root.resolve(path) == "/usr/lib/x86_64-linux-gnu/libc.so.6"


@pytest.mark.parametrize("target", ["../secret", "../../../../../../..{outside}", "{outside}"])
def test_links_never_leave_the_root(root: Root, directory: Path, tmp_path: Path, target: str) -> None:
    (directory / "link").symlink_to(target.format(outside=tmp_path / "secret"))
    assert root.stat("/link") == ENOENT


def test_an_absolute_link_is_followed_from_the_root(root: Root, directory: Path) -> None:
    (directory / "loader").symlink_to("/lib64/libc.so.6")
    assert _found(root, "/loader") == _inode(directory / "usr/lib/x86_64-linux-gnu/libc.so.6")


def test_errnos_are_those_of_open(root: Root, directory: Path) -> None:
    (directory / "loop").symlink_to("loop2")
    (directory / "loop2").symlink_to("/loop")
    (directory / "dangling").symlink_to("nowhere")
    assert root.stat("/loop") == ELOOP
    assert root.stat("/loop/file") == ELOOP
    assert root.stat("/dangling") == ENOENT
    assert root.stat("/nowhere/file") == ENOENT
    assert root.stat("/lib64/libc.so.6/file") == ENOTDIR
    assert root.stat("/lib64/libc.so.6/") == ENOTDIR
    assert root.stat("") == ENOENT
    assert root.stat("/" + "x" * 256) == ENAMETOOLONG
    assert root.stat("/x" * 2048) == ENAMETOOLONG
    assert root.stat("/no\0name") == ENOENT


def test_at_most_40_links_are_followed_as_the_kernel_does(root: Root, directory: Path) -> None:
    (directory / "0").symlink_to("lib64/libc.so.6")
    for number in range(1, 42):
        (directory / str(number)).symlink_to(str(number - 1))
    disk = Disk(FactStore())
    (directory / "lib64").unlink()
    (directory / "lib64").symlink_to("usr/lib/x86_64-linux-gnu")
    for number in (37, 38, 39, 40, 41):
        inside, outside = root.stat(f"/{number}"), disk.stat(f"{directory}/{number}")
        assert inside == outside, number
    assert root.stat("/41") == ELOOP
    # A walk that ran out of links leaves nothing wrong behind.
    assert not isinstance(root.stat("/0"), int)


def test_a_deep_path_needs_no_deep_stack(root: Root, directory: Path) -> None:
    (directory / "a").mkdir()
    (directory / "a/a").symlink_to(".")
    assert root.stat("/a" * 1500) == ELOOP
    assert not isinstance(root.stat("/usr" + "/." * 1500), int)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_refused(root: Root, directory: Path) -> None:
    (directory / "unreadable.so").touch(mode=0o200)
    assert root.stat("/unreadable.so") == EACCES


def test_a_socket_cannot_be_opened_and_a_fifo_does_not_block(root: Root, directory: Path) -> None:
    os.mkfifo(directory / "fifo")
    os.mknod(directory / "socket", 0o140600)
    assert root.stat("/socket") == ENXIO
    assert not isinstance(root.stat("/fifo"), int)


def test_a_directory_stays_the_same_when_files_come_and_go(directory: Path) -> None:
    before = Root(str(directory), FactStore()).stat("/usr")
    (directory / "usr/new").touch()
    assert Root(str(directory), FactStore()).stat("/usr") == before


def test_a_hard_link_is_the_same_file_and_a_change_is_another(directory: Path) -> None:
    os.link(directory / "usr/lib/x86_64-linux-gnu/libc.so.6", directory / "again")
    root = Root(str(directory), FactStore())
    assert root.stat("/again") == root.stat("/usr/lib/x86_64-linux-gnu/libc.so.6")
    (directory / "again").write_bytes(b"longer than it was before")
    assert Root(str(directory), FactStore()).stat("/again") != root.stat("/again")


def test_answers_stay_the_same_during_a_run(root: Root, directory: Path) -> None:
    before = root.stat("/lib64/libc.so.6")
    (directory / "usr/lib/x86_64-linux-gnu/libc.so.6").unlink()
    assert root.stat("/lib64/libc.so.6") == before


def test_what_lies_inside_is_found_by_its_path_outside(root: Root, directory: Path, tmp_path: Path) -> None:
    assert root.inner(str(directory / "usr/lib")) == "/usr/lib"
    assert root.inner(str(tmp_path)) is None
    (tmp_path / "alias").symlink_to(directory)
    assert root.inner(str(tmp_path / "alias/usr")) == "/usr"


class TestView:
    """A file of this machine, judged on a root that has not got it."""

    @pytest.fixture
    def local(self, tmp_path: Path) -> Callable[[str], Path]:
        def make(name: str) -> Path:
            path = tmp_path / "here" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(name.encode())
            return path

        return make

    def _show(self, directory: Path, path: Path, *sealed: str) -> Root:
        root = Root(str(directory), FactStore())
        return root.showing(view_of(root, str(path), sealed))

    def test_the_file_its_siblings_and_what_lies_below_are_shown(self, directory: Path, local: Callable[[str], Path]) -> None:
        extension, library = local("pkg/_ext.so"), local("pkg.libs/libfoo.so")
        shown = self._show(directory, extension)
        assert _found(shown, str(extension)) == _inode(extension)
        assert _found(shown, f"{extension.parent}/../pkg.libs/libfoo.so") == _inode(library)

    def test_nothing_else_of_this_machine_is_shown(self, directory: Path, tmp_path: Path, local: Callable[[str], Path]) -> None:
        shown = self._show(directory, local("pkg/_ext.so"))
        top = tmp_path.parts[1]
        others = [each.name for each in Path("/").iterdir() if each.name not in {top, "lib", "lib64", "usr"}]
        assert {shown.stat(f"/{each}") for each in others} <= {ENOENT}

    def test_a_directory_that_the_loader_searches_shows_only_the_file(
        self, directory: Path, local: Callable[[str], Path]
    ) -> None:
        wanted, other = local("lib/a.so"), local("lib/libleak.so")
        (directory / str(wanted.parent).lstrip("/")).mkdir(parents=True)
        sealed = self._show(directory, wanted, f"{wanted.parent}/")
        assert _found(sealed, str(wanted)) == _inode(wanted)
        assert sealed.stat(str(other)) == ENOENT
        assert _found(self._show(directory, wanted), str(other)) == _inode(other)

    def test_the_file_asked_for_hides_the_roots_own(self, directory: Path, local: Callable[[str], Path]) -> None:
        wanted, other = local("pkg/_ext.so"), local("pkg/other.so")
        inside = directory / str(wanted.parent).lstrip("/")
        inside.mkdir(parents=True)
        (inside / "_ext.so").write_bytes(b"the root's")
        (inside / "other.so").write_bytes(b"the root's")
        shown = self._show(directory, wanted)
        assert _found(shown, str(wanted)) == _inode(wanted)
        assert _found(shown, str(other)) == _inode(inside / "other.so")

    def test_links_on_the_way_are_followed_here(self, directory: Path, tmp_path: Path, local: Callable[[str], Path]) -> None:
        wanted = local("releases/5/_ext.so")
        (tmp_path / "here/current").symlink_to(tmp_path / "here/releases/5")
        shown = self._show(directory, tmp_path / "here/current/_ext.so")
        assert _found(shown, f"{tmp_path}/here/current/_ext.so") == _inode(wanted)

    def test_a_link_in_what_is_shown_leads_into_the_root(self, directory: Path, local: Callable[[str], Path]) -> None:
        wanted = local("pkg/_ext.so")
        (wanted.parent / "libc.so.6").symlink_to("/lib64/libc.so.6")
        shown = self._show(directory, wanted)
        assert _found(shown, f"{wanted.parent}/libc.so.6") == _inode(directory / "usr/lib/x86_64-linux-gnu/libc.so.6")

    def test_neighbours_need_the_same_view(self, root: Root, local: Callable[[str], Path]) -> None:
        views = {view_of(root, str(local(name)), ()) for name in ("pkg/a.so", "pkg/b.so", "other/c.so")}
        assert len(views) == 1
        assert isinstance(views.pop(), View)

"""Hosts of this machine described, and what of its user is not told."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from abicheck.api import describe
from abicheck.api.hosts import Discretion
from abicheck.errors import HostError, UsageError
from abicheck.read.hosts.glibc import exports

if TYPE_CHECKING:
    from pathlib import Path

linux = pytest.mark.skipif(sys.platform != "linux", reason="the host local is a Linux machine")


@linux
def test_this_machines_libraries_are_those_of_the_table() -> None:
    host = describe()
    if host.libc.kind == "musl":
        pytest.skip("there is no table of musl")
    if not exports(host.arch, int(host.libc.version.split(".")[1])):
        pytest.skip(f"there is no table of glibc {host.libc.version}")
    check = host.self_check
    assert check is not None
    assert {"libc.so.6", "libm.so.6", "libpthread.so.0"} <= set(check.libraries)
    assert check.symbols > 3000
    assert [each for each in check.differences if each.explanation is None] == []
    assert "GLIBC_PRIVATE" in {each.node for each in check.differences}


@linux
def test_a_root_says_the_same_as_the_machine_that_it_was_copied_from(machine_root: Path) -> None:
    here, there = describe(), describe(f"rootfs:{machine_root}")
    assert (there.libc, there.arch, there.kind) == (here.libc, here.arch, "rootfs")
    assert there.loader.system_dirs == here.loader.system_dirs
    assert there.python is not None
    assert there.python.path == "/usr/bin/python3"
    assert there.python.problem is None


@linux
def test_a_root_without_python(machine_root: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(machine_root, root, symlinks=True)
    for program in (root / "usr/bin").iterdir():
        program.unlink()
    host = describe(f"rootfs:{root}")
    assert host.python is None
    assert str(host.no_python).startswith("there is no python3 in /usr/local/bin:")
    assert host.self_check is None or "libc.so.6" in host.self_check.libraries
    with pytest.raises(HostError, match=r"there is no python3\.12"):
        describe(f"rootfs:{root}", python="3.12")


def test_what_is_no_host(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="no C library in it"):
        describe(f"rootfs:{tmp_path}")
    with pytest.raises(HostError, match="is no directory"):
        describe(f"rootfs:{tmp_path}/nothing")
    with pytest.raises(UsageError, match="unknown host"):
        describe("debian")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/srv/people/ann/bin/python", "~/bin/python"),
        ("rootfs:/srv/people/ann/trixie", "rootfs:~/trixie"),
        ("/srv/people/ann", "~"),
        ("/srv/people/anne/lib", "/srv/people/anne/lib"),
        ("/srv/people/ann.old", "/srv/people/ann.old"),
        ("/home/bob/lib:/opt/lib:/home/carol", "~/lib:/opt/lib:~"),
        ("/home/bob.k/lib /root/lib", "~/lib ~/lib"),
        ("there is no python3 in /home/bob/bin:/usr/bin (none)", "there is no python3 in ~/bin:/usr/bin (none)"),
        ("/var/home/bob/x", "~/x"),
        ("/run/media/ann/stick", "/run/media/~/stick"),
        ("/media/cdrom", "/media/cdrom"),
        ("/rootfs/x", "/rootfs/x"),
        ("/usr/lib/home/x", "/usr/lib/home/x"),
        ("/opt/root/x", "/opt/root/x"),
        ("/home", "/home"),
    ],
)
def test_homes_are_not_told(text: str, shown: str) -> None:
    assert Discretion("/srv/people/ann").shown(text) == shown


def test_a_user_whose_home_is_the_root_directory() -> None:
    assert Discretion("/").shown("/usr/lib/python3") == "/usr/lib/python3"


@linux
def test_nothing_that_is_told_names_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "ann"))
    monkeypatch.setenv("LD_LIBRARY_PATH", f"/opt/lib:{tmp_path}/ann/lib")
    told = describe()
    assert dict(told.environment)["LD_LIBRARY_PATH"] == "/opt/lib:~/lib"
    assert str(tmp_path) not in repr(told)

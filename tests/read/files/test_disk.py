from __future__ import annotations

import os
from errno import EACCES, ELOOP, ENOENT, ENOTDIR
from pathlib import Path

import pytest

from abicheck.model.elf import Malformed
from abicheck.read.files import Disk, FactStore, Trace, Traced


@pytest.fixture
def disk() -> Disk:
    return Disk(FactStore())


def test_errnos_are_those_of_open(disk: Disk, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").touch()
    assert disk.stat(f"{tmp_path}/nothing") == ENOENT
    assert disk.stat(f"{tmp_path}/loop") == ELOOP
    assert disk.stat(f"{tmp_path}/file/below") == ENOTDIR
    assert disk.stat("") == ENOENT
    assert disk.stat("no\0name") == ENOENT


def test_two_names_of_one_file_are_one_file(disk: Disk, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    assert disk.stat(f"{tmp_path}/link") == disk.stat(f"{tmp_path}/file")
    assert disk.resolve(f"{tmp_path}/link") == f"{tmp_path.resolve()}/file"
    assert disk.resolve(f"{tmp_path}/nothing") == f"{tmp_path}/nothing"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_permission_is_asked_of_the_kernel(tmp_path: Path) -> None:
    """Root reads everything; a user who is neither owner nor in the group is refused as by open."""
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    for parent in [tmp_path, *tmp_path.parents]:
        if parent.stat().st_uid == os.getuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    disk = Disk(FactStore())
    child = os.fork()
    if child == 0:
        os.setgid(65534)
        os.setuid(65534)
        os._exit(0 if disk.stat(str(secret)) == EACCES else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert not isinstance(disk.stat(str(secret)), int)


def test_each_file_is_read_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    read: list[str] = []

    def reading(path: str) -> Malformed:
        read.append(path)
        return Malformed(reason="too-short", size=0)

    monkeypatch.setattr("abicheck.read.elf.read_elf", reading)
    (tmp_path / "a.so").touch()
    (tmp_path / "b.so").symlink_to("a.so")
    store = FactStore()
    for disk in (Disk(store), Disk(store)):
        for name in ("a.so", "b.so"):
            file = disk.stat(f"{tmp_path}/{name}")
            assert not isinstance(file, int)
            disk.facts(file)
    assert len(read) == 1


def test_a_trace_holds_every_question_about_names(disk: Disk, tmp_path: Path) -> None:
    (tmp_path / "a.so").touch()
    trace = Trace()
    traced = Traced(disk, trace)
    traced.stat(f"{tmp_path}/a.so")
    traced.stat(f"{tmp_path}/b.so")
    traced.resolve(f"{tmp_path}/a.so")
    assert list(trace.opened) == [f"{tmp_path}/a.so", f"{tmp_path}/b.so"]
    assert trace.opened[f"{tmp_path}/b.so"] == ENOENT
    assert list(trace.resolved) == [f"{tmp_path}/a.so"]

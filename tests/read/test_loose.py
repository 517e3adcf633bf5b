"""Files and directories as they lie there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from abicheck.errors import TargetError
from abicheck.read.loose import open_directory, open_files
from tests.elfparts import Note
from tests.elfwriter import write_elf

if TYPE_CHECKING:
    from pathlib import Path

ELF = write_elf(soname="liba.so.1", notes=[Note("text", 1, b"\0libcuda.so.1\0")])


def test_a_directory_has_each_file_once(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/liba.so.1").write_bytes(ELF)
    (tmp_path / "lib/liba.so").symlink_to("liba.so.1")
    (tmp_path / "lib/gone.so").symlink_to("nowhere")
    (tmp_path / "text.so").write_text("INPUT(liba.so.1)")
    package = open_directory(f"{tmp_path}/")
    assert package.distribution.name == tmp_path.name
    assert package.distribution.binaries == (f"{tmp_path}/lib/liba.so",)
    assert package.opened_names(*package.entries()) == ("libcuda.so.1",)


def test_files_are_one_package(tmp_path: Path) -> None:
    for name in ("a.so", "b.so", "c.so"):
        (tmp_path / name).write_bytes(ELF)
    package = open_files([str(tmp_path / "b.so"), str(tmp_path / "a.so"), str(tmp_path / "c.so")])
    assert package.distribution.name == "b.so and 2 more"
    assert len(package.entries()) == 3


class TestBadInput:
    """Each is one clear line that names the file."""

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("gone.so", None, "No such file or directory; "),
            ("text.so", b"text", "not an ELF file; "),
            ("empty.so", b"", "not an ELF file; "),
        ],
    )
    def test_files(self, name: str, content: bytes | None, message: str, tmp_path: Path) -> None:
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(TargetError) as raised:
            open_files([str(path)])
        assert raised.value.subject == str(path)
        assert raised.value.message.startswith(message)

    def test_an_empty_directory(self, tmp_path: Path) -> None:
        with pytest.raises(TargetError, match="no ELF file in it"):
            open_directory(str(tmp_path))

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
    def test_a_directory_that_may_not_be_read(self, tmp_path: Path) -> None:
        (tmp_path / "closed").mkdir(mode=0)
        with pytest.raises(TargetError, match="Permission denied"):
            open_directory(str(tmp_path))

    def test_a_file_that_went_away(self, tmp_path: Path) -> None:
        (tmp_path / "a.so").write_bytes(ELF)
        package = open_files([str(tmp_path / "a.so")])
        (tmp_path / "a.so").unlink()
        with pytest.raises(TargetError, match="No such file"):
            package.opened_names(next(iter(package.entries())))

"""Files, directories and wheels as they lie there."""

from __future__ import annotations

import os
import zipfile
from typing import TYPE_CHECKING

import pytest

from abicheck.errors import TargetError
from abicheck.model.elf import SharedObject
from abicheck.read.loose import open_directory, open_files, open_wheel
from tests.elfparts import Note
from tests.elfwriter import write_elf

if TYPE_CHECKING:
    from pathlib import Path

ELF = write_elf(soname="liba.so.1", notes=[Note("text", 1, b"\0libcuda.so.1\0")])
METADATA = "Metadata-Version: 2.1\nName: pkg\nRequires-Python: >=3.9\n\nTag: no-field-of-mine\n"


def _wheel(path: Path, **members: bytes | str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    members: dict[str, bytes | str] = {
        "pkg/b.so": ELF,
        "pkg/a.so": ELF,
        "pkg/__init__.py": "",
        "pkg-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\r\nTag: cp312-cp312-a\r\nTag: cp312-cp312-b\r\n",
        "pkg-1.0.dist-info/METADATA": METADATA,
    }
    return _wheel(tmp_path / "pkg-1.0-cp312-cp312-a.b.whl", **members)


def test_a_wheel(wheel: Path) -> None:
    package = open_wheel(str(wheel))
    distribution = package.distribution
    assert (distribution.name, distribution.version, distribution.kind) == ("pkg", "1.0", "wheel")
    assert distribution.tags == ("cp312-cp312-a", "cp312-cp312-b")
    assert distribution.requires_python == ">=3.9"
    assert distribution.binaries == ("pkg/a.so", "pkg/b.so")
    file = package.entries()["pkg/a.so"]
    facts = package.facts(file)
    assert isinstance(facts, SharedObject)
    assert facts.dynamic is not None
    assert facts.dynamic.soname == "liba.so.1"
    assert package.opened_names(file) == ("libcuda.so.1",)


def test_a_directory_has_each_file_once(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/liba.so.1").write_bytes(ELF)
    (tmp_path / "lib/liba.so").symlink_to("liba.so.1")
    (tmp_path / "lib/gone.so").symlink_to("nowhere")
    (tmp_path / "text.so").write_text("INPUT(liba.so.1)")
    package = open_directory(f"{tmp_path}/")
    assert package.distribution.name == tmp_path.name
    assert package.distribution.binaries == (f"{tmp_path}/lib/liba.so",)
    (file,) = package.entries().values()
    assert package.opened_names(file) == ("libcuda.so.1",)


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
            package.opened_names(next(iter(package.entries().values())))

    @pytest.mark.parametrize("kept", [0, 10, 200, -1])
    def test_a_wheel_cut_short(self, kept: int, wheel: Path) -> None:
        wheel.write_bytes(wheel.read_bytes()[:kept])
        with pytest.raises(TargetError, match="not a wheel that can be read"):
            open_wheel(str(wheel))

    def test_a_damaged_member(self, tmp_path: Path) -> None:
        path = _wheel(tmp_path / "a-1-py3-none-any.whl", **{"a.so": ELF})
        data = bytearray(path.read_bytes())
        data[36:46] = bytes(10)  # right behind the local header
        path.write_bytes(data)
        with pytest.raises(TargetError, match=r"a\.so cannot be read"):
            open_wheel(str(path))

    def test_a_wheel_without_native_code(self, tmp_path: Path) -> None:
        with pytest.raises(TargetError, match="no ELF file in it"):
            open_wheel(str(_wheel(tmp_path / "a-1-py3-none-any.whl", **{"a.py": ""})))

    def test_a_wheel_that_is_gone(self, tmp_path: Path) -> None:
        with pytest.raises(TargetError, match="No such file"):
            open_wheel(str(tmp_path / "a-1-py3-none-any.whl"))

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest

from abicheck.act.confirm.sites import make_site
from abicheck.act.exec_stack import clear_exec_stack
from abicheck.errors import AbicheckError, PackageIndexError
from abicheck.model.elf import SharedObject
from abicheck.model.index import Wheel
from abicheck.read.elf import read_elf
from tests.elfwriter import write_elf
from tests.wheelwriter import INFO, basic, write_wheel


def _wheel(path: Path, files: dict[str, bytes]) -> Wheel:
    write_wheel(path, files)
    return Wheel(path.name.partition("-")[0], "1.0", str(path), sha256(path.read_bytes()).hexdigest())


def _stack(path: Path) -> int | None:
    facts = read_elf(str(path))
    assert isinstance(facts, SharedObject)
    return next((segment.flags for segment in facts.segments if segment.type == 0x6474E551), None)


@pytest.fixture
def executable_stack() -> bytes:
    return write_elf(stack=7)


def test_wheels_are_linked_together(tmp_path: Path) -> None:
    wheels = [
        _wheel(tmp_path / "demo-1.0-py3-none-any.whl", basic({"demo/data/file.txt": b"one"})),
        _wheel(tmp_path / "more-1.0-py3-none-any.whl", {"more.py": b"", "demo/plugin.py": b"two"}),
    ]
    site = Path(make_site(wheels, str(tmp_path / "cache")))
    names = {str(path.relative_to(site)) for path in site.rglob("*") if path.is_file()}
    assert {"demo/data/file.txt", "demo/plugin.py", "more.py", f"{INFO}/METADATA"} <= names
    assert (site / "demo/data/file.txt").stat().st_nlink == 2
    assert make_site(wheels, str(tmp_path / "cache")) == str(site)


def test_libraries_of_a_data_directory_lie_in_site_packages(tmp_path: Path) -> None:
    wheel = _wheel(tmp_path / "a-1.0-py3-none-any.whl", {"a-1.0.data/platlib/a/__init__.py": b"", "a-1.0.data/scripts/a": b"#!"})
    site = Path(make_site([wheel], str(tmp_path / "cache")))
    assert sorted(path.name for path in site.rglob("*")) == ["__init__.py", "a"]


def test_others_may_read_it(tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        site = Path(make_site([_wheel(tmp_path / "demo-1.0-py3-none-any.whl", basic())], str(tmp_path / "cache")))
    finally:
        os.umask(old)
    assert all(path.stat().st_mode & 0o004 for path in [site, *site.rglob("*")])


def test_a_damaged_wheel_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "demo-1.0-py3-none-any.whl"
    path.write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(PackageIndexError, match="cannot unpack"):
        make_site([Wheel("demo", "1.0", str(path), "0" * 64)], str(tmp_path / "cache"))
    assert not [each for each in (tmp_path / "cache").rglob("*") if each.is_file()]


def test_the_remedy_changes_a_copy(tmp_path: Path, executable_stack: bytes) -> None:
    wheel = _wheel(tmp_path / "demo-1.0-py3-none-any.whl", basic({"demo.libs/libdemo.so.1": executable_stack}))
    plain = Path(make_site([wheel], str(tmp_path / "cache")))
    cleared = Path(make_site([wheel], str(tmp_path / "cache"), "clear-exec-stack"))
    assert plain != cleared
    assert [_stack(site / "demo.libs/libdemo.so.1") for site in (plain, cleared)] == [7, 6]


def test_a_remedy_that_has_nothing_to_do_is_a_mistake(tmp_path: Path) -> None:
    wheel = _wheel(tmp_path / "demo-1.0-py3-none-any.whl", basic())
    with pytest.raises(AbicheckError, match="leave out the remedy"):
        make_site([wheel], str(tmp_path / "cache"), "clear-exec-stack")


def test_clearing_changes_one_bit(tmp_path: Path, executable_stack: bytes) -> None:
    path = tmp_path / "lib.so"
    path.write_bytes(executable_stack)
    assert clear_exec_stack(str(path))
    changed = [(a, b) for a, b in zip(executable_stack, path.read_bytes(), strict=True) if a != b]
    assert changed == [(7, 6)]
    assert not clear_exec_stack(str(path))


@pytest.mark.parametrize("content", [b"", b"text", b"\x7fELF" + b"\x01" * 60])
def test_what_has_no_stack_to_clear_stays(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lib.so"
    path.write_bytes(content)
    assert not clear_exec_stack(str(path))
    assert path.read_bytes() == content

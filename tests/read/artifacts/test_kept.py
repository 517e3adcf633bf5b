"""Facts of wheels that were kept are those that reading gives; what is damaged or foreign is as good as absent."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from abicheck.model.elf import Malformed, SharedObject
from abicheck.read.artifacts import contents, kept
from abicheck.read.artifacts.kept import Kept
from abicheck.read.artifacts.wheel import open_wheel
from tests.elfparts import Note, Relocation, Symbol
from tests.elfwriter import write_elf
from tests.read.elf.conftest import real_files
from tests.wheelwriter import SCHEME, basic, write_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from abicheck.read.artifacts.wheel import Wheel

LIBRARY = write_elf(
    soname="libx.so.1",
    needed=["libc.so.6"],
    symbols=[
        Symbol("puts", version="GLIBC_2.2.5", file="libc.so.6"),
        *(Symbol(f"name{number}", defined=True, version="V1") for number in range(9)),
        Symbol("dlopen"),
    ],
    version_definitions=["V1"],
    relocations=[Relocation("jump_slot", "puts"), Relocation("glob_dat", "dlopen"), Relocation("glob_dat", "name7")],
    notes=[Note("text", 1, b"\0libcublas.so.12\0libcuda.so.1\0")],
    hashes=("gnu", "sysv"),
)
FILES = {
    "demo/libx.so": LIBRARY,
    "demo/again.so": LIBRARY,
    "demo/plain.so": write_elf(),
    "demo/old.so": write_elf(symbols=[Symbol("one", defined=True)], hashes=("sysv",)),
    "demo/arm.so": write_elf(machine="aarch64", symbols=[Symbol("two", defined=True)]),
    "demo/cut.so": LIBRARY[:2000],
    "demo/short.so": b"\x7fELF\2\1\1" + bytes(20),
    "demo/open.py": b"import ctypes\nctypes.CDLL('libgone.so')\ntry:\n    import numpy\nexcept ImportError:\n    pass\n",
}


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The size of each ELF file that is read, while it is."""
    found: list[int] = []

    def count(content: Any) -> contents.Binary:
        found.append(len(content))
        return real(content)

    real = contents.read_binary
    for module in (contents, kept):
        monkeypatch.setattr(module, "read_binary", count)
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    real = {f"demo/real{number}.so": file.read_bytes() for number, file in enumerate(real_files()[:1])}
    return _write(tmp_path / "demo-1.0-py3-none-any.whl", {**basic(FILES), **real})


def _write(path: Path, files: dict[str, bytes]) -> Path:
    write_wheel(path, files)
    return path


def _open(path: Path, directory: Path | None = None) -> Wheel:
    return open_wheel(str(path), SCHEME, "demo", kept=None if directory is None else Kept(str(directory), "1"))


def _told(wheel: Wheel) -> dict[str, object]:
    """All that a wheel says of its binaries: also what is decoded only when somebody asks."""
    told: dict[str, object] = {}
    for path in wheel.distribution.binaries:
        facts = wheel.facts(wheel.entries()[path])
        told[path] = (facts, wheel.opened_names(path))
        if isinstance(facts, SharedObject):
            definitions = {name: facts.definitions.get(name) for name in (*facts.definitions, "name7", "gone", "puts")}
            opens = facts.refers_to("dlopen", "dlmopen")
            told[path] = (told[path], tuple(facts.references), facts.demand, definitions, facts.faults, opens)
    return {**told, "sources": wheel.sources()}


def _facts(directory: Path) -> list[Path]:
    return sorted((directory / "facts").iterdir())


def test_what_is_kept_is_what_is_read(path: Path, tmp_path: Path, reads: list[int]) -> None:
    expected = _told(_open(path))
    binaries = len(_open(path).distribution.binaries)
    assert len(reads) == binaries
    reads.clear()
    assert _told(_open(path, tmp_path)) == expected
    assert len(reads) == binaries - 1  # two are alike
    reads.clear()
    assert _told(_open(path, tmp_path)) == expected
    assert reads == []
    assert any(isinstance(facts, Malformed) for facts, *_ in (each for each in expected.values() if isinstance(each, tuple)))
    assert expected["sources"] == _open(path).sources()
    assert len(_open(path).sources().preloads) == len(_open(path).sources().guarded) == 1


def test_sources_lie_where_the_wheel_is_installed(path: Path, tmp_path: Path) -> None:
    there = SCHEME._replace(library="/elsewhere")
    for _ in range(2):
        wheel = _open(path, tmp_path)
        assert [each.path for each in wheel.sources().preloads] == [f"{SCHEME.library}/demo/open.py"]
        assert [each.path for each in wheel.at(there).sources().preloads] == ["/elsewhere/demo/open.py"]
        assert wheel.at(SCHEME) is wheel


def test_a_wheel_that_changed_is_read_again(path: Path, tmp_path: Path, reads: list[int]) -> None:
    _told(_open(path, tmp_path))
    reads.clear()
    _write(path, basic({"demo/libx.so": write_elf(soname="libother.so")}))
    os.utime(path, ns=(1, 1))
    facts = _told(_open(path, tmp_path))
    assert facts == _told(_open(path))
    assert len(reads) == 2


def test_wheels_of_equal_content_share_it(path: Path, tmp_path: Path, reads: list[int]) -> None:
    expected = _told(_open(path, tmp_path))
    reads.clear()
    other = tmp_path / "other" / path.name
    other.parent.mkdir()
    shutil.copy(path, other)
    assert _told(_open(other, tmp_path)) == expected
    assert reads == []
    shared = Kept(str(tmp_path), "1")
    first, second = (open_wheel(str(each), SCHEME, "demo", kept=shared) for each in (path, other))
    (one, *_), (two, *_) = (each.distribution.binaries for each in (first, second))
    assert first.facts(first.entries()[one]) is second.facts(second.entries()[two])


def test_another_version_reads_anew(path: Path, tmp_path: Path, reads: list[int]) -> None:
    expected = _told(_open(path, tmp_path))
    reads.clear()
    assert _told(open_wheel(str(path), SCHEME, "demo", kept=Kept(str(tmp_path), "2"))) == expected
    assert reads


def _signed(payload: bytes) -> bytes:
    return hashlib.blake2b(payload, digest_size=32).digest() + payload


def _pickling(value: object) -> Callable[[bytes], bytes]:
    return lambda _: _signed(pickle.dumps(value))


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda data: data[:-1],
        lambda data: data[:20],
        lambda data: data + b"x",
        lambda data: data[:40] + bytes([data[40] ^ 1]) + data[41:],
        lambda data: _signed(data[32:-9]),
        lambda _: _signed(b""),
        lambda _: _signed(b"[]"),
        lambda _: _signed(b"[1, 2]"),
        lambda _: _signed(b'{"a": "b"}'),
        lambda _: _signed(b'{"1": 2}'),
        *map(_pickling, (None, 5, (), (1, 2, 3), (1, (), b"x"), ([],), (None, (), b""))),
    ],
)
def test_what_is_damaged_is_as_absent(damage: Any, path: Path, tmp_path: Path) -> None:
    expected = _told(_open(path, tmp_path))
    for file in _facts(tmp_path):
        file.write_bytes(damage(file.read_bytes()))
    assert _told(_open(path, tmp_path)) == expected
    assert _told(_open(path, tmp_path)) == expected


def _global(module: str, name: str, argument: bytes) -> bytes:
    """A pickle (protocol 4) that calls something with a text: STACK_GLOBAL, REDUCE."""
    texts = b"".join(b"\x8c" + bytes([len(each)]) + each for each in (module.encode(), name.encode()))
    return b"\x80\x04" + texts + b"\x93" + b"\x8c" + bytes([len(argument)]) + argument + b"\x85R."


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("posix", "system"),
        ("builtins", "eval"),
        ("abicheck.read.elf", "os.system"),
        ("abicheck.read.elf.opened", "os.system"),
        ("abicheck.read.elf", "os"),
        ("abicheck.read.elf", "read_elf"),
        ("abicheck.read.elf.references", "partial"),
        ("abicheck.model.files", "NamedTuple"),
    ],
)
def test_foreign_code_is_never_run(module: str, name: str, path: Path, tmp_path: Path) -> None:
    expected = _told(_open(path, tmp_path))
    for file in _facts(tmp_path):
        file.write_bytes(_signed(_global(module, name, f"touch {tmp_path}/run".encode())))
    assert _told(_open(path, tmp_path)) == expected
    assert not (tmp_path / "run").exists()
    with pytest.raises(ValueError, match=name):
        kept._unpickled(_global(module, name, b"x"))


@pytest.mark.parametrize("blocked", ["", "facts"])
def test_a_directory_that_cannot_be_written_is_no_error(blocked: str, path: Path, tmp_path: Path, reads: list[int]) -> None:
    directory = tmp_path / "blocked"
    if blocked:
        directory.mkdir()
    (directory / blocked).write_text("a file")
    expected = _told(_open(path))
    for _ in range(2):
        reads.clear()
        assert _told(_open(path, directory)) == expected
        assert reads


def test_nothing_but_whole_files_for_nobody_else(path: Path, tmp_path: Path) -> None:
    _told(_open(path, tmp_path))
    assert (tmp_path / "facts").stat().st_mode & 0o777 == 0o700
    assert all(len(file.name) == 32 for file in _facts(tmp_path))

from __future__ import annotations

import io
import struct
import time
import warnings
import zipfile
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies

from abicheck.errors import TargetError
from abicheck.model.elf import Malformed, SharedObject
from abicheck.read.artifacts.archive import Archive
from abicheck.read.artifacts.wheel import open_wheel
from abicheck.read.elf import parse_elf
from tests.elfwriter import write_elf
from tests.wheelwriter import INFO, METADATA, SCHEME, WHEEL, basic, record, write_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LIBRARY = write_elf(soname="libx.so.1", needed=["libc.so.6"])


def test_a_wheel_lies_where_an_installer_puts_it(tmp_path: Path) -> None:
    files = basic(
        {
            "demo/_ext.abi3.so": LIBRARY,
            "demo.libs/libx.so": LIBRARY,
            "single.py": b"",
            "namespace/part/mod.py": b"",
            "demo-1.0.data/purelib/pure.py": b"",
            "demo-1.0.data/platlib/plat.cpython-312-x86_64-linux-gnu.so": LIBRARY,
            "demo-1.0.data/scripts/run": LIBRARY,
            "demo-1.0.data/scripts/made": b"replaced by the generated command",
            "demo-1.0.data/data/share/demo.txt": b"text",
            "demo-1.0.data/headers/demo.h": b"",
            f"{INFO}/entry_points.txt": b"[console_scripts]\nmade = demo:main\n[other]\nrun = demo:main\n",
        }
    )
    found = open_wheel(write_wheel(tmp_path / "demo.whl", files), SCHEME, "demo.whl").distribution
    library = SCHEME.library
    assert found.files == tuple(
        sorted(
            [
                "/v/bin/run",
                "/v/share/demo.txt",
                *(f"{library}/{INFO}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")),
                *(f"{library}/demo{name}" for name in ("/__init__.py", "/_ext.abi3.so", ".libs/libx.so")),
                *(f"{library}/{name}" for name in ("single.py", "namespace/part/mod.py", "pure.py")),
                f"{library}/plat.cpython-312-x86_64-linux-gnu.so",
            ]
        )
    )
    assert found.binaries == (
        "/v/bin/run",
        f"{library}/demo.libs/libx.so",
        f"{library}/demo/_ext.abi3.so",
        f"{library}/plat.cpython-312-x86_64-linux-gnu.so",
    )
    assert found.imports == ("demo", "namespace", "plat", "pure", "single")
    assert (found.name, found.version, found.requires, found.requires_python) == ("de-mo", "1.0", ("numpy",), ">=3.9")
    assert found.tags == ("cp312-cp312-linux_x86_64",)
    assert found.problems == ()


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("padding", [0, 1 << 20, 17 << 20])
def test_facts_are_those_of_the_file(tmp_path: Path, compression: int, padding: int) -> None:
    content = LIBRARY + bytes(range(256)) * (padding >> 8)
    wheel = open_wheel(
        write_wheel(tmp_path / "a.whl", basic({"demo/x.dat": content, "demo/y.so": b"text"}), compression), SCHEME, "a"
    )
    entries = wheel.entries()
    facts = wheel.facts(entries[f"{SCHEME.library}/demo/x.dat"])
    assert facts == parse_elf(content)
    assert isinstance(facts, SharedObject)
    assert wheel.facts(entries[f"{SCHEME.library}/demo/x.dat"]) is facts
    assert isinstance(wheel.facts(entries[f"{SCHEME.library}/demo/y.so"]), Malformed)
    assert wheel.distribution.binaries == (f"{SCHEME.library}/demo/x.dat",)


def test_files_of_two_wheels_are_never_the_same(tmp_path: Path) -> None:
    one, two = (open_wheel(write_wheel(tmp_path / name, basic()), SCHEME, name).entries() for name in ("a.whl", "b.whl"))
    assert one.keys() == two.keys()
    assert not set(one.values()) & set(two.values())
    assert one == open_wheel(str(tmp_path / "a.whl"), SCHEME, "again").entries()


def _hash(content: bytes) -> str:
    return "sha256=" + urlsafe_b64encode(sha256(content).digest()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("lines", "verify", "expected"),
    [
        (f"demo/x.so,{_hash(LIBRARY)},{len(LIBRARY)}", True, []),
        ("demo/x.so,sha256=AAAA,", False, []),
        ("demo/x.so,sha256=AAAA,", True, ["hash"]),
        ("demo/x.so,nohash=AAAA,", True, ["hash"]),
        ("demo/x.so,,7", False, ["size"]),
        ("", False, ["not-in-record"]),
        ('demo/x.so,,\n"demo/gone, really.so",,', False, ["missing"]),
    ],
)
def test_record_and_archive_are_compared(tmp_path: Path, lines: str, verify: bool, expected: list[str]) -> None:  # noqa: FBT001 -- a table
    files = basic({"demo/x.so": LIBRARY, f"{INFO}/RECORD": record(basic()) + lines.encode()})
    found = open_wheel(write_wheel(tmp_path / "a.whl", files), SCHEME, "a", verify=verify).distribution
    assert [each.kind for each in found.problems] == expected
    assert found.binaries == (f"{SCHEME.library}/demo/x.so",)


def test_a_wheel_without_record_is_refused_as_pip_does(tmp_path: Path) -> None:
    path = tmp_path / "a.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in basic().items():
            archive.writestr(name, content)
    with pytest.raises(TargetError, match="RECORD is missing"):
        open_wheel(str(path), SCHEME, "a")


def test_of_two_members_of_one_name_the_last_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.whl"
    with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, content in [("demo/x.so", b"first"), *basic({"demo/x.so": LIBRARY}).items()]:
            archive.writestr(name, content)
        archive.writestr(f"{INFO}/RECORD", record(basic({"demo/x.so": LIBRARY})))
    found = open_wheel(str(path), SCHEME, "a").distribution
    assert [(each.kind, each.path) for each in found.problems] == [("duplicate", "demo/x.so")]
    assert found.binaries == (f"{SCHEME.library}/demo/x.so",)


def _without(name: str) -> dict[str, bytes]:
    return {each: content for each, content in basic().items() if each != f"{INFO}/{name}"}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"demo/__init__.py": b""}, "no .dist-info"),
        (_without("METADATA"), "METADATA is missing"),
        (_without("WHEEL"), "WHEEL is missing"),
        (basic({f"{INFO}/METADATA": b"Name: demo\n"}), "names no project and version"),
        (basic({f"{INFO}/WHEEL": b"Wheel-Version: 2.0\n"}), "wheel format 2.0"),
        (basic({"other-1.dist-info/METADATA": METADATA, "other-1.dist-info/WHEEL": WHEEL}), "more than one .dist-info"),
        (basic({"../evil.so": b""}), "leads out"),
        (basic({"demo/../../evil.so": b""}), "leads out"),
        (basic({"/etc/evil.so": b""}), "leads out"),
        (basic({"demo\\evil.so": b""}), "take differently"),
        (basic({"demo-1.0.data/scripts/../../../evil": b""}), "leads out"),
        (basic({"demo-1.0.data/nowhere/evil": b""}), "no directory that installers know"),
        (basic({"demo-1.0.data/evil": b""}), "no directory that installers know"),
        (basic({"demo/__init__.py/x.so": b""}), "a file and a directory"),
    ],
)
def test_what_no_installer_takes_is_refused(tmp_path: Path, files: dict[str, bytes], said: str) -> None:
    with pytest.raises(TargetError, match=said) as raised:
        open_wheel(write_wheel(tmp_path / "a.whl", files), SCHEME, "as-given.whl")
    assert raised.value.subject == "as-given.whl"
    assert "\n" not in str(raised.value)


def _central(data: bytearray, name: bytes) -> int:
    """Where the entry of a member in the central directory starts."""
    return data.rindex(name, 0, data.rindex(b"PK\5\6")) - 46


def _local(data: bytearray, name: bytes) -> int:
    return data.index(name) - 30


def _set(data: bytearray, at: int, layout: str, value: int) -> None:
    struct.pack_into("<" + layout, data, at, value)


X = b"demo/x.so"


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda data: data.__delitem__(slice(len(data) // 2, None)), "cut short"),
        (lambda data: data.__delitem__(slice(None)), "no zip archive"),
        (lambda data: data.__setitem__(slice(0, None), b"hello" * 100), "no zip archive"),
        (lambda data: data.__delitem__(slice(0, 100)), "damaged"),
        (lambda data: _set(data, _central(data, X), "L", 0), "damaged"),
        (lambda data: _set(data, _central(data, X) + 8, "H", 1), "encrypted"),
        (lambda data: _set(data, _central(data, X) + 10, "H", 14), "method 14"),
        (lambda data: _set(data, _central(data, X) + 24, "L", 1 << 31), "zip bomb"),
        (lambda data: _set(data, _central(data, X) + 20, "L", 1 << 20), "overlaps"),
        (lambda data: _set(data, _central(data, X) + 42, "L", _local(data, b"demo/__init__.py")), "overlaps|another file"),
        (lambda data: data.__setitem__(slice(_local(data, X) + 30, _local(data, X) + 34), b"evil"), "another file"),
        (lambda data: data.__setitem__(slice(_central(data, X) + 46, _central(data, X) + 50), b"d\0mo"), "another file"),
        (lambda data: _set(data, data.rindex(b"PK\5\6") + 12, "L", 1 << 30), "files"),
    ],
)  # fmt: skip
def test_damaged_archives_are_one_clear_line(tmp_path: Path, damage: Callable[[bytearray], None], said: str) -> None:
    path = tmp_path / "a.whl"
    write_wheel(path, basic({"demo/x.so": LIBRARY}))
    data = bytearray(path.read_bytes())
    damage(data)
    path.write_bytes(data)
    with pytest.raises(TargetError, match=said):
        open_wheel(str(path), SCHEME, "a.whl")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: _set(data, _central(data, X) + 16, "L", 1),  # another checksum
        lambda data: _set(data, _central(data, X) + 24, "L", 100),  # a smaller size than it inflates to
        lambda data: _set(data, _local(data, X) + 30 + len(X) + 40, "L", 0),  # damaged content
    ],
)
def test_damaged_content_is_found_when_it_is_read(tmp_path: Path, damage: Callable[[bytearray], None]) -> None:
    path = tmp_path / "a.whl"
    write_wheel(path, basic({"demo/x.so": LIBRARY}))
    data = bytearray(path.read_bytes())
    damage(data)
    path.write_bytes(data)
    wheel = open_wheel(str(path), SCHEME, "a.whl")
    with pytest.raises(TargetError, match="is damaged"):
        wheel.facts(wheel.entries()[f"{SCHEME.library}/demo/x.so"])


@pytest.mark.parametrize(("offset", "layout", "value"), [(8, "H", 0), (18, "L", 3), (22, "L", 3)])
def test_a_local_header_that_says_otherwise_is_a_problem(tmp_path: Path, offset: int, layout: str, value: int) -> None:
    path = tmp_path / "a.whl"
    write_wheel(path, basic({"demo/x.so": LIBRARY}))
    data = bytearray(path.read_bytes())
    _set(data, _local(data, X) + offset, layout, value)
    path.write_bytes(data)
    (problem,) = open_wheel(str(path), SCHEME, "a.whl").distribution.problems
    assert (problem.kind, problem.path) == ("header-mismatch", "demo/x.so")


@pytest.mark.parametrize("name", ["demo/x.so", "demo/zeros.txt"])
def test_a_bomb_is_refused_at_once(tmp_path: Path, name: str) -> None:
    path = tmp_path / "bomb.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, content in basic().items():
            archive.writestr(each, content)
        with archive.open(name, "w") as file:
            file.write(LIBRARY)
            for _ in range(300):
                file.write(bytes(1 << 20))
    started = time.perf_counter()
    with pytest.raises(TargetError, match="zip bomb"):
        open_wheel(str(path), SCHEME, "bomb.whl")
    assert time.perf_counter() - started < 0.5


def test_a_stream_that_is_longer_than_its_size_is_not_inflated_any_further(tmp_path: Path) -> None:
    path = tmp_path / "a.whl"
    write_wheel(path, basic({"demo/x.so": LIBRARY + bytes(50 << 20)}))
    data = bytearray(path.read_bytes())
    _set(data, _central(data, X) + 24, "L", 1000)
    path.write_bytes(data)
    archive = Archive(str(path), "a.whl")
    pieces = archive.chunks(archive.members["demo/x.so"])
    with pytest.raises(TargetError, match="damaged"):
        list(pieces)


def test_a_wheel_that_is_not_there_or_a_directory(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="No such file"):
        open_wheel(str(tmp_path / "gone.whl"), SCHEME, "gone.whl")
    with pytest.raises(TargetError):
        open_wheel(str(tmp_path), SCHEME, "a directory")


def test_a_format_that_installers_do_not_read(tmp_path: Path) -> None:
    data = bytearray(SAMPLE)
    data[data.index(b"PK\1\2") + 6] = 64
    (tmp_path / "new.whl").write_bytes(data)
    with pytest.raises(TargetError, match=r"zip format 6\.4"):
        open_wheel(str(tmp_path / "new.whl"), SCHEME, "new.whl")


def _sample() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in basic({"demo/x.so": LIBRARY, f"{INFO}/RECORD": record(basic())}).items():
            archive.writestr(name, content)
    return stream.getvalue()


SAMPLE = _sample()


@given(strategies.lists(strategies.tuples(strategies.integers(0, len(SAMPLE) - 1), strategies.integers(0, 255)), max_size=6))
def test_no_bytes_make_more_than_an_error_and_zipfile_agrees(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[int, int]]
) -> None:
    data = bytearray(SAMPLE)
    for at, value in edits:
        data[at] = value
    path = tmp_path_factory.getbasetemp() / "edited.whl"
    path.write_bytes(data)
    try:
        wheel = open_wheel(str(path), SCHEME, "edited.whl", verify=True)
        for file in wheel.entries().values():
            wheel.facts(file)
    except TargetError:
        return
    members = Archive(str(path), "").members
    with zipfile.ZipFile(path) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = {each.filename: each for each in archive.infolist() if not each.filename.endswith("/")}
        assert {name: each.size for name, each in members.items()} == {name: each.file_size for name, each in names.items()}

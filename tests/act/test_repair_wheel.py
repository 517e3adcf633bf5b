from __future__ import annotations

import io
import os
import zipfile
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.utils import parse_wheel_filename

from abicheck.act.repair import wheel as module
from abicheck.act.repair.rewrite import rewrite
from abicheck.act.repair.wheel import make_wheel, plan_wheel
from abicheck.errors import TargetError
from abicheck.read.artifacts import metadata
from abicheck.read.artifacts.wheel import open_wheel
from tests.act.repairing import FINE, LIB, MARKED, NAME, RELATIVE, SHIM, demo, demo_wheel, hashed
from tests.wheelwriter import INFO, SCHEME, WHEEL, write_wheel

if TYPE_CHECKING:
    from abicheck.model.repair import Check

REPAIRED = "demo-1.0-1abicheck-cp312-cp312-linux_x86_64.whl"


def _unchecked(_path: str) -> tuple[Check, ...]:
    return ()


def _make(path: str, directory: Path, *, search_path: bool = False) -> str:
    return make_wheel(plan_wheel(path, search_path=search_path), str(directory), _unchecked)[0]


def _members(path: str) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {each.filename: archive.read(each) for each in archive.infolist()}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_new_wheel_differs_where_it_is_said(tmp_path: Path, method: int) -> None:
    old = demo_wheel(tmp_path, method=method)
    new = _make(old, tmp_path / "out")
    assert os.listdir(tmp_path / "out") == [REPAIRED]
    before, after = _members(old), _members(new)
    assert list(before) == list(after)
    assert {name for name in before if before[name] != after[name]} == {LIB, f"{INFO}/WHEEL", f"{INFO}/RECORD"}
    assert after[LIB] == MARKED.replace(MARKED, after[LIB])
    assert sum(one != other for one, other in zip(MARKED, after[LIB], strict=True)) == 1
    assert after[f"{INFO}/WHEEL"] == WHEEL + b"Build: 1abicheck\n"
    assert not open_wheel(new, SCHEME, new, verify=True).distribution.problems


def test_what_is_not_changed_keeps_its_compressed_bytes_times_and_modes(tmp_path: Path) -> None:
    old = demo_wheel(tmp_path)
    new = _make(old, tmp_path / "out")
    changed = {LIB, f"{INFO}/WHEEL", f"{INFO}/RECORD"}
    with zipfile.ZipFile(old) as one, zipfile.ZipFile(new) as other:
        assert one.comment == other.comment
        for before, after in zip(one.infolist(), other.infolist(), strict=True):
            assert (before.date_time, before.external_attr, before.compress_type) == (
                after.date_time,
                after.external_attr,
                after.compress_type,
            )
            if before.filename not in changed:
                size = 30 + len(before.filename) + before.compress_size
                one_raw = Path(old).read_bytes()[before.header_offset :][:size]
                assert one_raw == Path(new).read_bytes()[after.header_offset :][:size]


def test_record_keeps_every_other_byte(tmp_path: Path) -> None:
    old = demo_wheel(tmp_path)
    before, after = (_members(path)[f"{INFO}/RECORD"].split(b"\r\n") for path in (old, _make(old, tmp_path)))
    differing = [one.split(b",")[0].decode() for one, other in zip(before, after, strict=True) if one != other]
    assert differing == [f"{INFO}/WHEEL", LIB]


def test_the_same_wheel_gives_the_same_new_one(tmp_path: Path) -> None:
    old = demo_wheel(tmp_path)
    one, other = (Path(_make(old, tmp_path / name)).read_bytes() for name in ("a", "b"))
    assert one == other


class _Pipe(io.BytesIO):
    """What can only be written onwards."""

    def tell(self) -> int:
        raise OSError

    def seek(self, *_where: int) -> int:
        raise OSError


def test_sizes_behind_the_content(tmp_path: Path) -> None:
    """As a writer leaves them that cannot go back: bit 3 of the flags."""
    path, pipe = tmp_path / NAME, _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in demo().items():
            archive.writestr(name, content)
    path.write_bytes(pipe.getvalue())
    new = _make(str(path), tmp_path)
    assert _members(new)["demo.libs/libfine.so"] == FINE
    with zipfile.ZipFile(new) as archive:
        assert {each.filename: each.flag_bits & 8 for each in archive.infolist()} == {
            name: 0 if name in (LIB, f"{INFO}/WHEEL", f"{INFO}/RECORD") else 8 for name in demo()
        }


@pytest.mark.parametrize(
    ("name", "line", "wanted"),
    [
        ("demo-1.0-2-cp312-cp312-linux_x86_64.whl", b"Build: 2\n", "2abicheck"),
        ("demo-1.0-2local-cp312-cp312-linux_x86_64.whl", b"Build: 2local\n", "2localabicheck"),
    ],
)
def test_a_build_tag_is_extended_so_that_pip_prefers_it(tmp_path: Path, name: str, line: bytes, wanted: str) -> None:
    old = demo_wheel(tmp_path, {f"{INFO}/WHEEL": WHEEL + line + b"\nBuild: no header\n"}, name)
    new = _make(old, tmp_path / "out")
    assert _members(new)[f"{INFO}/WHEEL"] == WHEEL + f"Build: {wanted}\n".encode() + b"\nBuild: no header\n"
    assert parse_wheel_filename(os.path.basename(new))[2] > parse_wheel_filename(name)[2]
    assert open_wheel(new, SCHEME, new).distribution.tags == open_wheel(old, SCHEME, old).distribution.tags


@pytest.mark.parametrize(
    ("wheel", "wanted"),
    [
        (WHEEL.rstrip(b"\n"), WHEEL + b"Build: 1abicheck\n"),
        (WHEEL.replace(b"\n", b"\r\n"), WHEEL.replace(b"\n", b"\r\n") + b"Build: 1abicheck\r\n"),
        (WHEEL + b"\n", WHEEL + b"Build: 1abicheck\n\n"),
    ],
)
def test_lines_of_wheel_end_as_they_did(tmp_path: Path, wheel: bytes, wanted: bytes) -> None:
    old = demo_wheel(tmp_path, {f"{INFO}/WHEEL": wheel})
    assert _members(_make(old, tmp_path))[f"{INFO}/WHEEL"] == wanted


def test_nothing_to_repair(tmp_path: Path) -> None:
    plan = plan_wheel(_make(demo_wheel(tmp_path), tmp_path / "out"))
    assert (plan.objects, plan.changes) == (3, {})


def test_a_search_path_on_request(tmp_path: Path) -> None:
    new = _make(demo_wheel(tmp_path), tmp_path / "out", search_path=True)
    assert b"$ORIGIN\0" in _members(new)[SHIM]
    assert plan_wheel(new, search_path=True).changes == {}


def test_a_search_path_outside_of_site_packages_stays(tmp_path: Path) -> None:
    path = demo_wheel(tmp_path, {"demo-1.0.data/data/lib/libx.so": RELATIVE, "demo-1.0.data/platlib/demo.libs/liby.so": RELATIVE})
    assert plan_wheel(path, search_path=True).changes.keys() == {LIB, SHIM, "demo-1.0.data/platlib/demo.libs/liby.so"}


def test_a_record_without_hashes(tmp_path: Path) -> None:
    files = {name: content for name, content in demo().items() if not name.endswith("RECORD")}
    new = _make(write_wheel(tmp_path / NAME, files), tmp_path / "out")
    assert metadata.record(_members(new)[f"{INFO}/RECORD"])[LIB] == ("", len(MARKED))


@pytest.mark.parametrize(
    ("more", "name", "message"),
    [
        ({f"{INFO}/RECORD.jws": b""}, NAME, "it is signed"),
        ({f"{INFO}/RECORD.p7s": b""}, NAME, "it is signed"),
        ({}, "demo.whl", "no name that pip takes for a wheel"),
    ],
)
def test_what_is_refused(tmp_path: Path, more: dict[str, bytes], name: str, message: str) -> None:
    path = demo_wheel(tmp_path, more, name)
    with pytest.raises(TargetError, match=message):
        plan_wheel(path)


def test_another_hash_than_records_is_refused(tmp_path: Path) -> None:
    files = demo()
    files[LIB] = MARKED[:-1] + b"\1"
    with pytest.raises(TargetError, match="another hash"):
        plan_wheel(write_wheel(tmp_path / NAME, files))


def test_what_record_does_not_list_is_refused(tmp_path: Path) -> None:
    files = demo()
    files[f"{INFO}/RECORD"] = hashed({name: content for name, content in files.items() if name != LIB})
    with pytest.raises(TargetError, match="RECORD does not list it"):
        plan_wheel(write_wheel(tmp_path / NAME, files))


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    path = demo_wheel(tmp_path)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("demo/__init__.py", b"other")
    with pytest.raises(TargetError, match="it is damaged"):
        plan_wheel(path)


def test_members_made_for_zip64_are_refused(tmp_path: Path) -> None:
    path = tmp_path / NAME
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in demo().items():
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(content)
    with pytest.raises(TargetError, match="zip64"):
        _make(str(path), tmp_path / "out")
    assert os.listdir(tmp_path / "out") == []


@pytest.mark.parametrize("step", ["_write", "_verify", "check"])
@pytest.mark.parametrize("kind", [KeyboardInterrupt, TargetError])
def test_an_interruption_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, kind: type[BaseException]
) -> None:
    def fail(*_arguments: object) -> tuple[Check, ...]:
        raise kind("now")

    old = demo_wheel(tmp_path)
    content = Path(old).read_bytes()
    if step != "check":
        monkeypatch.setattr(module, step, fail)
    with pytest.raises(kind):
        make_wheel(plan_wheel(old), str(tmp_path / "out"), fail if step == "check" else _unchecked)
    assert os.listdir(tmp_path / "out") == []
    assert Path(old).read_bytes() == content


@pytest.mark.parametrize("name", ["demo.libs/libfine.so", LIB, f"{INFO}/WHEEL", f"{INFO}/RECORD"])
@pytest.mark.parametrize("content", [FINE[:-1] + b"\1", b""])
def test_a_wheel_that_is_not_as_planned_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes
) -> None:
    plan = plan_wheel(demo_wheel(tmp_path))
    number = plan.archive.members[name].number

    def damaged(source: Any, target: Any, changed: Any, given: str) -> None:
        rewrite(source, target, {**changed, number: lambda: nullcontext(content)}, given)

    monkeypatch.setattr(module, "rewrite", damaged)
    with pytest.raises(TargetError, match="not what was planned"):
        make_wheel(plan, str(tmp_path / "out"), _unchecked)
    assert os.listdir(tmp_path / "out") == []


def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TargetError, match="cannot be written"):
        _make(demo_wheel(tmp_path), tmp_path / "file" / "below")

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from abicheck.act.repair import backup as backup_module
from abicheck.act.repair import edits as edits_module
from abicheck.act.repair import installed as module
from abicheck.act.repair.backup import FILE_NAME
from abicheck.act.repair.installed import repair_installed, undo_installed
from abicheck.errors import TargetError
from abicheck.model.artifact import Scheme
from abicheck.read.artifacts import metadata
from abicheck.read.artifacts.installed import open_installed
from abicheck.read.files import FactStore
from tests.act.repairing import FINE, LIB, MARKED, SHIM, hashed, install
from tests.elfwriter import write_elf
from tests.wheelwriter import INFO, basic

if TYPE_CHECKING:
    from collections.abc import Callable

    from abicheck.model.repair import Repair

RECORD, BACKUP = f"{INFO}/RECORD", f"{INFO}/{FILE_NAME}"
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def _scheme(library: Path) -> Scheme:
    return Scheme(str(library), str(library / "bin"), str(library))


def _repair(library: Path, *, search_path: bool = False, dry_run: bool = False) -> Repair:
    return repair_installed(str(library / INFO), _scheme(library), search_path=search_path, dry_run=dry_run)


def _undo(library: Path) -> Repair | None:
    return undo_installed(str(library / INFO), _scheme(library))


def _files(library: Path) -> dict[str, bytes]:
    return {str(path.relative_to(library)): path.read_bytes() for path in sorted(library.rglob("*")) if path.is_file()}


def _problems(library: Path) -> tuple[Any, ...]:
    scheme = _scheme(library)
    package = open_installed(str(library / INFO), here=scheme, there=scheme, store=FactStore(), verify=True)
    return package.distribution.problems


def test_one_byte_and_record_and_back(tmp_path: Path) -> None:
    library = install(tmp_path)
    before = _files(library)
    done = _repair(library)
    after = _files(library)
    assert (done.state, done.files, done.backup) == ("repaired", (LIB, RECORD), str(library / BACKUP))
    assert after.keys() - before.keys() == {BACKUP}
    assert {name for name in before if before[name] != after[name]} == {LIB, RECORD}
    assert sum(one != other for one, other in zip(MARKED, after[LIB], strict=True)) == 1
    assert not _problems(library)
    assert BACKUP in metadata.record(after[RECORD])  # whoever uninstalls the distribution takes it along
    assert _repair(library).state == "nothing-to-do"
    assert _files(library) == after
    undone = _undo(library)
    assert undone is not None
    assert (undone.state, undone.files) == ("undone", (LIB, RECORD))
    assert _files(library) == before
    assert _undo(library) is None


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    library = install(tmp_path)
    before = _files(library)
    assert [change.object for change in _repair(library, search_path=True, dry_run=True).changes] == [LIB, SHIM]
    assert _files(library) == before
    _repair(library)
    repaired = _files(library)
    undone = undo_installed(str(library / INFO), _scheme(library), dry_run=True)
    assert undone is not None
    assert undone.state == "undoable"
    assert _files(library) == repaired


@pytest.mark.parametrize("undo", [False, True])
def test_hard_links_keep_what_they_have(tmp_path: Path, *, undo: bool) -> None:
    """As uv and conda install: a file of the environment is one with that of the cache."""
    library = install(tmp_path)
    if undo:
        _repair(library)
    kept = {name: (library / name).read_bytes() for name in (LIB, RECORD)}
    for name in kept:
        os.link(library / name, tmp_path / Path(name).name)
    _undo(library) if undo else _repair(library)
    for name, content in kept.items():
        assert (tmp_path / Path(name).name).read_bytes() == content != (library / name).read_bytes()


def test_a_link_into_a_cache_becomes_a_file_and_a_link_again(tmp_path: Path) -> None:
    library = install(tmp_path)
    cached = tmp_path / "cache.so"
    (library / LIB).rename(cached)
    (library / LIB).symlink_to(cached)
    _repair(library)
    assert not (library / LIB).is_symlink()
    assert cached.read_bytes() == MARKED != (library / LIB).read_bytes()
    _undo(library)
    assert (library / LIB).readlink() == cached
    assert (library / LIB).read_bytes() == MARKED


def test_a_link_whose_target_has_changed_is_undone_as_a_file(tmp_path: Path) -> None:
    library = install(tmp_path)
    cached = tmp_path / "cache.so"
    (library / LIB).rename(cached)
    (library / LIB).symlink_to(cached)
    _repair(library)
    cached.write_bytes(b"pruned")
    _undo(library)
    assert not (library / LIB).is_symlink()
    assert (library / LIB).read_bytes() == MARKED
    assert not list(library.rglob("*.tmp"))


def test_a_link_to_a_file_beside_it_stays_one(tmp_path: Path) -> None:
    library = install(tmp_path, {"demo.libs/libdemo.so.1": MARKED})
    (library / "demo.libs/libdemo.so.1").unlink()
    (library / "demo.libs/libdemo.so.1").symlink_to("libdemo.so")
    assert _repair(library).files == (LIB, RECORD)
    assert (library / "demo.libs/libdemo.so.1").is_symlink()


def test_a_directory_that_is_a_link_elsewhere_is_refused(tmp_path: Path) -> None:
    library = install(tmp_path)
    (library / "demo.libs").rename(tmp_path / "elsewhere")
    (library / "demo.libs").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(TargetError, match="outside of site-packages"):
        _repair(library)
    assert (tmp_path / "elsewhere/libdemo.so").read_bytes() == MARKED


def test_mode_and_owner_stay(tmp_path: Path) -> None:
    library = install(tmp_path)
    (library / LIB).chmod(0o751)
    if ROOT:
        os.chown(library / LIB, 1234, 4321)
    owner = (library / LIB).stat()
    for step in (_repair, _undo):
        step(library)
        now = (library / LIB).stat()
        assert (now.st_mode, now.st_uid, now.st_gid) == (owner.st_mode, owner.st_uid, owner.st_gid)


@pytest.mark.parametrize("directory", ["demo.libs", INFO])
def test_a_directory_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, directory: str) -> None:
    library = install(tmp_path)
    before = _files(library)
    allowed = os.access
    forbidden = str(library / directory)
    monkeypatch.setattr(os, "access", lambda path, mode: path != forbidden and allowed(path, mode))
    with pytest.raises(TargetError, match="may not be written to; nothing was changed") as raised:
        _repair(library)
    assert raised.value.subject == forbidden
    assert _files(library) == before


@pytest.mark.skipif(ROOT, reason="root may write everywhere")
def test_a_read_only_environment(tmp_path: Path) -> None:
    library = install(tmp_path)
    before = _files(library)
    (library / INFO).chmod(0o555)
    with pytest.raises(TargetError, match="nothing was changed"):
        _repair(library)
    assert _files(library) == before


class _Steps:
    """Lets the file system fail at one of the steps, counted from 0; a crash lets nothing be cleaned up, either."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fail_at: int, *, crash: bool) -> None:
        self.count, self._fail_at, self._crash = 0, fail_at, crash
        for place, name in (
            (os, "replace"),
            (os, "unlink"),
            (os, "fsync"),
            (edits_module, "_take_over"),
            (backup_module, "pieces"),
        ):
            monkeypatch.setattr(place, name, self._wrapped(getattr(place, name)))

    def _wrapped(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **named: Any) -> Any:
            at, self.count = self.count, self.count + 1
            if at == self._fail_at or (self._crash and at > self._fail_at >= 0):
                raise KeyboardInterrupt if self._crash else OSError(28, "No space left on device")
            return function(*arguments, **named)

        return step


def _count_of_steps(tmp_path: Path, act: Callable[[Path], object], *, undo: bool) -> int:
    library = install(tmp_path / "counted")
    if undo:
        _repair(library, search_path=True)
    with pytest.MonkeyPatch.context() as monkeypatch:
        steps = _Steps(monkeypatch, -1, crash=False)
        act(library)
    return steps.count


def _act(library: Path) -> Repair:
    return _repair(library, search_path=True)


@pytest.mark.parametrize("crash", [False, True])
@pytest.mark.parametrize("undo", [False, True])
def test_interrupted_at_each_step(tmp_path: Path, *, undo: bool, crash: bool) -> None:
    act = _undo if undo else _act
    steps = _count_of_steps(tmp_path, act, undo=undo)
    assert steps > 10
    for number in range(steps):
        library = install(tmp_path / str(number))
        old = _files(library)
        _act(library)
        new = _files(library)
        if not undo:
            _undo(library)
        with pytest.MonkeyPatch.context() as monkeypatch:
            _Steps(monkeypatch, number, crash=crash)
            with pytest.raises(KeyboardInterrupt if crash else TargetError):
                act(library)
        left = {name: content for name, content in _files(library).items() if not name.endswith(".tmp")}
        for name in old:
            assert left[name] in (old[name], new[name])  # each file is whole
        if not crash and not undo:
            assert left == old
        for path in library.rglob("*.tmp"):
            assert crash
            path.unlink()
        if number % 2:
            act(library)
            assert _files(library) == (old if undo else new)
        elif undo:
            _act(library)
            assert _files(library) == new
        else:
            _undo(library)
            assert _files(library) == old


@pytest.mark.parametrize("name", [LIB, RECORD])
def test_what_has_changed_since_is_not_undone(tmp_path: Path, name: str) -> None:
    library = install(tmp_path)
    _repair(library)
    (library / name).write_bytes((library / name).read_bytes() + b"\n")
    before = _files(library)
    with pytest.raises(TargetError, match="has changed since it was repaired"):
        _undo(library)
    assert _files(library) == before


def test_a_second_repair_of_something_else_wants_the_first_undone(tmp_path: Path) -> None:
    library = install(tmp_path)
    _repair(library)
    with pytest.raises(TargetError, match="undo that first"):
        _repair(library, search_path=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "it is damaged"),
        ("[]", "it is damaged"),
        (json.dumps({"schema_version": 2}), "a newer abicheck"),
        (json.dumps({"schema_version": 1, "files": [{"path": "../../x", "link": None, "edits": []}]}), "it is damaged"),
        (json.dumps({"schema_version": 1, "files": [{"path": "/etc/x", "link": None, "edits": []}]}), "it is damaged"),
    ],
)
def test_a_damaged_backup_is_refused(tmp_path: Path, content: str, message: str) -> None:
    library = install(tmp_path)
    (library / BACKUP).write_text(content)
    for act in (_repair, _undo):
        with pytest.raises(TargetError, match=message):
            act(library)


def test_another_hash_than_records_is_refused(tmp_path: Path) -> None:
    library = install(tmp_path)
    (library / LIB).write_bytes(MARKED[:-1] + b"\1")
    with pytest.raises(TargetError, match="another hash"):
        _repair(library)


def test_what_record_does_not_list_is_refused(tmp_path: Path) -> None:
    library = install(tmp_path)
    (library / "demo.libs/stranger.so").write_bytes(MARKED)
    with pytest.raises(TargetError, match="RECORD does not list it"):
        _repair(library)


def test_without_record_nothing_is_done(tmp_path: Path) -> None:
    library = install(tmp_path)
    (library / RECORD).unlink()
    with pytest.raises(TargetError, match="RECORD does not list it"):
        _repair(library)


def test_one_object_that_cannot_be_repaired_stops_all(tmp_path: Path) -> None:
    library = install(tmp_path, {"demo.libs/libold.so": write_elf(stack=None)})
    before = _files(library)
    with pytest.raises(TargetError, match="no PT_GNU_STACK"):
        _repair(library)
    assert _files(library) == before


def test_what_the_system_looks_after_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = install(tmp_path)
    monkeypatch.setattr(module, "_SYSTEM", (f"{library.parent}{os.sep}",))
    with pytest.raises(TargetError, match="the system's package manager"):
        _repair(library)


def test_a_record_without_a_last_newline(tmp_path: Path) -> None:
    library = install(tmp_path)
    files = basic({LIB: MARKED, SHIM: (library / SHIM).read_bytes(), "demo.libs/libfine.so": FINE})
    (library / RECORD).write_bytes(hashed(files, "\n").rstrip(b"\n"))
    before = _files(library)
    _repair(library)
    assert not _problems(library)
    _undo(library)
    assert _files(library) == before

from __future__ import annotations

import hashlib
import multiprocessing
import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abicheck.model.files import FileId
from abicheck.read.files import Trace
from abicheck.read.verdicts import Shelf, cache_directory, code_state

A = FileId(1, 1, 10, 100, 100)
B = FileId(1, 2, 10, 100, 100)


class Asked:
    """A file system of a few names."""

    def __init__(self, **files: FileId) -> None:
        self.files = files

    def stat(self, path: str) -> FileId | int:
        return self.files.get(path, 2)

    def resolve(self, path: str) -> str:
        return path

    def facts(self, file: FileId) -> object:
        raise AssertionError(f"a stored verdict needs no facts of {file}")


def _store(directory: Path, target: str = "a", judgement: object = ("x86_64", None, ["loads"]), **opened: FileId | int) -> None:
    shelf = Shelf(str(directory), ["key"])
    shelf.put(target, judgement, [Trace(dict(opened), {"python": "python"})])
    shelf.save()


def _get(directory: Path, target: str = "a", /, **files: FileId) -> object:
    return Shelf(str(directory), ["key"]).get(target, Asked(**files))  # type: ignore[arg-type]


def test_a_judgement_is_given_back_while_all_answers_are_the_same(tmp_path: Path) -> None:
    _store(tmp_path, a=A, missing=2)
    assert _get(tmp_path, a=A) == ["x86_64", None, ["loads"]]


@pytest.mark.parametrize(
    "files",
    [
        {"a": A._replace(mtime_ns=1)},
        {"a": A._replace(size=11)},
        {"a": A._replace(ctime_ns=1)},
        {"a": B},
        {},
        {"a": A, "missing": B},
    ],
)
def test_any_other_answer_takes_it_back(tmp_path: Path, files: dict[str, FileId]) -> None:
    _store(tmp_path, a=A, missing=2)
    assert _get(tmp_path, "a", **files) is None


def test_another_key_is_another_shelf(tmp_path: Path) -> None:
    _store(tmp_path, a=A)
    assert Shelf(str(tmp_path), ["other key"]).get("a", Asked(a=A)) is None  # type: ignore[arg-type]


def test_older_judgements_stay_unless_they_rest_on_what_has_changed(tmp_path: Path) -> None:
    _store(tmp_path, "a", a=A, shared=A)
    _store(tmp_path, "b", b=B)
    assert _get(tmp_path, "a", a=A, shared=A)
    assert _get(tmp_path, "b", b=B)
    _store(tmp_path, "c", shared=B)
    assert _get(tmp_path, "c", shared=B)
    assert _get(tmp_path, "a", a=A, shared=B) is None
    assert _get(tmp_path, "b", b=B)


def test_a_file_that_may_still_be_being_written_is_not_relied_on(tmp_path: Path) -> None:
    _store(tmp_path, "b", b=B)
    _store(tmp_path, a=A._replace(ctime_ns=time.time_ns()))
    assert _get(tmp_path, "a", a=A) is None
    assert _get(tmp_path, "b", b=B)


def test_nothing_new_writes_nothing(tmp_path: Path) -> None:
    Shelf(str(tmp_path / "cache"), ["key"]).save()
    assert not (tmp_path / "cache").exists()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(data=st.data())
def test_a_damaged_shelf_is_as_good_as_absent(tmp_path: Path, data: st.DataObject) -> None:
    """Whatever happens to its bytes: what comes back is the stored judgement or nothing."""
    _store(tmp_path, a=A)
    (path,) = tmp_path.glob("*.verdicts")
    content = bytearray(path.read_bytes())
    kind = data.draw(st.sampled_from(["cut", "flip", "append", "replace"]))
    if kind == "cut":
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    elif kind == "flip":
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    elif kind == "append":
        content += data.draw(st.binary(min_size=1))
    else:
        content = bytearray(data.draw(st.binary()))
    path.write_bytes(content)
    assert _get(tmp_path, a=A) is None
    _store(tmp_path, a=A)
    assert _get(tmp_path, a=A)


def test_a_shelf_that_was_made_up_is_as_good_as_absent(tmp_path: Path) -> None:
    """Even a right digest over the wrong structure."""
    _store(tmp_path, a=A)
    (path,) = tmp_path.glob("*.verdicts")
    for payload in (
        b"[]",
        b'{"paths":[["a"]]}',
        b'{"paths":[["a",[1]]],"links":[],"targets":{}}',
        b'{"paths":[],"links":[],"targets":{"a":[1,[0],[]]}}',
    ):
        path.write_bytes(hashlib.blake2b(payload, digest_size=32).digest() + payload)
        assert _get(tmp_path, a=A) is None


def test_a_place_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    _store(tmp_path / "file", a=A)
    assert _get(tmp_path / "file", a=A) is None


def _work(directory: str, number: int) -> None:
    for count in range(20):
        shelf = Shelf(directory, ["key"])
        shelf.get("shared", Asked(a=A))  # type: ignore[arg-type]
        shelf.put(f"{number}-{count}", ["x"], [Trace({"a": A}, {})])
        shelf.put("shared", ["y"], [Trace({"a": A}, {})])
        shelf.save()


def test_runs_at_the_same_time_do_not_hurt_each_other(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_work, args=(str(tmp_path), number)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert _get(tmp_path, "shared", a=A) == ["y"]
    assert [each.suffix for each in tmp_path.iterdir()] == [".verdicts"]


def test_only_so_many_shelves_are_kept(tmp_path: Path) -> None:
    for number in range(70):
        shelf = Shelf(str(tmp_path), [str(number)])
        shelf.put("a", ["x"], [Trace({"a": A}, {})])
        shelf.save()
    assert len(list(tmp_path.iterdir())) == 64


def test_where_verdicts_are_kept() -> None:
    assert cache_directory({"ABICHECK_CACHE": "/c", "XDG_CACHE_HOME": "/x"}) == "/c"
    assert cache_directory({"XDG_CACHE_HOME": "/x"}) == "/x/abicheck"
    assert cache_directory({}) == os.path.expanduser("~/.cache/abicheck")


def test_another_version_or_another_source_is_another_key() -> None:
    assert code_state("1.0") == code_state("1.0")
    assert code_state("1.0") != code_state("1.1")
    assert f"verdicts.py {Path(cache_directory.__code__.co_filename).stat().st_size}" in code_state("1.0")

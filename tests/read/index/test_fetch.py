from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement

from abicheck.errors import PackageIndexError, TargetError
from abicheck.model.host import Libc
from abicheck.model.index import NotInstallable, Target, Wheel
from abicheck.read.index.fetch import fetch, fetch_all
from abicheck.read.index.store import Store
from tests.read.index.world import GLIBC, PY312, Index, wheel

if TYPE_CHECKING:
    from pathlib import Path

DEMO = Requirement("Demo==1.0")


def test_a_wheel_is_kept_by_its_hash(shelf: Path, tmp_path: Path, store: Store) -> None:
    wheel(shelf, "demo", "1.0", "cp312-cp312-manylinux_2_17_x86_64", ["other>=2; extra == 'more'"])
    wheel(shelf, "demo", "1.0", "cp312-cp312-manylinux_2_28_x86_64")
    wheel(shelf, "demo", "1.0", "cp312-cp312-manylinux_2_29_x86_64")
    newer = fetch(DEMO, PY312, store)
    older = fetch(DEMO, PY312._replace(libc=Libc("glibc", (2, 20))), store)
    assert isinstance(newer, Wheel)
    assert isinstance(older, Wheel)
    assert os.path.basename(newer.path) == "demo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl"
    assert (older.name, older.version, older.requires) == ("demo", "1.0", ("other>=2; extra == 'more'",))
    with open(older.path, "rb") as file:
        assert hashlib.sha256(file.read()).hexdigest() == older.sha256 == os.path.basename(os.path.dirname(older.path))
    assert not [name for name in os.listdir(tmp_path / "cache" / "wheels") if name.startswith(".")]


def test_a_pinned_wheel_is_found_again_without_asking(shelf: Path, tmp_path: Path, store: Store) -> None:
    path = wheel(shelf, "demo", "1.0")
    first = fetch(DEMO, PY312, store)
    path.unlink()
    assert isinstance(first, Wheel)
    for offline in (False, True):
        assert fetch(DEMO, PY312, Store(str(tmp_path / "cache"), offline=offline)) == first
    os.unlink(first.path)
    with pytest.raises(PackageIndexError, match="without --offline"):
        fetch(DEMO, PY312, Store(str(tmp_path / "cache"), offline=True))


def test_the_newest_is_the_newest_for_a_while_only(shelf: Path, tmp_path: Path, store: Store) -> None:
    wheel(shelf, "demo", "1.0")
    newest = Requirement("demo")
    assert fetch(newest, PY312, store).version == "1.0"
    wheel(shelf, "demo", "1.1")
    assert fetch(newest, PY312, store).version == "1.0"
    for answer in (tmp_path / "cache" / "index").iterdir():
        answer.write_text(json.dumps([0, *json.loads(answer.read_text())[1:]]))
    assert fetch(newest, PY312, Store(str(tmp_path / "cache"), offline=True)).version == "1.0"
    assert fetch(newest, PY312, store).version == "1.1"


def test_an_answer_belongs_to_one_configuration(
    shelf: Path, tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel(shelf, "demo", "1.0")
    assert fetch(DEMO, PY312, store).version == "1.0"
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(TargetError, match="no such project"):
        fetch(DEMO, PY312, Store(str(tmp_path / "cache")))


def test_no_wheel_for_this_python(shelf: Path, tmp_path: Path, store: Store) -> None:
    for tag in ("cp311-cp311-manylinux_2_17_x86_64", "cp312-cp312-manylinux_2_17_x86_64", "cp313-cp313-win_amd64"):
        wheel(shelf, "demo", "1.0", tag)
    (shelf / "demo-1.0.tar.gz").write_bytes(b"an sdist that nobody builds")
    expected = NotInstallable(
        requirement="demo==1.0",
        text="ERROR: No matching distribution found for demo==1.0",
        version="1.0",
        pythons=((3, 12), (3, 11)),
        tags=("cp311-cp311-manylinux_2_17_x86_64", "cp312-cp312-manylinux_2_17_x86_64", "cp313-cp313-win_amd64"),
        sdist=True,
    )
    target = Target((3, 13), "x86_64", GLIBC)
    assert fetch(DEMO, target, store) == expected
    assert fetch(DEMO, target, Store(str(tmp_path / "cache"), offline=True)) == expected
    assert not expected.sdist_only


def test_an_sdist_only(shelf: Path, store: Store) -> None:
    (shelf / "demo-1.0.tar.gz").write_bytes(b"an sdist that nobody builds")
    outcome = fetch(Requirement("demo"), PY312, store)
    assert isinstance(outcome, NotInstallable)
    assert (outcome.sdist_only, outcome.pythons, outcome.version) == (True, (), "1.0")


def test_no_such_release(shelf: Path, store: Store) -> None:
    wheel(shelf, "demo", "1.0")
    with pytest.raises(TargetError, match=r"demo==2.0: no release meets this \(the newest is 1.0\)"):
        fetch(Requirement("demo==2.0"), PY312, store)


def test_one_that_fails_among_many(shelf: Path, store: Store) -> None:
    for name in ("one", "two", "three", "five"):
        wheel(shelf, name, "1.0", "py3-none-win_amd64" if name == "three" else "py3-none-any")
    outcomes = fetch_all([Requirement(name) for name in ("one", "two", "three", "five")], PY312, store)
    assert [type(outcome) for outcome in outcomes] == [Wheel, Wheel, NotInstallable, Wheel]
    assert [outcome.name for outcome in outcomes if isinstance(outcome, Wheel)] == ["one", "two", "five"]


def test_a_damaged_wheel(shelf: Path, store: Store) -> None:
    (shelf / "demo-1.0-py3-none-any.whl").write_bytes(b"PK, and nothing else")
    with pytest.raises(PackageIndexError) as raised:
        fetch(DEMO, PY312, store)
    assert "\n" not in str(raised.value)


def test_a_file_that_its_index_refuses(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    index = Index()
    index.add("demo", wheel(tmp_path, "demo", "1.0"))
    monkeypatch.setenv("PIP_INDEX_URL", f"http://me:secret@{index.place}/simple")
    index.pages["demo"][0]["url"] = "/simple/gone/demo-1.0-py3-none-any.whl"
    with index.served(), pytest.raises(PackageIndexError, match="could not download") as raised:
        fetch(DEMO, PY312, store)
    assert "404" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_runs_at_the_same_time(shelf: Path, tmp_path: Path) -> None:
    wheel(shelf, "demo", "1.0")
    with ThreadPoolExecutor(4) as executor:
        stores = [Store(str(tmp_path / "cache")) for _ in range(4)]
        outcomes = set(executor.map(lambda store: fetch(DEMO, PY312, store), stores))
    assert len(outcomes) == 1


def test_where_nothing_can_be_written(shelf: Path, tmp_path: Path) -> None:
    wheel(shelf, "demo", "1.0")
    (tmp_path / "file").write_text("")
    with pytest.raises(PackageIndexError, match="ABICHECK_CACHE"):
        fetch(DEMO, PY312, Store(str(tmp_path / "file")))

from __future__ import annotations

import base64
import io
import json
import os
import sys
import zipfile
from typing import TYPE_CHECKING, cast

import pytest

from abicheck.act.confirm import bytecode as kept
from abicheck.act.confirm.bytecode import Bytecode, bytecode_of, keep
from abicheck.act.confirm.observe import Ask, command, observe
from abicheck.act.confirm.places import Here, InContainer
from abicheck.act.engine import Completed
from abicheck.errors import AbicheckError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from abicheck.act.engine import Engine


def _root(directory: Path, source: str = "x = 1\n") -> str:
    library = directory / "usr/lib/python3.9"
    library.mkdir(parents=True)
    (library / "os.py").write_text(source)
    return str(directory)


def _archive(files: dict[str, bytes]) -> str:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return base64.b64encode(stream.getvalue()).decode()


def _ask(tmp_path: Path, *, made: bool) -> Ask:
    bytecode = Bytecode(str(tmp_path / "cache" / "bytecode"), made)
    return Ask(sys.executable, (str(tmp_path),), ("subject",), isolated=True, seconds=30.0, bytecode=bytecode)


def test_the_first_run_leaves_bytecode_that_the_second_reads(tmp_path: Path) -> None:
    (tmp_path / "subject.py").write_text("__cached__\n")
    assert observe(Here(), _ask(tmp_path, made=False)).verdict == "loads"
    [compiled] = (tmp_path / "cache").rglob("subject*.pyc")
    assert not list(tmp_path.glob("__pycache__"))
    # Same time and size as the source that it was made of, and other words: only who reads the bytecode says these.
    compiled.write_bytes(compiled.read_bytes().replace(b"__cached__", b"__cachet__"))
    observed = observe(Here(), _ask(tmp_path, made=True))
    assert observed.text == "NameError: name '__cachet__' is not defined"


def test_a_run_that_fails_leaves_none(tmp_path: Path) -> None:
    ask = _ask(tmp_path, made=False)
    (tmp_path / "subject.py").write_text("import subject_of_nobody\n")
    assert observe(Here(), ask).verdict == "fails"
    assert not (tmp_path / "cache").exists()


def test_another_standard_library_has_bytecode_of_its_own(tmp_path: Path) -> None:
    names = {
        bytecode_of(str(tmp_path), _root(tmp_path / name, source), "/usr/bin/python3.9", f"/sites/{site}")
        for name, source, site in [("a", "x = 1\n", "1"), ("b", "x = 1\n", "1"), ("c", "x = 2\n", "1"), ("d", "x = 1\n", "2")]
    }
    assert len(names) == 3
    assert {found and found.made for found in names} == {False}


def test_where_the_standard_library_is_unknown_none_is_kept(tmp_path: Path) -> None:
    assert bytecode_of(str(tmp_path), _root(tmp_path / "root"), "/opt/bin/python3.9", "/sites/1") is None


def test_what_is_packed_stays_inside(tmp_path: Path) -> None:
    bytecode = Bytecode(str(tmp_path / "cache" / "bytecode"), made=False)
    keep(bytecode, _archive({"../../../escaped.pyc": b"", "/absolute.pyc": b""}))
    files = {os.path.relpath(path, bytecode.path) for path in tmp_path.rglob("*.pyc")}
    assert files == {"escaped.pyc", "absolute.pyc"}


def test_more_than_a_container_can_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST", 10)
    with pytest.raises(AbicheckError, match="of bytecode"):
        keep(Bytecode(str(tmp_path / "cache" / "bytecode"), made=False), _archive({"a.pyc": bytes(11)}))
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("made", [True, False])
def test_a_container_is_given_what_is_there(tmp_path: Path, made: bool) -> None:  # noqa: FBT001 -- a table
    mounted: list[tuple[str, str]] = []

    class OneRun:
        def run(self, _: str, __: object, *, mounts: Sequence[tuple[str, str]], **___: object) -> Completed:
            mounted.extend(mounts)
            return Completed(returncode=0, stdout="", stderr="", seconds=0.0)

    ask = _ask(tmp_path, made=made)
    place = InContainer(cast("Engine", OneRun()), "image", str(tmp_path), bytecode=ask.bytecode)
    words = command(place, ask)
    place.run(words, 1.0)
    request = json.loads(words[-1])
    assert ask.bytecode is not None
    assert ((ask.bytecode.path, "/x/bytecode") in mounted) is made
    assert ("pycache_prefix=/x/bytecode" in words) is made
    assert (request["bytecode"], request["pack"]) == ("/x/bytecode" if made else None, not made)

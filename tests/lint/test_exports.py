from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abicheck.lint.exports import unexported

if TYPE_CHECKING:
    from pathlib import Path

CALL = b"Module._create(); Module._gone();"


def _found(folder: Path, source: bytes = CALL) -> list[tuple[str, str]]:
    return [(each.fields["name"], each.fields["owner"]) for each in unexported(source, str(folder / "use.js"))]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CMakeLists.txt", "set(X create) # -sEXPORTED_FUNCTIONS=[${X}]"),
        ("build.sh", "emcc -s EXPORTED_FUNCTIONS='[\"_create\"]'"),
        ("binding.cpp", "EMSCRIPTEN_KEEPALIVE\nint *create(int n) {"),
        ("lib.js", "WebAssembly.instantiate(x); _create = Module['_create'] = e['a']"),
    ],
)
def test_what_writes_down_exports(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert _found(tmp_path) == [("_gone", name)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CMakeLists.txt", "add_executable(create)"),
        ("binding.cpp", "int create(int n) {"),
        ("lib.js", "create()"),
        ("x.txt", "EXPORTED_FUNCTIONS"),
    ],
)
def test_what_does_not(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "directory.sh").mkdir()
    assert _found(tmp_path) == []


def test_all_builds_in_a_directory_count(tmp_path: Path) -> None:
    (tmp_path / "a.sh").write_text("EXPORTED_FUNCTIONS=_create", encoding="utf-8")
    (tmp_path / "b.mk").write_text("EXPORTED_FUNCTIONS=_other", encoding="utf-8")
    assert _found(tmp_path) == [("_gone", "a.sh and b.mk")]


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    assert _found(tmp_path / "gone") == []


@pytest.mark.parametrize("source", [b"Module", b"Module._f" * 500, b"Module[" * 999, b"\xffModule._x(", b"(" * 999 + b"Module."])
def test_no_script_is_too_odd(tmp_path: Path, source: bytes) -> None:
    (tmp_path / "a.sh").write_text("EXPORTED_FUNCTIONS=_create", encoding="utf-8")
    assert isinstance(_found(tmp_path, source), list)

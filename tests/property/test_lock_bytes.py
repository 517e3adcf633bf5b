"""No bytes make a reader of locks raise anything but its own error."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abicheck.errors import TargetError
from abicheck.model.host import Libc
from abicheck.model.index import Target
from abicheck.read.locks import read_lock
from abicheck.read.locks.selection import select
from tests.property.effort import fewer

REAL = Path(__file__).parent.parent / "read" / "locks" / "real"
LOCKS = sorted(path for path in REAL.rglob("*") if path.is_file() and path.name != "pyproject.toml")
PY312 = Target((3, 12), "x86_64", Libc("glibc", (2, 28)))
#: What means something in one of the formats.
WORDS = st.sampled_from(
    [
        *(b"-r ", b"-c x.txt\n", b"-e ", b"@", b";", b"==", b"\\\n", b"[", b"]", b"[[package]]\n", b"{", b"}", b'"', b"'", b"="),
        *(b"\n", b"version", b"name", b"marker", b"1", b"-1", b"[]", b"{}", b"true", b"extra == 'x'", b"git+", b"file:", b"../"),
        *(b"\0", b"\xff", b"-r\0", b"-r .\n", b"9" * 5000),
    ]
)


def _ask(name: str, data: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / name
        path.write_bytes(data)
        with suppress(TargetError):
            select(read_lock(str(path)), PY312)


@fewer
@given(st.binary(max_size=400), st.sampled_from(["r.txt", "uv.lock", "pylock.toml"]))
def test_any_bytes(data: bytes, name: str) -> None:
    _ask(name, data)


@fewer
@given(st.lists(WORDS, max_size=20).map(b"".join), st.sampled_from(["r.txt", "uv.lock", "pylock.toml"]))
def test_any_words(data: bytes, name: str) -> None:
    _ask(name, data)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.relative_to(REAL).as_posix())
@fewer
@given(st.data())
def test_damaged_locks(lock: Path, data: st.DataObject) -> None:
    content = lock.read_bytes()
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        length = data.draw(st.sampled_from([0, 1, 2, 5, 40, 400]))
        content = content[:start] + data.draw(st.one_of(WORDS, st.binary(max_size=4))) + content[start + length :]
    _ask(lock.name, content)

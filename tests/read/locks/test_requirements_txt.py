"""requirements.txt, read as pip reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abicheck.errors import TargetError
from abicheck.model.host import Libc
from abicheck.model.index import Target
from abicheck.read.locks import read_lock
from abicheck.read.locks.selection import select

if TYPE_CHECKING:
    from pathlib import Path

    from abicheck.model.lock import Lock, Selection

PY312 = Target((3, 12), "x86_64", Libc("glibc", (2, 28)))


def _read(tmp_path: Path, text: str | bytes, **more: str) -> Lock:
    for name, content in more.items():
        (tmp_path / f"{name}.txt").write_text(content)
    path = tmp_path / "r.txt"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_lock(str(path))


def _selected(tmp_path: Path, text: str, **more: str) -> Selection:
    return select(_read(tmp_path, text, **more), PY312)


def _error(tmp_path: Path, text: str | bytes, **more: str) -> str:
    with pytest.raises(TargetError) as raised:
        select(_read(tmp_path, text, **more), PY312)
    return str(raised.value).replace(f"{tmp_path}/", "")


def test_lines_go_on_and_comments_are_left_out(tmp_path: Path) -> None:
    text = """# a lock
Num.Py[a,B] == 1.26.4 ; python_version > "3" \\
    --hash=sha256:00 \\
    # via nobody
    --hash sha256:11
scipy>=1.0,<2  # not pinned
pandas==2.*
old==1 ; python_version < "3"
"""
    first, *others = _read(tmp_path, text).packages
    assert (first.name, first.version, first.line, first.extras) == ("num-py", "1.26.4", 2, ("B", "a"))
    assert (first.hashes, first.marker) == (("sha256:00",), 'python_version > "3"')
    assert [(each.name, each.version, each.line) for each in others] == [("scipy", None, 6), ("pandas", None, 7), ("old", "1", 8)]
    assert [each.requirement for each in _selected(tmp_path, text).packages] == [
        "num-py[B,a]==1.26.4",
        "scipy<2,>=1.0",
        "pandas==2.*",
    ]


def test_options_are_named_and_passed_over(tmp_path: Path) -> None:
    text = "--index-url=https://user:secret@example.org/simple\n-f wheels\n--pre\na==1 --config-settings=x=y\n"
    lock = _read(tmp_path, text)
    assert [(place.rpartition(":")[2], option) for place, option in lock.passed_over] == [
        ("1", "--index-url"),
        ("2", "-f"),
        ("3", "--pre"),
    ]
    assert [each.requirement for each in lock.packages] == ["a==1"]


def test_includes_and_constraints_are_relative_to_their_file(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/base.txt").write_text("-r more.txt\n-c limits.txt\nb==1\n")
    (tmp_path / "deep/more.txt").write_text("c==1\n")
    (tmp_path / "deep/limits.txt").write_text("d<2\ne<3; python_version < '3'\n")
    found = _selected(tmp_path, "-rdeep/base.txt\n--requirement=deep/more.txt\na==1\n")
    assert [each.requirement for each in found.packages] == ["c==1", "b==1", "a==1"]
    assert [each.requirement for each in found.constraints] == ["d<2"]
    assert found.packages[0].place == f"{tmp_path}/deep/more.txt:1"


@pytest.mark.parametrize(
    ("line", "name", "source", "origin"),
    [
        ("-e git+https://example.org/x.git@1f#egg=X_y", "x-y", "vcs", "git+https://example.org/x.git@1f#egg=X_y"),
        ("-e .", "", "project", "."),
        ("--editable=./lib[fast]", "", "path", "./lib"),
        ("./x-1.0-py3-none-any.whl", "", "path", "./x-1.0-py3-none-any.whl"),
        ("x-1.0-py3-none-any.whl", "", "path", "x-1.0-py3-none-any.whl"),
        ("https://example.org/x-1.0.tar.gz", "", "url", "https://example.org/x-1.0.tar.gz"),
        ("X @ https://example.org/x.whl ; python_version > '3'", "x", "url", "https://example.org/x.whl"),
        ("numpy @ file:///croot/numpy/work", "numpy", "path", "file:///croot/numpy/work"),
        ("x @ git+ssh://git@example.org/x@main", "x", "vcs", "git+ssh://git@example.org/x@main"),
    ],
)
def test_what_comes_from_no_index(tmp_path: Path, line: str, name: str, source: str, origin: str) -> None:
    (package,) = _read(tmp_path, line).packages
    assert (package.name, package.source, package.origin, package.version) == (name, source, origin, None)


def test_a_freeze_of_powershell(tmp_path: Path) -> None:
    text = "a==1\r\n## !! Could not determine repository location\r\nb==2\r\n"
    for encoding in ("utf-16", "utf-8-sig"):
        assert [each.requirement for each in _read(tmp_path, text.encode(encoding)).packages] == ["a==1", "b==2"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a==1\nnot a name\n", "r.txt:2: 'not a name' is no requirement (Expected "),
        ("a==1\n\na==2\n", "r.txt:3: a 2 contradicts 1 at r.txt:1; take one of them out"),
        ("-r other.txt\na==2\n", "r.txt:2: a 2 contradicts 1 at other.txt:1; take one of them out"),
        ("a==1.x.y\n", "r.txt:1: 'a==1.x.y' is no requirement"),
        ("a==1; nonsense > '3'\n", "r.txt:1: "),
        (f"a=={'9' * 5000}\n", f"r.txt:1: 'a=={'9' * 5000}' is no requirement (a number in it is too long); "),
        ("-r \0.txt\n", "r.txt:1: includes a file whose name has a NUL"),
        ("-r r.txt\n", "r.txt:1: the file includes itself (r.txt -> r.txt); take the line out"),
        ("-r cycle.txt\n", "cycle.txt:1: the file includes itself (r.txt -> cycle.txt -> r.txt); take the line out"),
        ("\n-r gone.txt\n", "r.txt:2: includes gone.txt, which cannot be read (No such file or directory); "),
        ("-r https://example.org/r.txt\n", "r.txt:1: includes https://example.org/r.txt, which is not fetched; "),
        (b"a==1\n\xff\n", "r.txt:2: no text in UTF-8; save it as UTF-8"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str | bytes, message: str) -> None:
    assert _error(tmp_path, text, other="a==1\n", cycle="-r r.txt\n").startswith(message)


def test_no_two_versions_where_markers_tell_them_apart(tmp_path: Path) -> None:
    text = "a==1; python_version < '3.12'\na==2; python_version >= '3.12'\na==2; python_version >= '3.12'\na == 2.0\n"
    assert [each.requirement for each in _selected(tmp_path, text).packages] == ["a==2", "a==2.0"]

"""What tools write and what is wrong with it, by small documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abicheck.errors import TargetError
from abicheck.model.host import Libc
from abicheck.model.index import Target
from abicheck.read.locks import document, is_lock, read_lock
from abicheck.read.locks.selection import select

if TYPE_CHECKING:
    from pathlib import Path

    from abicheck.model.lock import Selection

PY312 = Target((3, 12), "x86_64", Libc("glibc", (2, 28)))
UV = 'version = 1\nrequires-python = ">=3.9"\n'
PROJECT = '[[package]]\nname = "p"\nversion = "1"\nsource = { virtual = "." }\n'
INDEX = 'source = { registry = "https://example.org/simple" }\n'


def _selected(tmp_path: Path, name: str, text: str) -> Selection:
    (tmp_path / name).write_text(text)
    return select(read_lock(str(tmp_path / name)), PY312)


def _error(tmp_path: Path, name: str, text: str) -> str:
    with pytest.raises(TargetError) as raised:
        _selected(tmp_path, name, text)
    return str(raised.value).replace(f"{tmp_path}/", "")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("uv.lock", True),
        ("a/poetry.lock", True),
        ("Pipfile.lock", True),
        ("requirements-dev.txt", True),
        ("pylock.toml", True),
        ("pylock.dev.toml", True),
        ("pylock.a.b.toml", False),
        ("matrix.toml", False),
        ("numpy==1.0", False),
    ],
)
def test_names_of_lock_files(name: str, expected: bool) -> None:  # noqa: FBT001 -- a table
    assert is_lock(name) is expected


def test_uv_follows_extras_and_forks_and_leaves_other_sources_out(tmp_path: Path) -> None:
    text = f"""{UV}
{PROJECT}dependencies = [
    {{ name = "a", extra = ["fast"] }},
    {{ name = "f", version = "1", marker = "python_full_version < '3.12'" }},
    {{ name = "f", version = "2", marker = "python_full_version >= '3.12'" }},
    {{ name = "own", marker = "sys_platform == 'linux'" }},
    {{ name = "g" }},
]

[[package]]
name = "a"
version = "1"
{INDEX}
[package.optional-dependencies]
fast = [{{ name = "quick" }}]
slow = [{{ name = "lazy" }}]

[[package]]
name = "quick"
version = "1"
{INDEX}dependencies = [{{ name = "a" }}]

[[package]]
name = "lazy"
version = "1"
{INDEX}
[[package]]
name = "f"
version = "1"
{INDEX}
[[package]]
name = "f"
version = "2"
{INDEX}
[[package]]
name = "own"
source = {{ editable = "own" }}

[[package]]
name = "g"
version = "1"
source = {{ git = "https://example.org/g?rev=main#1f" }}
"""
    found = _selected(tmp_path, "uv.lock", text)
    assert [each.requirement for each in found.packages] == ["a==1", "quick==1", "f==2"]
    assert [(each.name, each.source) for each in found.elsewhere] == [("own", "path"), ("g", "vcs")]
    inside = text.replace("[[package]]", '[manifest]\nmembers = ["own", "p"]\n\n[[package]]', 1)
    assert [each.name for each in _selected(tmp_path, "uv.lock", inside).elsewhere] == ["g"]


def test_the_lock_of_a_script_begins_at_its_requirements(tmp_path: Path) -> None:
    text = (
        f'{UV}[manifest]\nrequirements = [{{ name = "a", specifier = ">=1" }}]\n\n[[package]]\nname = "a"\nversion = "1"\n{INDEX}'
    )
    assert [each.requirement for each in _selected(tmp_path, "x.py.lock", text).packages] == ["a==1"]


def test_old_poetry_has_categories_and_its_hashes_apart(tmp_path: Path) -> None:
    text = """[[package]]
name = "A"
version = "1"
category = "main"
optional = false

[package.dependencies]
b = [{version = ">=1", markers = "sys_platform == 'linux'"}, {version = "^0.1", python = "<3"}]
c = {version = "*", markers = "sys_platform == 'win32'"}

[[package]]
name = "b"
version = "1"
category = "main"
optional = false

[[package]]
name = "c"
version = "1"
category = "main"
optional = false

[metadata]
lock-version = "1.1"
python-versions = "^3.9"
content-hash = "0"

[metadata.files]
A = [{file = "a.whl", hash = "sha256:00"}]
b = []
"""
    found = _selected(tmp_path, "poetry.lock", text)
    assert [(each.requirement, each.hashes) for each in found.packages] == [("a==1", ("sha256:00",)), ("b==1", ())]


def test_poetry_may_have_a_marker_for_each_group(tmp_path: Path) -> None:
    text = """[[package]]
name = "a"
version = "1"
optional = false
groups = ["main", "dev"]
markers = {main = "sys_platform == 'win32'", dev = "sys_platform == 'linux'"}

[metadata]
lock-version = "2.1"
content-hash = "0"
"""
    assert _selected(tmp_path, "poetry.lock", text).packages == ()
    assert [each.groups for each in read_lock(str(tmp_path / "poetry.lock")).packages] == [("main",), ("dev",)]


def test_pep_751_knows_groups_and_environments(tmp_path: Path) -> None:
    package = (
        '[[packages]]\nname = "{0}"\nversion = "1"\nmarker = "{1}"\n'
        '[[packages.wheels]]\nurl = "https://example.org/{0}-1-py3-none-any.whl"\nhashes = {{sha256 = "00"}}\n'
    )
    head = 'lock-version = "1.0"\ncreated-by = "me"\ndependency-groups = ["a", "b"]\ndefault-groups = ["a"]\n'
    text = head + package.format("a", "'a' in dependency_groups") + package.format("b", "'b' in dependency_groups")
    assert [each.requirement for each in _selected(tmp_path, "pylock.toml", text).packages] == ["a==1"]
    other = text.replace("dependency-groups", "environments = [\"sys_platform == 'win32'\"]\ndependency-groups", 1)
    assert _error(tmp_path, "pylock.toml", other).startswith("pylock.toml: it is for none of this Python and machine ")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("uv.lock", "", "uv.lock: none of the lock files that abicheck knows; "),
        (
            "uv.lock",
            UV.replace("version = 1", "version = 2", 1) + PROJECT,
            "uv.lock: is of version 2 of its format, and abicheck reads ",
        ),
        (
            "poetry.lock",
            '[metadata]\nlock-version = "3.0"\n',
            "poetry.lock: is of version 3.0 of its format, and abicheck reads ",
        ),
        ("pdm.lock", '[metadata]\nlock_version = "5.0"\n', "pdm.lock: is of version 5.0 of its format, and abicheck reads "),
        ("Pipfile.lock", '{"_meta": {"pipfile-spec": 7}}', "Pipfile.lock: is of version 7 of its format, and abicheck reads "),
        ("uv.lock", "a = [", "uv.lock: no TOML (Invalid value (at end of document)"),
        ("uv.lock", "a = " + "[" * 5000, "uv.lock: no TOML (nested too deeply); "),
        ("x.lock", '{"a"', "x.lock:1: no JSON ("),
        ("x.lock", '{"a":' * 50_000, "x.lock: no JSON ("),
        ("uv.lock", UV + "package = 1", "uv.lock:1: package: must be a list of tables; make the lock again with its tool"),
        ("uv.lock", f'{UV}[[package]]\nversion = "1"\n{INDEX}', "uv.lock:4: package[0].name: is missing; "),
        ("uv.lock", f'{UV}[[package]]\nname = "a"\nversion = "x"\n{INDEX}', "uv.lock:5: package[0].version: 'x' is no version; "),
        ("uv.lock", f'{UV}[[package]]\nname = "a"\nversion = "1"\n', "uv.lock:5: package[0].source: must have one of "),
        ("uv.lock", f"{UV}{PROJECT}dependencies = [1]", "uv.lock:5: package[0].dependencies[0]: must be a table; "),
        ("uv.lock", UV.replace("3.9", f"3.9, >={'9' * 5000}") + PROJECT, "uv.lock:1: requires-python: '>=3.9, >=999"),
        ("uv.lock", UV.replace("3.9", "3.13") + PROJECT, "uv.lock: it is for Python >=3.13, not 3.12; name one with --python"),
        (
            "uv.lock",
            f"{UV}{PROJECT}dependencies = [{{ name = 'a', marker = '((' }}]",
            "uv.lock:5: package[0].dependencies[0].marker: '((' is no marker; ",
        ),
        ("pylock.toml", 'lock-version = "1.0"\n', "pylock.toml:1: created-by: Missing required value; "),
        (
            "pylock.toml",
            'lock-version = "1.0"\ncreated-by = "me"\n[[packages]]\nname = "a"\nversion = "x"\n',
            "pylock.toml:5: packages[0].version: Invalid version: 'x'; ",
        ),
        (
            "poetry.lock",
            '[[package]]\nname = "a"\n[metadata]\ncontent-hash = ""\n',
            "poetry.lock:1: package[0].version: is missing",
        ),
        ("pdm.lock", '[metadata]\nlock_version = "4"\n[[package]]\nname = "a"\n', "pdm.lock:3: package[0].version: is missing; "),
        ("Pipfile.lock", '{"_meta": {}, "default": {"a": {"version": "==x"}}}', "Pipfile.lock:1: default.a.version: 'x' is no "),
        (
            "Pipfile.lock",
            '{"_meta": {}, "default": {"a": {"version": "x"}}}',
            "Pipfile.lock:1: default.a.version: 'x' is no spec",
        ),
        ("Pipfile.lock", '{"_meta": {}, "default": 1}', "Pipfile.lock:1: default: must be a table; "),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    assert _error(tmp_path, name, text).startswith(message)


def test_a_file_that_no_lock_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "LIMIT", 1 << 20)
    (tmp_path / "r.txt").write_bytes(b"#" * (2 << 20))
    for path, message in [
        ("r.txt", "larger than 1 MiB"),
        ("gone.lock", r"cannot be read \(No such file"),
        (".", "cannot be read"),
    ]:
        with pytest.raises(TargetError, match=message):
            read_lock(str(tmp_path / path))

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from abicheck.errors import TargetError
from abicheck.model.artifact import Scheme
from abicheck.model.elf import SharedObject
from abicheck.read.artifacts.installed import find_distributions, open_installed
from abicheck.read.files import FactStore
from tests.elfwriter import write_elf
from tests.wheelwriter import INFO, METADATA, WHEEL

LIBRARY = write_elf(soname="libx.so.1")


@pytest.fixture
def scheme(tmp_path: Path) -> Scheme:
    """An environment with `demo` installed."""
    scheme = Scheme(str(tmp_path / "env/lib/python3.12/site-packages"), str(tmp_path / "env/bin"), str(tmp_path / "env"))
    files = {
        "demo/__init__.py": b"",
        "demo/_ext.abi3.so": LIBRARY,
        "demo.libs/libx.so": LIBRARY,
        f"{INFO}/METADATA": METADATA,
        f"{INFO}/WHEEL": WHEEL,
        "../../../bin/run": LIBRARY,
        "../../../share/demo.txt": b"text",
    }
    for name, content in files.items():
        path = Path(scheme.library, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    lines = [f"{name},,{len(content)}" for name, content in files.items()]
    lines += ["demo/__pycache__/__init__.cpython-312.pyc,,", f"{INFO}/RECORD,,"]
    Path(scheme.library, INFO, "RECORD").write_text("\n".join(lines))
    return scheme


def _info(scheme: Scheme) -> str:
    return f"{scheme.library}/{INFO}"


def test_it_is_what_its_record_says(scheme: Scheme) -> None:
    package = open_installed(_info(scheme), here=scheme, there=scheme, store=FactStore())
    found = package.distribution
    assert (found.kind, found.name, found.version, found.requires) == ("distribution", "de-mo", "1.0", ("numpy",))
    assert found.binaries == (
        scheme.scripts + "/run",
        scheme.library + "/demo.libs/libx.so",
        scheme.library + "/demo/_ext.abi3.so",
    )
    assert len(found.files) == 8
    assert scheme.data + "/share/demo.txt" in found.files
    assert found.imports == ("demo",)
    assert found.problems == ()
    assert package.entries() == {}


def test_what_lies_outside_a_root_is_shown_where_it_would_be(scheme: Scheme) -> None:
    there = Scheme("/usr/local/lib/python3.12/dist-packages", "/usr/local/bin", "/usr/local")
    package = open_installed(_info(scheme), here=scheme, there=there, store=FactStore(), shown=True)
    entries = package.entries()
    assert tuple(sorted(entries)) == package.distribution.files
    assert package.places["/usr/local/bin/run"] == scheme.scripts + "/run"
    assert package.places["/usr/local/share/demo.txt"] == scheme.data + "/share/demo.txt"
    facts = package.facts(entries["/usr/local/lib/python3.12/dist-packages/demo/_ext.abi3.so"])
    assert isinstance(facts, SharedObject)


@pytest.mark.parametrize(
    ("name", "content", "verify", "expected"),
    [
        ("demo/_ext.abi3.so", None, False, [("missing", "demo/_ext.abi3.so")]),
        ("demo/_ext.abi3.so", LIBRARY + b"!", False, [("size", "demo/_ext.abi3.so")]),
        ("demo/new.txt", b"text", False, []),
        ("demo/deep/er/new.bin", LIBRARY, False, [("not-in-record", "demo/deep/er/new.bin")]),
        ("other/new.so", LIBRARY, False, []),
        (f"{INFO}/RECORD", None, False, [("no-record", f"{INFO}/RECORD")]),
        (f"{INFO}/RECORD", b"demo/__init__.py,sha256=AAAA,0\n", True,
         [("hash", "demo/__init__.py"), ("not-in-record", "demo/_ext.abi3.so")]),
        (f"{INFO}/RECORD", b'demo/__init__.py,sha256=AAAA,0\n"unclosed\0', False,
         [("not-in-record", "demo/_ext.abi3.so"), ("missing", "unclosed")]),
    ],
)  # fmt: skip
def test_record_and_disk_are_compared(
    scheme: Scheme, name: str, content: bytes | None, verify: bool, expected: list[tuple[str, str]]  # noqa: FBT001 -- a table
) -> None:  # fmt: skip
    path = Path(scheme.library, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    found = open_installed(_info(scheme), here=scheme, there=scheme, store=FactStore(), verify=verify).distribution
    assert sorted((each.kind, each.path) for each in found.problems) == sorted(expected)
    assert all(Path(each).exists() for each in found.files)


def test_a_neighbour_in_the_same_directory_is_no_stranger(scheme: Scheme) -> None:
    other = Path(scheme.library, "other-2.dist-info")
    other.mkdir()
    (other / "RECORD").write_text("demo/theirs.so,,\n")
    Path(scheme.library, "demo/theirs.so").write_bytes(LIBRARY)
    assert open_installed(_info(scheme), here=scheme, there=scheme, store=FactStore()).distribution.problems == ()


def test_without_record_the_files_are_guessed(scheme: Scheme) -> None:
    Path(_info(scheme), "RECORD").unlink()
    found = open_installed(_info(scheme), here=scheme, there=scheme, store=FactStore()).distribution
    assert scheme.library + "/demo/_ext.abi3.so" in found.binaries
    assert scheme.library + "/demo.libs/libx.so" in found.binaries


def test_leftovers_are_named_with_their_reason(scheme: Scheme) -> None:
    library = Path(scheme.library)
    (library / "empty-1.dist-info").mkdir()
    (library / "~umpy-2.0.dist-info").mkdir()
    (library / "old-1.0-py3.11.egg-info").mkdir()
    (library / "linked.egg-link").write_text("/src/linked\n.")
    shutil.copytree(library / INFO, library / "edited-1.dist-info")
    url = {"url": "file:///src/edited", "dir_info": {"editable": True}}
    (library / "edited-1.dist-info/direct_url.json").write_text(json.dumps(url))
    shutil.copytree(library / INFO, library / "odd-1.dist-info")
    (library / "odd-1.dist-info/direct_url.json").write_text('{"editable"')
    found = {each.name: each for each in find_distributions(str(library))}
    said = {
        "empty": "half removed",
        "umpy": "interrupted pip",
        "old": "the old way",
        "linked": "/src/linked",
        "edited": "file:///src/edited",
        "odd": "damaged",
    }
    assert found.keys() == {*said, "demo"}
    assert found["demo"].obstacle == ""
    assert (found["old"].version, found["umpy"].version) == ("1.0", "2.0")
    for name, text in said.items():
        assert text in found[name].obstacle
        with pytest.raises(TargetError, match=text):
            open_installed(found[name].place, here=scheme, there=scheme, store=FactStore())


def test_what_is_no_directory_or_no_distribution(scheme: Scheme) -> None:
    with pytest.raises(TargetError, match="site-packages"):
        find_distributions(scheme.library + "/nowhere")
    with pytest.raises(TargetError, match="reinstall"):
        open_installed(scheme.library + "/gone-1.dist-info", here=scheme, there=scheme, store=FactStore())
    Path(_info(scheme), "METADATA").write_text("Name: demo\n")
    with pytest.raises(TargetError, match="names no project and version"):
        open_installed(_info(scheme), here=scheme, there=scheme, store=FactStore())

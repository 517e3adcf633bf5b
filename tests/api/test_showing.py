"""`show` on real files and on written ones."""

from __future__ import annotations

import sys
import sysconfig
from typing import TYPE_CHECKING, Any

import pytest

from abicheck.api import show
from abicheck.api.showing import cards_of
from abicheck.model.artifact import Distribution, Scheme
from abicheck.model.elf import SharedObject
from abicheck.model.files import FileId
from abicheck.read.elf import parse_elf, read_elf
from tests.elfparts import Note, Relocation, Symbol
from tests.elfwriter import write_elf
from tests.wheelwriter import write_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from abicheck.model.artifact import Sources
    from abicheck.model.elf import ElfFile


def needing(version: str, symbol: str = "f", **more: Any) -> bytes:
    return write_elf(
        needed=["libc.so.6", *more.pop("needed", ())],
        symbols=[Symbol(symbol, version=version, file="libc.so.6")],
        relocations=[Relocation("glob_dat", symbol)],
        **more,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has extension modules of this format")
def test_an_extension_of_this_interpreter(extension: Path) -> None:
    facts = read_elf(str(extension))
    assert isinstance(facts, SharedObject)
    (card,) = show([str(extension)]).cards
    asks = card.requirements
    assert (card.name, card.kind, asks.roots) == (extension.name, "files", (str(extension),))
    assert asks.python.versions == (f"{sys.version_info[0]}.{sys.version_info[1]}",)
    wanted = {(need.file, version.name) for need in facts.version_needs for version in need.versions}
    assert {(node.library, node.name) for library in asks.libraries for node in library.nodes} <= wanted
    newest = max(
        (tuple(map(int, name.removeprefix("GLIBC_").split("."))) for _, name in wanted if name.startswith("GLIBC_2")),
        default=None,
    )
    assert asks.window is not None
    if newest is not None:
        assert asks.window.glibc_min == ".".join(map(str, newest))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has extension modules of this format")
def test_all_extensions_of_this_interpreter() -> None:
    report = show([sysconfig.get_config_var("DESTSHARED")])
    assert report.errors == ()
    (card,) = report.cards
    assert len(card.requirements.roots) > 5
    assert "libc.so.6" in {library.name for library in card.requirements.libraries}


def test_files_together_are_one_artifact(tmp_path: Path) -> None:
    (tmp_path / "a.so").write_bytes(needing("GLIBC_2.17", needed=["libb.so"]))
    (tmp_path / "libb.so").write_bytes(needing("GLIBC_2.28", "fcntl64", stack=7))
    alone = show([str(tmp_path / "a.so")]).cards[0].requirements
    assert [library.name for library in alone.libraries] == ["libc.so.6", "libb.so"]
    (card,) = show([str(tmp_path / "a.so"), str(tmp_path / "libb.so")]).cards
    asks = card.requirements
    assert [library.name for library in asks.libraries] == ["libc.so.6"]
    assert asks.window is not None
    assert (asks.window.glibc_min, asks.window.glibc_max) == ("2.28", "2.40")
    assert asks.libraries[0].nodes[0].uses[0].symbols == ("fcntl64",)


def test_a_wheel(tmp_path: Path) -> None:
    path = tmp_path / "pkg-1.0-cp37-abi3-manylinux2014_x86_64.whl"
    opener = write_elf(
        needed=["libc.so.6"], symbols=[Symbol("dlopen")], relocations=[Relocation("glob_dat", "dlopen")],
        notes=[Note("text", 1, b"\0libcudnn.so.9\0")],
    )  # fmt: skip
    silent = write_elf(needed=["libc.so.6"], notes=[Note("text", 1, b"\0libnot.so.1\0")])
    metadata = {
        "pkg-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: pkg\nVersion: 1.0\n",
        "pkg-1.0.dist-info/RECORD": b"",
        "pkg-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nTag: cp37-abi3-manylinux2014_x86_64\n",
    }
    write_wheel(path, {"pkg/opener.so": opener, "pkg/silent.so": silent, "pkg/new.so": needing("GLIBC_2.28"), **metadata})
    (card,) = show([str(path)]).cards
    asks = card.requirements
    assert (card.name, card.version, asks.python.versions, asks.python.or_newer) == ("pkg", "1.0", ("3.7",), True)
    assert (asks.promised, [each.name for each in asks.opened], asks.gpu.cudnn) == ("2.17", ["libcudnn.so.9"], ("9",))


def test_each_machine_has_a_card(tmp_path: Path) -> None:
    for machine in ("x86_64", "aarch64"):
        (tmp_path / f"{machine}.so").write_bytes(write_elf(machine=machine, stack=None))
    (tmp_path / "other.so").write_bytes(write_elf()[:18] + b"\x03\0" + write_elf()[20:])
    (tmp_path / "short.so").write_bytes(write_elf()[:30])
    report = show([str(tmp_path)])
    windows = {each.requirements.arch: each.requirements.window for each in report.cards}
    assert {arch: window and (window.glibc_min, window.glibc_max) for arch, window in windows.items()} == {
        "x86_64": (None, "2.40"),
        "aarch64": ("2.17", None),
    }
    assert report.cards[0].passed_over == (("other.so", "made for another machine"), ("short.so", "cut short or damaged"))


def test_what_cannot_be_read_is_listed_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "a.so").write_bytes(write_elf())
    (tmp_path / "short.so").write_bytes(write_elf()[:30])
    (tmp_path / "empty").mkdir()
    report = show([str(tmp_path / "empty"), str(tmp_path / "a.so"), str(tmp_path / "gone-1-py3-none-any.whl")])
    assert [card.name for card in report.cards] == ["a.so"]
    assert [failure.target for failure in report.errors] == [str(tmp_path / "empty"), str(tmp_path / "gone-1-py3-none-any.whl")]
    assert report.exit_code == 4
    (failure,) = show([str(tmp_path / "short.so")]).errors
    assert failure.message.startswith("cut short or damaged; ")


class _Installed:
    """A package at a prefix, as wheels and installed distributions are."""

    files: Mapping[str, bytes] = {
        "/p/pkg/a.so": needing("GLIBC_2.17", needed=["libb.so"]),
        "/p/pkg.libs/libb.so": needing("GLIBC_2.20"),
    }
    distribution = Distribution(
        "distribution", "pkg", "1", "pkg", "/p/pkg-1.dist-info", Scheme("/p", "/bin", "/"), tuple(files), tuple(files),
        tags=("cp312-cp312-manylinux2014_x86_64",), requires_python=">=3.12",
    )  # fmt: skip

    def entries(self) -> Mapping[str, FileId]:
        return {path: FileId(-1, number, 1, 1, 1) for number, path in enumerate(self.files)}

    def facts(self, file: FileId) -> ElfFile:
        return parse_elf(list(self.files.values())[file.inode])

    def sources(self) -> Sources:
        raise AssertionError

    def opened_names(self, path: str) -> tuple[str, ...]:
        raise AssertionError(path)


def test_a_package_is_told_from_where_it_is_installed() -> None:
    (card,) = cards_of(_Installed())
    asks = card.requirements
    assert asks.objects == ("pkg/a.so", "pkg.libs/libb.so")
    assert (asks.roots, asks.python.requires, asks.promised) == (("pkg/a.so",), ">=3.12", "2.17")

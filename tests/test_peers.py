"""Verdicts that other tools get wrong, on real bytes: what the loader says, what abicheck says, and what its command returns."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import pytest

from abicheck.api import Options, check
from abicheck.cli.main import main
from abicheck.read.hosts.machine import LOADER_VARIABLES
from tests.corpus.here import MACHINE, Here, observed, requires_glibc
from tests.elfparts import PAGE, WEAK, NeededVersion, Relocation, Symbol
from tests.elfwriter import write_elf

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from abicheck.model.report import Result

pytestmark = requires_glibc
#: Where e_shoff, and e_shentsize with e_shnum and e_shstrndx behind it, stand in the header of a file.
SECTION_OFFSET, SECTION_COUNTS = 40, 58
STACK_REFUSED = "cannot enable executable stack as shared object requires: Invalid argument"


@pytest.fixture(autouse=True)
def clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABICHECK_CACHE", str(tmp_path / "cache"))
    for name in LOADER_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir("/")


@pytest.fixture(scope="module")
def here() -> Here:
    return Here()


def make(path: Path, **fields: Any) -> Path:
    """An object at `path`, which finds what it needs beside it."""
    path.write_bytes(write_elf(**{"machine": MACHINE, "runpath": "$ORIGIN", **fields}))
    return path


def without_section_headers(data: bytes) -> bytes:
    edited = bytearray(data)
    struct.pack_into("<Q", edited, SECTION_OFFSET, 0)
    struct.pack_into("<HH", edited, SECTION_COUNTS + 2, 0, 0)
    return bytes(edited)


def result(path: Path) -> Result:
    """What the public library says, which is what really happens."""
    (found,) = check([str(path)], options=Options(stored=False)).results
    assert [found.predicted] == observed([str(path)])
    assert found.verdict == ("loads" if found.predicted is None else "fails")
    return found


def wanting(name: str, version: str, *, binding: int = 1) -> dict[str, Any]:
    """The fields of an object that refers to a symbol of libb.so."""
    symbol = Symbol(name, version=version, file="libb.so", binding=binding)
    return {"needed": ["libb.so"], "symbols": [symbol], "relocations": [Relocation("glob_dat", name)]}


class TestWithoutSectionHeaders:
    def test_a_need_is_seen(self, tmp_path: Path) -> None:
        (tmp_path / "libb.so").write_bytes(without_section_headers(write_elf(machine=MACHINE, version_definitions=["V1"])))
        path = make(tmp_path / "a.so", **wanting("f", "V2"))
        path.write_bytes(without_section_headers(path.read_bytes()))
        assert result(path).predicted == f"{tmp_path}/libb.so: version `V2' not found (required by {path})"

    def test_everything_of_an_extension_is_read(self, extension: Path, tmp_path: Path) -> None:
        whole, bare = tmp_path / "whole" / extension.name, tmp_path / "bare" / extension.name
        for path in (whole, bare):
            path.parent.mkdir()
        whole.write_bytes(extension.read_bytes())
        bare.write_bytes(without_section_headers(extension.read_bytes()))
        first, second = result(whole), result(bare)
        assert second.verdict == "loads"
        assert (second.roots[0].kind, second.objects, second.references) == ("extension", first.objects, first.references)

    def test_nothing_is_believed_of_what_they_say(self, tmp_path: Path) -> None:
        no_size = make(tmp_path / "no-size.so", symbols=[Symbol("f", defined=True)])
        data = bytearray(no_size.read_bytes())
        struct.pack_into("<Q", data, SECTION_OFFSET, len(data))
        struct.pack_into("<HHH", data, SECTION_COUNTS, 0, 1, 0)
        no_size.write_bytes(data + bytes(64))
        assert result(no_size).verdict == "loads"

        endless = tmp_path / "endless.so"
        struct.pack_into("<HHH", data, SECTION_COUNTS, 64, 0, 0)
        endless.write_bytes(data + struct.pack("<IIQQQQIIQQ", 0, 0, 0, 0, 0, 1 << 60, 0, 0, 0, 0))
        assert result(endless).verdict == "loads"


class TestRelativeRelocations:
    """DT_RELR asks for glibc 2.36, whether GLIBC_ABI_DT_RELR says so or not."""

    def test_without_libc_no_marker_says_it(self, tmp_path: Path, here: Here) -> None:
        path = make(tmp_path / "a.so", constructor=True, relr=["data"])
        assert result(path).predicted == here.begin().predicted([str(path)])[0]
        for glibc, text in (((2, 35), "signal: SIGSEGV"), ((2, 36), None), ((2, 41), None)):
            assert here.begin(glibc=glibc).predicted([str(path)]) == [text]

    def test_with_libc_the_marker_is_asked_for(self, tmp_path: Path, here: Here) -> None:
        need = [NeededVersion("libc.so.6", "GLIBC_2.17")]
        path = make(tmp_path / "a.so", needed=["libc.so.6"], version_needs=need, constructor=True, relr=["data"])
        text = f"{path}: DT_RELR without GLIBC_ABI_DT_RELR dependency"
        for glibc in ((2, 36), (2, 43)):
            assert here.begin(glibc=glibc).predicted([str(path)]) == [text]


class TestVersions:
    @pytest.fixture(autouse=True)
    def library(self, tmp_path: Path) -> None:
        make(tmp_path / "libb.so", version_definitions=["V1"], symbols=[Symbol("foo", defined=True, version="V1")])

    def test_a_symbol_is_absent_though_its_version_exists(self, tmp_path: Path) -> None:
        path = make(tmp_path / "a.so", **wanting("bar", "V1"))
        assert result(path).predicted == f"{path}: undefined symbol: bar, version V1"

    def test_a_version_is_absent(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = make(tmp_path / "a.so", **wanting("foo", "V2"))
        text = f"{tmp_path}/libb.so: version `V2' not found (required by {path})"
        assert result(path).predicted == text
        assert command(str(path)) == 1
        assert text in capsys.readouterr().out

    def test_a_weak_reference_needs_its_version_all_the_same(self, tmp_path: Path) -> None:
        path = make(tmp_path / "a.so", **wanting("foo", "V2", binding=WEAK))
        assert result(path).predicted == f"{tmp_path}/libb.so: version `V2' not found (required by {path})"

    def test_unless_the_need_itself_is_weak(self, tmp_path: Path) -> None:
        need = [NeededVersion("libb.so", "V2", weak=True)]
        path = make(tmp_path / "a.so", **wanting("foo", "V2", binding=WEAK), version_needs=need)
        assert result(path).verdict == "loads"


def command(*arguments: str) -> int:
    with pytest.raises(SystemExit) as leaving:
        main(["check", *arguments])
    assert isinstance(leaving.value.code, int)
    return leaving.value.code


class TestTruncation:
    def test_the_process_would_die_and_abicheck_does_not(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = make(tmp_path / "a.so")
        path.write_bytes(path.read_bytes()[:PAGE])
        assert result(path).predicted == "signal: SIGBUS"
        assert command("--format", "json", str(path)) == 1
        captured = capsys.readouterr()
        (finding,) = json.loads(captured.out)["results"][0]["findings"]
        assert (finding["rule"], finding["evidence"][0]) == ("truncated-file", "signal: SIGBUS")
        assert captured.err == ""

    @pytest.mark.parametrize("pages", range(1, 8))
    def test_wherever_it_is_cut(self, extension: Path, tmp_path: Path, pages: int) -> None:
        data = extension.read_bytes()
        path = tmp_path / extension.name
        path.write_bytes(data[: len(data) * pages // 8])
        result(path)


class TestExtensions:
    def test_all_of_the_running_interpreter(self, extension: Path, here: Here) -> None:
        """In one process, one after the other; and what loads there loads alone."""
        paths = sorted(map(str, extension.parent.glob("*.so")))
        truth = observed(paths)
        assert len(truth) == len(paths)
        assert here.begin().predicted(paths) == truth
        report = check(paths, options=Options(stored=False))
        assert [each.predicted for each in report.results] == truth
        assert report.errors == ()

    def test_what_was_loaded_before_counts(self, tmp_path: Path, here: Here) -> None:
        """A library out of a wheel's .libs that does not load by itself, but does once its dependency is there."""
        (tmp_path / "libs").mkdir()
        make(tmp_path / "libs/libdeep.so")
        alone = make(tmp_path / "libs/libgrafted.so", needed=["libdeep.so"], runpath=None)
        extension = make(tmp_path / "a.so", needed=["libdeep.so"], runpath="$ORIGIN/libs")
        missing = "libdeep.so: cannot open shared object file: No such file or directory"
        for order, truth in (([alone], [missing]), ([alone, extension, alone], [missing, None, None])):
            paths = list(map(str, order))
            assert here.begin().predicted(paths) == observed(paths) == truth


class TestExecutableStack:
    VERSIONS: Mapping[tuple[int, int], bool] = {(2, 31): True, (2, 36): True, (2, 40): True, (2, 41): False, (2, 43): False}

    def test_by_its_own_path(self, tmp_path: Path, here: Here) -> None:
        path = make(tmp_path / "a.so", stack=7)
        result(path)
        for glibc, loads in self.VERSIONS.items():
            expected = None if loads else f"{path}: {STACK_REFUSED}"
            assert here.begin(glibc=glibc).predicted([str(path)]) == [expected]

    def test_of_what_an_extension_needs(self, tmp_path: Path, here: Here) -> None:
        """As in the wheels of ctranslate2 before 4.6.0: the extension asks for nothing, its library does."""
        (tmp_path / "pkg.libs").mkdir()
        (tmp_path / "pkg").mkdir()
        make(tmp_path / "pkg.libs/libpkg-0123abcd.so.4", soname="libpkg-0123abcd.so.4", stack=7)
        fields = {"needed": ["libpkg-0123abcd.so.4"], "runpath": None, "rpath": "$ORIGIN/../pkg.libs"}
        path = make(tmp_path / "pkg/_ext.abi3.so", symbols=[Symbol("PyInit__ext", defined=True)], **fields)
        assert result(path).roots[0].kind == "extension"
        for glibc, loads in self.VERSIONS.items():
            expected = None if loads else f"libpkg-0123abcd.so.4: {STACK_REFUSED}"
            assert here.begin(glibc=glibc).predicted([str(path)]) == [expected]

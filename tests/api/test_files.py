from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import abicheck
from abicheck.api import Options, check
from abicheck.errors import UsageError
from abicheck.judge import loader
from abicheck.report.json import document
from tests.elfwriter import write_elf

if TYPE_CHECKING:
    from abicheck.model.process import Binding
    from abicheck.model.report import Report

NAME = "_ext.so"

#: Verdicts on files that have just been written are not stored.
SETTLED = 0.03


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ABICHECK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def library(extension: Path, tmp_path: Path) -> Path:
    """A copy of an extension module that a test may change."""
    path = tmp_path / "pkg" / extension.name
    path.parent.mkdir()
    shutil.copy(extension, path)
    return path


def _plain(report: Report) -> object:
    return json.loads(json.dumps(document(report)))


def test_an_extension_loads_here_and_in_a_root(library: Path, machine_root: Path) -> None:
    report = check([str(library)], ["local", f"rootfs:{machine_root}"], options=Options(digests=True))
    assert [result.verdict for result in report.results] == ["loads", "loads"]
    assert [result.roots[0].kind for result in report.results] == ["extension", "extension"]
    assert all(result.references > 0 and result.artifact.sha256 for result in report.results)
    assert (report.verdict, report.exit_code, report.errors) == ("loads", 0, ())


def test_a_program_is_started(machine_root: Path) -> None:
    report = check([str(machine_root / "usr/bin/python3")], [f"rootfs:{machine_root}"])
    assert report.results[0].roots[0] == ("/usr/bin/python3", "executable", "loads", None)


def test_what_lies_in_the_root_is_judged_at_its_path_there(library: Path, machine_root: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(machine_root, root, symlinks=True)
    (root / "opt").mkdir()
    library.rename(root / "opt" / NAME)
    for given in (str(root / "opt" / NAME), f"/opt/{NAME}"):
        report = check([given], [f"rootfs:{root}"])
        assert report.results[0].roots[0].path == f"/opt/{NAME}"
        assert report.results[0].artifact.path == given
        assert report.verdict == "loads"


def test_a_file_that_is_no_library_is_a_verdict_in_the_loaders_words(tmp_path: Path) -> None:
    (tmp_path / "empty.so").touch()
    (tmp_path / "text.so").write_text("version https://git-lfs.github.com/spec/v1\n" * 3)
    report = check([str(tmp_path / "empty.so"), str(tmp_path / "text.so")])
    assert [result.predicted for result in report.results] == [
        f"{tmp_path}/empty.so: file too short",
        f"{tmp_path}/text.so: invalid ELF header",
    ]
    assert report.exit_code == 1


def test_what_cannot_be_judged_is_listed_and_the_rest_goes_on(library: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    report = check([f"{tmp_path}/gone.so", f"{tmp_path}/empty", str(library)], ["local", f"rootfs:{tmp_path}/none"])
    assert [(error.target, error.message.partition(";")[0]) for error in report.errors] == [
        (f"{tmp_path}/gone.so", "no such file"),
        (f"{tmp_path}/empty", "no ELF file in it"),
        (f"rootfs:{tmp_path}/none", f"{tmp_path}/none is no directory"),
    ]
    assert (report.verdict, report.exit_code) == ("loads", 4)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_listed(library: Path) -> None:
    library.chmod(0)
    report = check([str(library)])
    assert "permission denied" in report.errors[0].message
    assert report.exit_code == 4


def test_wrong_usage_raises() -> None:
    with pytest.raises(UsageError, match="unknown host"):
        check(["a.so"], ["debian:99"])
    with pytest.raises(UsageError, match="no loader reads"):
        check(["a.so"], settings={"HOME": "/"})


def test_a_bare_name_is_no_search(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(library.parent)
    report = check([library.name, f"./{library.name}"])
    assert [result.roots[0].path for result in report.results] == [str(library), f"./{library.name}"]
    assert report.verdict == "loads"


def test_a_python_that_does_not_start_judges_nothing(library: Path, machine_root: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(machine_root, root, symlinks=True)
    for each in root.rglob("libm.so.6"):
        each.unlink()
    for each in root.rglob("libpython*"):
        each.unlink()
    report = check([str(library)], [f"rootfs:{root}"])
    assert report.results == ()
    assert "does not start (exit 127: " in report.errors[0].message


def test_the_order_is_that_of_the_targets(library: Path, tmp_path: Path, machine_root: Path) -> None:
    names = []
    for number in range(5):
        names.append(str(tmp_path / "pkg" / f"lib{number}.so"))
        shutil.copy(library, names[-1])
    alone = check(names, ["local", f"rootfs:{machine_root}"], options=Options(stored=False))
    assert [result.artifact.path for result in alone.results] == [name for name in names for _ in range(2)]
    spread = check(names, ["local", f"rootfs:{machine_root}"], options=Options(stored=False, jobs=3))
    assert _plain(spread) == _plain(alone)


class TestStoredVerdicts:
    def _judged(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        judged: list[str] = []
        real = loader.dlopen

        def counting(process: object, name: str, *rest: object, **how: object) -> object:
            judged.append(name)
            return real(process, name, *rest, **how)  # type: ignore[arg-type]

        monkeypatch.setattr(loader, "dlopen", counting)
        return judged

    def test_the_second_run_judges_nothing_and_says_the_same(
        self, library: Path, machine_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "pkg/broken.so").write_bytes(library.read_bytes()[:3000])
        judged = self._judged(monkeypatch)
        targets = [str(library), str(tmp_path / "pkg/broken.so")]
        time.sleep(SETTLED)
        first = check(targets, ["local", f"rootfs:{machine_root}"])
        assert len(judged) == 4
        second = check(targets, ["local", f"rootfs:{machine_root}"])
        assert len(judged) == 4
        assert _plain(second) == _plain(first)
        assert [result.references for result in second.results] == [result.references for result in first.results]

    @pytest.mark.parametrize("seed", ["1", "2"])
    def test_every_process_finds_what_another_stored(self, seed: str, library: Path, cache: Path) -> None:
        time.sleep(SETTLED)
        for each in ("0", seed):
            command = [sys.executable, "-m", "abicheck", "check", str(library)]
            environment = {**os.environ, "PYTHONHASHSEED": each, "ABICHECK_CACHE": str(cache)}
            subprocess.run(command, env=environment, check=True, capture_output=True)
        assert len(list(cache.iterdir())) == 1

    def test_a_change_anywhere_is_seen(
        self, library: Path, machine_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        root = tmp_path / "root"
        shutil.copytree(machine_root, root, symlinks=True)
        judged = self._judged(monkeypatch)

        def again() -> int:
            time.sleep(SETTLED)
            before = len(judged)
            check([str(library)], [f"rootfs:{root}"])
            return len(judged) - before

        assert (again(), again()) == (1, 0)
        os.utime(library, ns=(1, 1))
        assert (again(), again()) == (1, 0)
        for libc in root.rglob("libc.so.6"):
            os.utime(libc, ns=(1, 1))
        assert (again(), again()) == (1, 0)
        (root / "etc").mkdir(exist_ok=True)
        (root / "etc/ld.so.cache").write_bytes(b"not a cache")
        assert (again(), again()) == (1, 0)
        # A library that nobody asks for changes nothing.
        first = next(iter(root.glob("lib/*-linux-gnu")), None) or root / "lib64"
        shutil.copy(library, first / "libextra.so")
        assert again() == 0

    def test_a_directory_that_comes_to_be_is_seen_by_all_who_looked_there(self, tmp_path: Path) -> None:
        names = [str(tmp_path / f"lib{number}.so") for number in range(2)]
        for name in names:
            Path(name).write_bytes(write_elf(needed=["libinner.so"], runpath="$ORIGIN/later"))
        time.sleep(SETTLED)
        assert check(names).verdict == "fails"
        (tmp_path / "later").mkdir()
        (tmp_path / "later/libinner.so").write_bytes(write_elf(soname="libinner.so"))
        assert [result.verdict for result in check(names).results] == ["loads", "loads"]

    def test_other_questions_have_other_answers(self, library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        judged = self._judged(monkeypatch)
        for settings in ({}, {"LD_BIND_NOW": "1"}):
            check([str(library)], settings=settings)
        for options in (Options(digests=True), Options(tree=True), Options(stored=False)):
            check([str(library)], options=options)
        assert len(judged) == 5
        assert check([str(library)], options=Options(tree=True)).results[0].tree

    def test_processes_side_by_side_store_what_each_of_them_judged(
        self, library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        names = [str(tmp_path / "pkg" / f"lib{number}.so") for number in range(4)]
        for name in names:
            shutil.copy(library, name)
        time.sleep(SETTLED)
        check(names, options=Options(jobs=2))
        judged = self._judged(monkeypatch)
        check(names)
        assert len(judged) <= 2  # both may have written at the same moment

    def test_no_cache_leaves_no_trace(self, library: Path, cache: Path) -> None:
        check([str(library)], options=Options(stored=False))
        assert not cache.exists()

    def test_a_damaged_cache_is_not_trusted(self, library: Path, cache: Path) -> None:
        time.sleep(SETTLED)
        first = check([str(library)])
        (shelf,) = cache.iterdir()
        shelf.write_bytes(shelf.read_bytes().replace(b'"loads"', b'"fails"'))
        assert _plain(check([str(library)])) == _plain(first)
        cache.joinpath(shelf.name).unlink()
        shelf.mkdir()
        assert _plain(check([str(library)])) == _plain(first)


def test_the_tree_tells_where_everything_was_found(library: Path) -> None:
    (result,) = check([str(library)], options=Options(tree=True)).results
    assert result.tree is not None
    assert (result.tree[0].path, result.tree[0].found) == (str(library), "path")
    for entry in result.tree[1:]:
        assert (entry.found, entry.needed_by) == ("loaded-name", str(library))
        assert entry.path


def test_why_tells_who_refers_to_a_symbol_and_who_defines_it(library: Path) -> None:
    found: list[Binding] = []
    for symbol in ("PyModule_Create2", "PyModuleDef_Init"):
        (result,) = check([str(library)], options=Options(symbol=symbol)).results
        assert result.bindings is not None
        found += result.bindings
    assert found
    for binding in found:
        assert (binding.referrer, binding.version, binding.weak) == (str(library), None, False)
        assert binding.provider in binding.searched
    (nothing,) = check([str(library)], options=Options(symbol="no_such_symbol")).results
    assert nothing.bindings == ()


def test_the_package_has_the_functions_of_its_library() -> None:
    assert (abicheck.check, abicheck.Options) == (check, Options)
    assert {abicheck.show.__name__, abicheck.describe.__name__} == {"show", "describe"}
    with pytest.raises(AttributeError, match="no attribute 'chek'"):
        abicheck.chek  # noqa: B018 -- asking is all

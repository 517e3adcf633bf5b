"""The cells of a matrix, judged without being run; and what is judged for a remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abicheck.api import Options, check
from abicheck.api.grid import check_matrix
from abicheck.api.grid.cleared import Cleared
from abicheck.api.work import spread
from abicheck.errors import UsageError
from abicheck.model.elf import SharedObject
from abicheck.model.report import Failure
from abicheck.read.artifacts.wheel import open_wheel
from tests.api.gridworld import TAG, isolate, put
from tests.elfparts import Symbol
from tests.elfwriter import write_elf
from tests.wheelwriter import SCHEME

if TYPE_CHECKING:
    from pathlib import Path

EXT = "ext.cpython-312-x86_64-linux-gnu.so"
MATRIX = """schema_version = 1
hosts.old = { image = "x", check = "debian:12" }
hosts.new = { image = "x", check = "debian:13" }
hosts.unsaid.image = "x"

[[cells]]
hosts = ["new", "old"]
pythons = ["3.12"]
subject = "demo"
versions = ["1.0", "2.0", "3.0"]

[[cells]]
hosts = ["old"]
pythons = ["3.12"]
subject = "demo"
versions = ["1.0"]
beside = [["other==1.0"]]

[[cells]]
hosts = ["new"]
pythons = ["3.12"]
subject = "demo"
versions = ["1.0", "2.0"]
remedy = "clear-exec-stack"

[[cells]]
hosts = ["new"]
pythons = ["3.12"]
subject = "demo"
versions = ["1.0"]
remedy = "set-tunable"
settings = { GLIBC_TUNABLES = "glibc.rtld.execstack=2" }

[[cells]]
hosts = ["unsaid"]
pythons = ["3.12"]
subject = "demo"
versions = ["1.0", "2.0"]

[[cells]]
do = "check"
subject = "demo"
versions = ["2.0"]
hosts = ["rhel:9"]
"""


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = isolate(tmp_path, monkeypatch)
    symbols = [Symbol("PyInit_ext", defined=True)]
    put(found, "demo", "1.0", {f"demo/{EXT}": write_elf(symbols=symbols, stack=7)})
    put(found, "demo", "2.0", {f"demo/{EXT}": write_elf(symbols=symbols)}, requires="other")
    put(found, "demo", "3.0", {f"demo/{EXT}": b""}, "cp312-cp312-win_amd64")
    put(found, "other", "1.0", {f"other/{EXT}": write_elf(symbols=symbols, needed=["libgone.so"])})
    return found


@pytest.fixture
def matrix(tmp_path: Path) -> str:
    (tmp_path / "grid.toml").write_text(MATRIX, encoding="utf-8")
    return str(tmp_path / "grid.toml")


def test_cells(matrix: str) -> None:
    said: list[str] = []
    report = check_matrix(matrix, progress=said.append)
    found = [(each.cell, each.host.name, each.verdict, each.variant) for each in report.results]
    assert (
        found
        == [
            (None, "rhel:9", "not-installable", None),
            ("new/python3.12/demo-1.0", "new", "fails", ""),
            ("new/python3.12/demo-2.0", "new", "fails", ""),
            ("new/python3.12/demo-3.0", "new", "not-installable", ""),
            ("old/python3.12/demo-1.0", "old", "loads", ""),
            ("old/python3.12/demo-2.0", "old", "fails", ""),
            ("old/python3.12/demo-3.0", "old", "not-installable", ""),
            ("old/python3.12/demo-1.0+other-1.0", "old", "fails", "with other==1.0"),
            ("new/python3.12/demo-1.0/clear-exec-stack", "new", "loads", "clear-exec-stack"),
            ("new/python3.12/demo-1.0/set-tunable", "new", "loads", "set-tunable"),
        ]
        or found[0][2] == "loads"
    )
    reason = "no shared object in it asks for an executable stack; leave out the remedy"
    assert report.errors == (
        Failure("unsaid", 'the matrix names no host to judge for it; add check = "HOST" to hosts.unsaid'),
        Failure("new/python3.12/demo-2.0/clear-exec-stack", reason),
    )
    assert [each.partition(" ")[0] for each in said] == [f"[{number}/11]" for number in range(1, 12)]


def test_a_cell_is_what_check_says_of_its_requirements(matrix: str) -> None:
    results = {each.cell: each for each in check_matrix(matrix).results}
    for version in ("1.0", "2.0"):
        report = check([f"demo=={version}"], ["debian:12"], python="3.12", options=Options(prefix="/opt/abicheck/site"))
        mine = results[f"old/python3.12/demo-{version}"]
        deciding = next(each for each in report.results if each.artifact.name == mine.artifact.name)
        assert (mine.verdict, mine.predicted) == (deciding.verdict, deciding.predicted)
        assert {each.rule for each in mine.findings} == {each.rule for each in deciding.findings}
        assert mine.artifact._replace(path="") == deciding.artifact._replace(path="")


def test_any_number_of_processes_says_the_same(matrix: str) -> None:
    one, two = (check_matrix(matrix, options=Options(jobs=jobs)) for jobs in (1, 2))
    assert one._replace(seconds=0) == two._replace(seconds=0)


def test_hosts_that_are_asked(matrix: str) -> None:
    everything = check_matrix(matrix)
    report = check_matrix(matrix, ["old"])
    assert report.results == tuple(each for each in everything.results if each.host.name == "old")
    assert report.errors == ()
    with pytest.raises(UsageError, match="--host sid: no such host in the matrix; there are rhel:9, old, new, unsaid"):
        check_matrix(matrix, ["old", "sid"])


def test_a_host_that_does_not_exist(matrix: str, tmp_path: Path) -> None:
    text = MATRIX.replace('check = "debian:13"', 'check = "debian:99"')
    (tmp_path / "grid.toml").write_text(text, encoding="utf-8")
    for jobs in (1, 2):
        with pytest.raises(UsageError, match="unknown host 'debian:99'"):
            check_matrix(matrix, options=Options(jobs=jobs))


def test_cleared(shelf: Path) -> None:
    for version, had in (("1.0", True), ("2.0", False)):
        package = open_wheel(str(shelf / f"demo-{version}-{TAG}.whl"), SCHEME, "demo")
        cleared = Cleared(package)
        assert cleared.has_cleared is had
        assert cleared.entries().keys() == package.entries().keys()
        assert set(cleared.entries().values()).isdisjoint(package.entries().values())
        (path,) = package.distribution.binaries
        before, after = package.facts(package.entries()[path]), cleared.facts(cleared.entries()[path])
        assert isinstance(before, SharedObject)
        assert isinstance(after, SharedObject)
        assert (after == before) is not had
        stacks = [each.flags for each in after.segments if each.type == 0x6474E551]
        assert stacks == [6]
        assert after._replace(segments=()) == before._replace(segments=())
        assert cleared.facts(cleared.entries()[path]) is after
        assert cleared.distribution == package.distribution
        assert cleared.sources() == package.sources()
        assert cleared.opened_names(path) == package.opened_names(path)


@pytest.mark.parametrize("jobs", [1, 2, 9])
def test_work_is_spread_in_order(jobs: int) -> None:
    assert list(spread(str, range(5), jobs)) == ["0", "1", "2", "3", "4"]
    assert list(spread(str, [], jobs)) == []

from __future__ import annotations

from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

from abicheck.api.gate import gate
from abicheck.cli.main import main
from abicheck.errors import UsageError
from tests.elfparts import Symbol
from tests.elfwriter import write_elf
from tests.read.index.world import wheel

if TYPE_CHECKING:
    from pathlib import Path

HOST = "debian:12"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("index")
    wheel(directory, "demo", "1.0")
    wheel(directory, "demo", "2.0", "cp312-cp312-manylinux_2_39_x86_64")
    return directory


@pytest.fixture(autouse=True)
def found_there(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABICHECK_CACHE", str(index / "cache"))  # asked once: pip takes a second
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))


def test_what_has_no_wheel_any_more_and_what_pip_takes_instead(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["gate", "demo==1.0", "demo==2.0", "--host", HOST, "--python", "3.12"])
    assert ended.value.code == 1
    told = capsys.readouterr().out
    assert "✗ demo 1.0 → 2.0 has no wheel (unpinned, pip takes 1.0) on debian:12" in told
    assert "→ demo 1.0 has a wheel there: pip install 'demo==1.0'" in told
    assert "may have" not in told


def test_what_pip_takes_instead_is_for_the_python_of_what_was_before(index: Path) -> None:
    """debian:12 has Python 3.11 of its own, which is named where no Python has a wheel."""
    wheel(index, "late", "1.0", "cp313-cp313-manylinux_2_17_x86_64")
    wheel(index, "late", "2.0", "cp313-cp313-manylinux_2_39_x86_64")
    (change,) = gate("late==1.0", "late==2.0", [HOST]).changes
    assert change.text == "has no wheel (unpinned, pip takes 1.0)"


def test_back_again_is_mended() -> None:
    report = gate("demo==2.0", "demo==1.0", [HOST], python="3.12")
    assert [(change.kind, change.hosts) for change in report.changes] == [("newly-fixed", (HOST,))]
    assert report.exit_code == 0


def test_files_are_compared_without_a_host(tmp_path: Path) -> None:
    old, new = tmp_path / "old.so", tmp_path / "new.so"
    old.write_bytes(write_elf(soname="lib.so", needed=["libc.so.6"]))
    new.write_bytes(write_elf(soname="lib.so", needed=["libc.so.6", "libmore.so.1"]))
    report = gate(str(old), str(new))
    assert [(change.kind, change.text) for change in report.changes] == [("libraries-added", "needs libmore.so.1")]
    assert gate(str(old), str(old)).changes == ()


def _wheels(directory: Path, needed: str, *others: str) -> Path:
    """A directory with a wheel of `native`, for a Python that is not this one's, and of others without native code."""
    directory.mkdir()
    extension = write_elf(needed=[needed], symbols=[Symbol("PyInit__ext", defined=True)])
    files = {"native/_ext.cpython-39-x86_64-linux-gnu.so": extension}
    wheel(directory, "native", "1.0", "cp39-cp39-manylinux_2_39_x86_64", files=files)
    for name in others:
        wheel(directory, name, "1.0")
    return directory


@pytest.mark.parametrize("installed", [False, True])
def test_without_a_host_sets_are_compared_by_name(tmp_path: Path, installed: bool) -> None:  # noqa: FBT001 -- a table
    sides = [_wheels(tmp_path / "old", "libz.so.1", "gone"), _wheels(tmp_path / "new", "libssl.so.3", "fresh")]
    if installed:
        for side in sides:
            for each in side.glob("*.whl"):
                ZipFile(each).extractall(side / "site-packages")
        sides = [side / "site-packages" for side in sides]
    report = gate(*map(str, sides))
    assert report.errors == ()
    assert [(change.kind, change.package, change.text) for change in report.changes] == [
        ("libraries-added", "native", "needs libssl.so.3"),
        ("libraries-dropped", "native", "no longer needs libz.so.1"),
        ("added", "fresh", "is new"),
        ("removed", "gone", "is no longer installed"),
    ]


def test_without_a_host_directories_of_files_are_compared_whole(tmp_path: Path) -> None:
    for name, needed in (("old", []), ("new", ["libz.so.1"])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.so").write_bytes(write_elf(needed=needed))
    (change,) = gate(str(tmp_path / "old"), str(tmp_path / "new")).changes
    assert change.text == "needs libz.so.1"


def test_a_set_and_one_artifact_need_a_host(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name one with --host"):
        gate(str(_wheels(tmp_path / "new", "libz.so.1")), "demo==1.0")


def test_what_cannot_be_judged_is_listed() -> None:
    report = gate("demo==1.0", "nowhere==1.0", [HOST], python="3.12")
    assert {failure.target for failure in report.errors} == {"nowhere"}
    assert report.exit_code == 4


@pytest.mark.parametrize(
    ("style", "begins"),
    [
        ("sarif", '{\n "$schema": '),
        ("junit", "<?xml "),
        (
            "github",
            "::error title=demo 2.0%3A no-wheel::demo 1.0 → 2.0 has no wheel (unpinned, pip takes 1.0) on debian:12%0AERROR",
        ),
    ],
)
def test_each_format_is_written(style: str, begins: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["gate", "demo==1.0", "demo==2.0", "--host", HOST, "--python", "3.12", "--format", style])
    assert ended.value.code == 1
    assert capsys.readouterr().out.startswith(begins)

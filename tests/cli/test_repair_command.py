from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from abicheck.cli.main import main
from tests.act.repairing import LIB, MARKED, demo_wheel, install
from tests.elfparts import Symbol
from tests.elfwriter import write_elf
from tests.wheelwriter import INFO

if TYPE_CHECKING:
    from collections.abc import Sequence

#: An extension for the tag of the wheel, which needs the marked library.
EXTENSION = "demo/_ext.cpython-312-x86_64-linux-gnu.so"


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["repair", *arguments])
    return int(ended.value.code or 0)


def _documented(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = _run("--format", "json", *arguments)
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture
def wheel(tmp_path: Path) -> str:
    needed = ["libdemo.so"]
    symbols = [Symbol("PyInit__ext", defined=True, type=2)]
    return demo_wheel(tmp_path, {EXTENSION: write_elf(needed=needed, rpath="$ORIGIN/../demo.libs", symbols=symbols)})


def test_a_wheel_is_repaired_and_checked(wheel: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(wheel, "-o", str(tmp_path / "out")) == 0
    (new,) = (tmp_path / "out").iterdir()
    said = capsys.readouterr().out
    assert f"--no-deps {new}" in said
    assert "on debian:13 with Python 3.12 it loads (before: libdemo.so: cannot enable executable stack" in said
    assert _run(str(new)) == 0
    assert "nothing to repair in 4 objects" in capsys.readouterr().out


def test_a_wheel_without_directory_gets_another_beside_it(wheel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(wheel).parent)
    assert _run(Path(wheel).name) == 0
    assert len(list(Path(wheel).parent.glob("*.whl"))) == 2


def test_a_dry_run_of_a_wheel(wheel: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, document = _documented(capsys, "--dry-run", "--rpath", wheel)
    assert code == 0
    (repair,) = document["repairs"]
    assert repair["state"] == "repairable"
    assert len(repair["changes"]) == 2
    assert len(list(Path(wheel).parent.glob("*.whl"))) == 1


@pytest.mark.parametrize("spelled", ["{library}", "{tmp}", "demo --env {tmp}", "De.Mo --env {library}"])
def test_an_environment_is_repaired_and_undone(tmp_path: Path, spelled: str, capsys: pytest.CaptureFixture[str]) -> None:
    library = install(tmp_path)
    arguments = spelled.format(library=library, tmp=tmp_path).replace("De.Mo", "demo").split()
    assert _run(*arguments) == 0
    assert (library / LIB).read_bytes() != MARKED
    assert _run(*arguments, "--undo") == 0
    assert (library / LIB).read_bytes() == MARKED
    assert _run(*arguments, "--undo") == 0
    assert capsys.readouterr().out.endswith("nothing to do\n")


def test_one_distribution_that_is_refused_does_not_stop_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    library = install(tmp_path)
    (library / "other-1.dist-info").mkdir()
    assert _run(str(library)) == 4
    assert (library / LIB).read_bytes() != MARKED
    assert "half removed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--undo", "x.whl"], 2, "a wheel is never changed"),
        (["demo==1.0"], 4, "pip download --no-deps"),
        (["/nowhere/x.so"], 4, "neither a wheel nor an environment"),
        (["x.whl"], 4, "give the path of a wheel"),
        ([], 2, "Missing argument"),
    ],
)
def test_what_is_refused(arguments: Sequence[str], code: int, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(*arguments) == code
    assert message in capsys.readouterr().err


def test_a_name_that_is_not_installed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(tmp_path)
    assert _run("absent", "--env", str(tmp_path)) == 4
    assert "not installed in" in capsys.readouterr().err


def test_a_host_that_is_not_known(wheel: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(wheel, "-o", str(tmp_path / "out"), "--host", "debian:99") in (2, 4)
    assert not list((tmp_path / "out").iterdir())
    assert "debian:99" in capsys.readouterr().err


def test_a_foreign_name_reaches_no_terminal_raw(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = demo_wheel(tmp_path, {f"{INFO}/\x1b.so": MARKED})
    assert _run(path, "--dry-run") == 0
    assert "\x1b" not in capsys.readouterr().out

"""Targets on a real host: wheels that are written on the spot."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from abicheck.api import Options, check
from tests.api.test_distributions import extension, wheel
from tests.elfwriter import write_elf

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the host is this machine")

PLAIN = Options(stored=False)


def _wheels(tmp_path: Path) -> tuple[str, str]:
    tag = "py3-none-linux_x86_64"
    needy = {"needy/ext.so": extension("ext", ("libinner.so",))}
    provider = {
        "provider/core.so": extension("core", ("libinner.so",), runpath="$ORIGIN"),
        "provider/libinner.so": write_elf(soname="libinner.so"),
    }
    first, second = wheel(tmp_path, "needy", needy, tag), wheel(tmp_path, "provider", provider, tag)
    return first.distribution.place, second.distribution.place


def test_wheels_of_one_call_are_installed_together(tmp_path: Path) -> None:
    needy, provider = _wheels(tmp_path)
    assert [result.verdict for result in check([needy, provider], options=PLAIN).results] == ["depends", "loads"]
    alone = check([needy], options=PLAIN)
    assert (alone.verdict, alone.exit_code) == ("fails", 1)


def test_a_wheel_for_another_python(tmp_path: Path) -> None:
    old = wheel(tmp_path, "demo", {"demo/__init__.py": b""}, "cp27-cp27mu-manylinux1_x86_64").distribution.place
    (result,) = (report := check([old], options=PLAIN)).results
    assert (result.verdict, report.exit_code) == ("not-installable", 1)
    assert result.predicted == "ERROR: demo-1.0-cp27-cp27mu-manylinux1_x86_64.whl is not a supported wheel on this platform."


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("no-such-distribution-here", "not installed in "),
        ("numpy>>1", "no requirement "),
        ("demo@https://example.org/demo.whl", "a requirement with a URL; "),
        ("not a name", "no such file, and no name of a distribution; "),
    ],
)
def test_what_names_nothing(target: str, message: str) -> None:
    report = check([target], options=PLAIN)
    assert (report.results, report.exit_code) == ((), 4)
    assert report.errors[0].message.startswith(message)


def test_a_pinned_release_without_the_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABICHECK_CACHE", str(tmp_path))
    report = check(["numpy==2.0.2"], options=Options(stored=False, offline=True))
    assert (report.results, report.exit_code) == ((), 4)
    assert "run once without --offline" in report.errors[0].message


def test_a_wheel_that_wants_another_python(tmp_path: Path) -> None:
    package = wheel(tmp_path, "demo", {"demo/__init__.py": b""}, "py3-none-any", python=">=4")
    (result,) = check([package.distribution.place], options=PLAIN).results
    assert result.verdict == "not-installable"
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert result.predicted == f"ERROR: Package 'demo' requires a different Python: {version} not in '>=4'"


#: Python converts no text of so many digits into a number.
LONG = f"Requires-Dist: long>={'9' * 5000}\n"


def _install(site: Path, name: str, metadata: str) -> None:
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(metadata)
    (info / "RECORD").write_text(f"{name}/__init__.py,,0\n{name}-1.0.dist-info/METADATA,,\n{name}-1.0.dist-info/RECORD,,\n")
    (site / name).mkdir()
    (site / name / "__init__.py").touch()


def test_an_environment_with_damaged_distributions(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    head = "Metadata-Version: 2.1\nName: {}\nVersion: 1.0\n"
    _install(site, "good", head.format("good") + "Requires-Dist: other ; python_version > '3'\nRequires-Dist: ===\n" + LONG)
    _install(site, "nameless", "Metadata-Version: 2.1\n")
    report = check([str(site)], options=PLAIN)
    assert [(result.artifact.name, result.verdict) for result in report.results] == [("good", "loads")]
    assert [error.message.partition(";")[0] for error in report.errors] == ["nameless: its METADATA names no project and version"]
    alone = check(["good"], options=Options(stored=False, environment=str(site)))
    told = [error.message.partition(";")[0].replace("9" * 5000, "9…") for error in alone.errors]
    assert told == [
        "good requires '===', which no installer can read",
        "good requires 'long>=9…', which no installer can read",
        "good requires other, which is not installed",
    ]

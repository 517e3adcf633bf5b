"""Pins of a lock that keep a distribution from a release that loads: what is said, and what it costs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from abicheck.api import Options, check
from abicheck.read.index import metadata
from tests.api.gridworld import TAG, isolate, put
from tests.elfparts import Symbol
from tests.elfwriter import write_elf

if TYPE_CHECKING:
    from abicheck.model.report import Finding, Report


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Releases of what is native, and of what requires it; asked once, since pip takes a second."""
    world = tmp_path_factory.mktemp("world")
    shelf = world / "shelf"
    shelf.mkdir()
    _native(shelf, "native", "1.0 bad", "1.1 bad", "1.2 bad", "1.3", "2.0")
    _native(shelf, "partly", "1.0 lost", "1.1 bad", "2.0")
    _native(shelf, "late", "1.0", tag="cp310-cp310-manylinux_2_17_x86_64")
    _native(shelf, "late", "2.0")
    _pure(shelf, "pinner", "native<1.2", "native<1.3", "native>=1.3", "native")
    _pure(shelf, "friend", "native<2,>=1")
    _pure(shelf, "lenient", "native<2")
    _pure(shelf, "stubborn", "native<1.2", "native<1.1")
    _pure(shelf, "above", "pinner==1")
    _pure(shelf, "ofpartly", "partly<2")
    _pure(shelf, "oflate", "late<2", "late")
    return world


@pytest.fixture(autouse=True)
def _here(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if not request.node.get_closest_marker("network"):
        isolate(request.getfixturevalue("world"), monkeypatch)


def _native(shelf: Path, name: str, *versions: str, tag: str = TAG) -> None:
    """Releases with an extension: a `bad` one asks for an executable stack, one that is `lost` for a library that is nowhere."""
    for each in versions:
        version, _, fault = each.partition(" ")
        elf = write_elf(
            symbols=[Symbol(f"PyInit_{name}", defined=True)],
            needed=["libgone.so"] if fault == "lost" else [],
            stack=7 if fault == "bad" else 6,
        )
        put(shelf, name, version, {f"{name}.cpython-312-x86_64-linux-gnu.so": elf}, tag)


def _pure(shelf: Path, name: str, *requires: str) -> None:
    """Releases 1, 2, ... with one Requires-Dist line each."""
    for version, line in enumerate(requires, 1):
        put(shelf, name, str(version), {f"{name}.py": b""}, "py3-none-any", line)


def _check(text: str, **options: Any) -> Report:
    Path("r.txt").write_text(text)
    return check(["r.txt"], ["debian:13"], python="3.12", options=Options(**{"dependencies": False, **options}))


def _found(report: Report, rule: str = "pin-excludes-loading") -> list[Finding]:
    return [finding for result in report.results for finding in result.findings if finding.rule == rule]


def test_the_pin_the_first_release_that_loads_and_the_first_that_allows_it() -> None:
    report = _check("pinner==1\nfriend==1\nnative==1.1\n")
    assert {each.artifact.name: each.verdict for each in report.results} == {
        "pinner": "loads",
        "friend": "loads",
        "native": "fails",
    }
    (found,) = _found(report)
    assert (found.object, found.location, found.severity) == ("pinner 1", "r.txt:1", "warning")
    assert found.message == (
        "pinner 1 requires native<1.2, which shuts out native 1.3, and that loads on debian:13. "
        "Besides, friend 1 requires native<2,>=1 (r.txt:2). That leaves 1.0 and 1.1, and none of it loads."
    )
    assert found.evidence[-1] == "native 1.3 loads on debian:13, as does 2.0; 1.2, the one before 1.3, does not"
    assert [each.command for each in found.remedies] == ["pip install 'pinner>=3' 'native==1.3'"]
    (error,) = _found(report, "exec-stack-refused")
    assert "upgrade" not in [each.kind for each in error.remedies]
    assert report.exit_code == 1


def test_a_release_that_every_pin_allows() -> None:
    report = _check("lenient==1\nnative==1.1\n")
    (error,) = _found(report, "exec-stack-refused")
    assert error.remedies[0].text == "native 1.3 loads here, and every pin of what is installed with it allows it"
    assert error.remedies[0].command == "pip install 'native==1.3'"
    assert _found(report) == []


def test_the_closure_of_a_requirement_is_such_a_set() -> None:
    report = check(["pinner==2"], ["debian:13"], python="3.12")
    (found,) = _found(report)
    assert (found.object, found.location) == ("pinner 2", None)
    assert [each.command for each in found.remedies] == ["pip install 'pinner>=3' 'native==1.3'"]


def test_a_range_of_the_users_own() -> None:
    Path("limits.txt").write_text("native<1.2\n")
    for text, line in (("-c limits.txt\nnative\n", "limits.txt:1"), ("lenient==1\nnative<1.2\n", "r.txt:2")):
        (found,) = _found(_check(text, dependencies=True))
        assert (found.object, found.location) == ("native<1.2", line)
        assert [each.text for each in found.remedies] == [f"let {line} allow native 1.3"]


UV = """version = 1
[[package]]
name = "project"
source = {{ virtual = "." }}
dependencies = [{{ name = "native" }}, {{ name = "pinner" }}]
[package.metadata]
requires-dist = [{{ name = "Native", specifier = "{native}" }}, {{ name = "pinner", specifier = "{pinner}" }}]
[[package]]
name = "native"
version = "1.1"
source = {{ registry = "x" }}
[[package]]
name = "pinner"
version = "{version}"
source = {{ registry = "x" }}
"""


def test_what_the_project_of_a_uv_lock_asks_for_itself() -> None:
    Path("p").mkdir()
    Path("p/uv.lock").write_text(UV.format(native="==1.1", pinner=">=1", version=4))
    (found,) = _found(check(["p/uv.lock"], ["debian:13"], python="3.12"))
    assert (found.object, found.location) == ("native==1.1", "p/pyproject.toml")
    assert [each.text for each in found.remedies] == ["let p/pyproject.toml allow native 1.3"]
    Path("p/uv.lock").write_text(UV.format(native=">=1", pinner="==1", version=1))
    (found,) = _found(check(["p/uv.lock"], ["debian:13"], python="3.12"))
    assert (found.object, found.location) == ("pinner 1", "p/uv.lock:14")
    assert found.message.endswith("An upgrade of pinner to 3 is shut out itself: p/pyproject.toml asks for pinner==1.")


def test_no_release_of_the_one_that_pins_allows_it() -> None:
    (found,) = _found(_check("stubborn==1\nnative==1.1\n"))
    assert "No newer release of stubborn up to 2 allows a newer native that loads." in found.message
    assert [each.text for each in found.remedies] == ["ask the maintainers of stubborn to allow native 1.3"]


def test_the_one_that_pins_is_pinned_itself() -> None:
    (found,) = _found(_check("above==1\npinner==1\nnative==1.1\n"))
    assert found.message.endswith("An upgrade of pinner to 3 is shut out itself: above 1 requires pinner==1 (r.txt:1).")


def test_what_has_no_wheel() -> None:
    report = _check("oflate==1\nlate==1.0\n")
    assert [each.verdict for each in report.results] == ["not-installable", "loads"]
    (found,) = _found(report)
    assert [each.command for each in found.remedies] == ["pip install 'oflate>=2' 'late==2.0'"]


def test_what_lacks_something_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("abicheck.api.grid.rows.Rows.release", None)
    report = _check("ofpartly==1\npartly==1.0\n")
    assert [each.verdict for each in report.results] == ["loads", "fails"]
    assert [finding.rule for finding in report.results[1].findings] == ["library-missing"]


def test_a_release_that_lacks_something_alone_is_not_said_to_fail() -> None:
    (found,) = _found(_check("ofpartly==1\npartly==1.1\n"))
    assert "Of what that leaves it is not known whether 1.0 would load." in found.message
    assert "none of it loads" not in found.message
    assert found.confidence == "likely"


def test_offline_no_more_is_said_than_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABICHECK_CACHE", str(tmp_path / "cache"))
    text = "pinner==3\nlenient==1\nnative==1.1\n"
    _check(text, pins=False)
    report = _check(text, offline=True)
    (error,) = _found(report, "exec-stack-refused")
    why = "this was never asked of the index; run once without --offline"
    assert error.evidence[-1] == f"whether the pins on native allow a release that loads is not known: {why}"
    assert (_found(report), report.errors) == ([], ())
    online = _check(text)
    assert _check(text, offline=True).results == online.results


@pytest.mark.parametrize(
    ("targets", "options"),
    [(["native==1.1"], {}), (["native==1.1"], {"dependencies": False}), (["r.txt"], {"pins": False}), (["good.txt"], {})],
)
def test_nothing_is_looked_for_where_nothing_fails_or_pins(
    monkeypatch: pytest.MonkeyPatch, targets: list[str], options: dict[str, Any]
) -> None:
    Path("r.txt").write_text("pinner==1\nnative==1.1\n")
    Path("good.txt").write_text("pinner==4\nnative==2.0\n")
    monkeypatch.setattr("abicheck.api.grid.rows.Rows.release", None)
    monkeypatch.setattr(metadata, "ask", None)
    report = check(targets, ["debian:13"], python="3.12", options=Options(**options))
    assert _found(report) == []
    assert report.errors == ()


def test_progress_tells_what_takes_a_moment() -> None:
    Path("r.txt").write_text("oflate==1\nlate==1.0\n")
    told: list[str] = []
    check(["r.txt"], ["debian:13"], python="3.12", progress=told.append)
    assert told == [f"pins on late on debian:13: {what}" for what in ("whether late 2.0 loads", "what oflate 2 requires")]


@pytest.mark.network
@pytest.mark.parametrize(
    ("pins", "python", "pinned", "loading", "upgraded"),
    [
        (["whisperx==3.4.2", "faster-whisper==1.1.1", "ctranslate2==4.4.0"], "3.12", "<4.5.0", "4.6.0", "3.5.0"),
        (["faster-whisper==0.10.1", "ctranslate2==3.24.0"], "3.11", "<4,>=3.22", "4.6.0", "1.0.0"),
    ],
)
def test_real_histories(pins: list[str], python: str, pinned: str, loading: str, upgraded: str) -> None:
    Path("r.txt").write_text("\n".join(pins))
    report = check(["r.txt"], ["debian:13", "debian:12"], python=python, options=Options(dependencies=False))
    assert report.errors == ()
    new, old = ([each for each in report.results if each.host.name == host] for host in ("debian:13", "debian:12"))
    assert {each.artifact.name for each in new if each.verdict != "loads"} == {"ctranslate2"}
    assert {each.verdict for each in old} == {"loads"}
    name, _, version = pins[0].partition("==")
    (found,) = _found(report)
    assert (found.object, found.location) == (f"{name} {version}", "r.txt:1")
    assert f"{name} {version} requires ctranslate2{pinned}, which shuts out ctranslate2 {loading}" in found.message
    assert "none of it loads" in found.message
    assert [each.command for each in found.remedies] == [f"pip install '{name}>={upgraded}' 'ctranslate2=={loading}'"]
    assert any(finding.severity == "warning" for each in old for finding in each.findings)

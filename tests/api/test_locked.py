"""A lock as a target: all that it installs is judged together, and each finding points at the line of its pin."""

from __future__ import annotations

from hashlib import sha256, sha512
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from abicheck.api import Options, UsageError, check, show
from abicheck.api.grid import check_versions
from tests.read.index.world import Index, only_wheels_in, wheel

if TYPE_CHECKING:
    from abicheck.model.report import Report

TAG = "cp3{0}-cp3{0}-manylinux_2_17_x86_64"
REAL = Path(__file__).parent.parent / "read" / "locks" / "real"
UV = 'version = 1\n[[package]]\nname = "p"\nsource = { virtual = "." }\ndependencies = [{ name = "a" }, { name = "b" }]\n'
PACKAGE = """[[package]]
name = "{}"
version = "1.0"
source = {{ registry = "https://example.org/simple" }}
wheels = [{{ url = "https://example.org/x.whl", hash = "{}" }}]
"""


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    only_wheels_in(tmp_path, tmp_path / "cache", monkeypatch)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _check(name: str, text: str, host: str = "debian:13", python: str | None = None, **options: Any) -> Report:
    Path(name).write_text(text)
    return check([name], [host], python=python, options=Options(**options))


def _verdicts(report: Report) -> dict[str, tuple[str | None, str]]:
    return {each.artifact.name: (each.artifact.version, each.verdict) for each in report.results}


def test_requirements_are_completed_as_pip_does(shelf: Path) -> None:
    for name, version, requires in (
        ("a", "1.0", ["b<3", "c"]),
        ("b", "1.0", []),
        ("b", "2.0", []),
        ("b", "3.0", []),
        ("c", "1.0", []),
        ("c", "2.0", []),
    ):
        wheel(shelf, name, version, requires=requires)
    text = "a==1.0\nb>=1\n-c limits.txt\n"
    (shelf / "limits.txt").write_text("c<2\nunasked==9\n")
    report = _check("r.txt", text)
    assert report.errors == ()
    assert _verdicts(report) == {"a": ("1.0", "loads"), "b": ("2.0", "loads"), "c": ("1.0", "loads")}
    assert [{each.location for each in result.findings} for result in report.results] == [{"r.txt:1"}, {"r.txt:2"}, {None}]
    assert list(_verdicts(_check("r.txt", text, dependencies=False))) == ["a", "b"]


def test_what_has_no_wheel_is_not_installable_and_the_rest_is_judged(shelf: Path) -> None:
    wheel(shelf, "a", "1.0")
    wheel(shelf, "b", "1.0", "py3-none-win_amd64")
    report = _check("uv.lock", UV + PACKAGE.format("a", "") + PACKAGE.format("b", ""))
    assert _verdicts(report) == {"a": ("1.0", "loads"), "b": ("1.0", "not-installable")}
    (refused,) = (each for each in report.results if each.verdict == "not-installable")
    assert [each.location for each in refused.findings] == ["uv.lock:13"]
    assert report.exit_code == 1


def test_a_wheel_that_the_lock_does_not_list_is_refused(shelf: Path) -> None:
    content = [sha(wheel(shelf, name, "1.0").read_bytes()).hexdigest() for name, sha in (("a", sha256), ("b", sha512))]
    good = PACKAGE.format("a", f"sha256:{content[0]}") + PACKAGE.format("b", f"sha512:{content[1]}")
    assert list(_verdicts(_check("uv.lock", UV + good))) == ["a", "b"]
    report = _check("uv.lock", UV + good.replace(content[0], "0" * 64).replace(content[1], "0" * 128))
    assert (report.results, report.exit_code) == ((), 4)
    assert [each.target for each in report.errors] == ["uv.lock:8", "uv.lock:13"]
    assert report.errors[0].message == (
        f"refused: a-1.0-py3-none-any.whl has the SHA-256 {content[0]}, which is none of the hashes that are locked for a; "
        "lock it again for this platform, or find out who changed the file"
    )


def test_of_two_files_of_a_release_it_is_the_one_that_the_lock_lists(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of pyannote.audio 3.3.2, of which there is one more under another spelling of the name since its upload."""
    index = Index()
    made = [wheel(shelf, "a.b", "1.0"), wheel(shelf, "a_b", "1.0")]
    for each in made:
        index.add("a-b", each)
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://{index.place}/simple")
    with index.served():
        for each in made:
            digest = sha256(each.read_bytes()).hexdigest()
            lock = UV.replace('{ name = "a" }, { name = "b" }', '{ name = "a-b" }') + PACKAGE.format("a-b", f"sha256:{digest}")
            report = _check("uv.lock", lock)
            assert (list(_verdicts(report)), report.errors) == (["a-b"], ())
            assert _check("uv.lock", lock, offline=True).errors == ()


def test_what_vanished_or_comes_from_elsewhere_is_told_with_its_line(shelf: Path) -> None:
    wheel(shelf, "a", "1.0")
    other = PACKAGE.format("b", "").replace("registry", "git")
    report = _check("uv.lock", UV + PACKAGE.format("a", "") + other)
    assert list(_verdicts(report)) == ["a"]
    what = "b is from a version control system (https://example.org/simple)"
    assert [(each.target, each.message) for each in report.errors] == [
        ("uv.lock:13", f"{what} and not judged; give its wheel as a target of its own")
    ]
    report = _check("uv.lock", UV + PACKAGE.format("a", "") + PACKAGE.format("b", ""))
    assert list(_verdicts(report)) == ["a"]
    assert [each.target for each in report.errors] == ["uv.lock:13"]
    assert report.errors[0].message.startswith("b: the package index has no such project; ")


def test_an_index_that_the_file_names_may_be_why_something_is_not_found(shelf: Path) -> None:
    wheel(shelf, "a", "2.0")
    text = "--index-url https://example.org/simple\na==1.0\n-e ./b\n-e .\n"
    error, elsewhere = sorted(_check("r.txt", text).errors)
    assert error.target == "r.txt:2"
    assert error.message == (
        "a==1.0: no release meets this (the newest is 2.0); ask for another version "
        "(r.txt:1 has --index-url, which is not looked at: configure pip with it)"
    )
    assert elsewhere == ("r.txt:3", "this is from a path (./b) and not judged; give its wheel as a target of its own")


def test_the_hosts_own_python_where_everything_has_a_wheel_for_it(shelf: Path) -> None:
    for minor in (11, 12, 13, 14):
        wheel(shelf, "a", "1.0", TAG.format(minor))
    wheel(shelf, "b", "1.0")
    (first, _) = _check("r.txt", "a==1.0\nb==1.0\n").results
    assert (first.python.version, [each.rule for each in first.findings]) == ("3.13", ["no-native-code"])


def test_the_newest_python_where_everything_has_a_wheel_and_a_warning(shelf: Path) -> None:
    for name, minors in (("a", (11, 13)), ("b", (10, 11, 12)), ("c", (10, 11, 12))):
        for minor in minors:
            wheel(shelf, name, "1.0", TAG.format(minor))
    report = _check("r.txt", "a==1.0\nb==1.0\nc==1.0\n")
    assert {each.python.version for each in report.results} == {"3.11"}
    warned = {each.artifact.name: f.message for each in report.results for f in each.findings if f.severity == "warning"}
    assert warned == {
        "b": "The Python of debian:13 is 3.13; b 1.0 has wheels up to 3.12. Everything that is judged here has a wheel for 3.11."
    }
    assert _verdicts(_check("r.txt", "a==1.0\nb==1.0\n", python="3.13"))["b"] == ("1.0", "not-installable")


def test_the_python_that_the_lock_is_for(shelf: Path) -> None:
    for name in ("a", "b"):
        wheel(shelf, name, "1.0")
    text = UV + PACKAGE.format("a", "") + PACKAGE.format("b", "")
    report = _check("uv.lock", 'requires-python = "<3.12"\n' + text)
    assert {each.python.version for each in report.results} == {"3.11"}
    (error,) = _check("uv.lock", 'requires-python = "<3.12"\n' + text, python="3.12").errors
    assert error.message == "it is for Python <3.12, not 3.12; name one with --python"


def test_locks_of_one_call_are_not_installed_together(shelf: Path) -> None:
    wheel(shelf, "a", "1.0")
    wheel(shelf, "a", "2.0")
    Path("old.txt").write_text("a==1.0\n")
    report = check(["old.txt", str(shelf / "new.txt")], ["debian:13"])
    assert [each.target for each in report.errors] == [str(shelf / "new.txt")]
    Path("new.txt").write_text("a==2.0\n")
    assert [each.artifact.version for each in check(["old.txt", "new.txt"], ["debian:13"]).results] == ["1.0", "2.0"]


def test_offline_from_what_was_fetched(shelf: Path) -> None:
    path = wheel(shelf, "a", "1.0")
    assert _check("r.txt", "a==1.0\n", offline=True).exit_code == 4
    assert _check("r.txt", "a==1.0\n").exit_code == 0
    path.unlink()
    assert _check("r.txt", "a==1.0\n", offline=True).exit_code == 0


def test_what_takes_no_lock() -> None:
    (error,) = show([str(REAL / "uv.lock")]).errors
    assert error.message.startswith("a lock file, which has no card; ")
    with pytest.raises(UsageError, match="takes names of distributions"):
        check_versions([str(REAL / "uv.lock")], ">=1")


@pytest.mark.network
def test_a_real_lock_of_faster_whisper() -> None:
    lock = str(REAL / "whisper.txt")
    report = check([lock], ["debian:13", "debian:12"], python="3.12")
    assert report.errors == ()
    new, old = (
        {each.artifact.name: each for each in report.results if each.host.name == host} for host in ("debian:13", "debian:12")
    )
    pins = [line.partition("==")[0] for line in Path(lock).read_text().splitlines() if "==" in line]
    assert sorted(new) == sorted(old) == sorted(pins)
    assert {name for name, each in new.items() if each.verdict != "loads"} == {"ctranslate2"}
    assert {each.verdict for each in old.values()} == {"loads"}
    line = 1 + next(number for number, text in enumerate(Path(lock).read_text().splitlines()) if "ctranslate2==" in text)
    found = {(each.rule, each.severity, each.location) for each in new["ctranslate2"].findings}
    assert ("exec-stack-refused", "error", f"{lock}:{line}") in found
    found = {(each.rule, each.severity, each.location) for each in old["ctranslate2"].findings}
    assert ("exec-stack-enabled", "warning", f"{lock}:{line}") in found
    assert (new["ctranslate2"].predicted or "").endswith(
        "cannot enable executable stack as shared object requires: Invalid argument"
    )

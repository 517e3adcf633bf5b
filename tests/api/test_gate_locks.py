"""Gates over lock files: what differs is fetched and judged, what it has an effect on, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from abicheck.api import Options, check
from abicheck.api.gate import gate
from tests.elfparts import Symbol
from tests.elfwriter import write_elf
from tests.read.index.world import Index, only_wheels_in, wheel

if TYPE_CHECKING:
    from abicheck.model.gate import GateReport

TAG = "cp313-cp313-manylinux_2_17_x86_64"
HOST = "debian:13"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index of its own, and a current directory with a repository."""
    index = tmp_path / "index"
    index.mkdir()
    only_wheels_in(index, tmp_path / "cache", monkeypatch)
    monkeypatch.chdir(tmp_path)
    return index


def _gate(old: str, new: str, hosts: tuple[str, ...] = (HOST,), python: str | None = "3.13") -> GateReport:
    Path("old.txt").write_text(old)
    Path("new.txt").write_text(new)
    return gate("old.txt", "new.txt", hosts, python=python)


def _told(report: GateReport) -> list[tuple[str, str, str | None]]:
    return [(change.kind, change.package, change.location) for change in report.changes]


def _extension(*needed: str, undefined: str | None = None) -> bytes:
    symbols = [Symbol("PyInit__ext", defined=True), *([Symbol(undefined, defined=False)] if undefined else [])]
    return write_elf(needed=list(needed), runpath="$ORIGIN/../lib", symbols=symbols)


def test_nothing_but_what_differs_is_fetched(shelf: Path) -> None:
    for version in ("1.0", "2.0"):
        wheel(shelf, "b", version)
    report = _gate("a==1.0\nb==1.0\n", "b==2.0\na==1.0\n")  # of `a` there is no wheel at all
    assert (report.errors, report.changes, report.unchanged, report.exit_code) == ((), (), 2, 0)


def test_what_fails_is_told_with_the_line_of_its_pin(shelf: Path) -> None:
    wheel(shelf, "b", "1.0", TAG, files={"b/_ext.cpython-313-x86_64-linux-gnu.so": _extension("libc.so.6")})
    wheel(shelf, "b", "2.0", TAG, files={"b/_ext.cpython-313-x86_64-linux-gnu.so": _extension("libnowhere.so.1")})
    wheel(shelf, "c", "1.0")
    report = _gate("# x\nb==1.0\n", "# x\n# y\nc==1.0\nb==2.0\n")
    assert _told(report)[:1] == [("newly-fails", "b", "new.txt:4")]
    assert ("added", "c", "new.txt:3") in _told(report)
    assert report.exit_code == 1
    assert ("libraries-added", "b", "new.txt:4") in _told(report)


def test_a_release_that_was_taken_back(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = Index()
    for version, yanked in (("1.0", False), ("2.0", "It segfaults.")):
        index.add("b", wheel(shelf, "b", version), yanked=yanked)
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://{index.place}/simple")
    with index.served():
        for hosts in ((HOST,), ()):
            report = _gate("# x\nb==1.0\n", "# x\n# y\nb==2.0\n", hosts)
            assert _told(report) == [("yanked", "b", "new.txt:3")]
            assert report.changes[0].text.endswith("(yanked): It segfaults.")
        found = check(["new.txt"], [HOST], python="3.13").results[0].findings
    assert [(each.rule, each.location) for each in found if each.severity == "warning"] == [("yanked-release", "new.txt:3")]


def test_what_loads_a_library_of_what_changes_is_judged_too(shelf: Path) -> None:
    for version, soname in (("1.0", "libdata.so.1"), ("2.0", "libdata.so.2")):
        wheel(shelf, "provider", version, TAG, files={f"lib/{soname}": write_elf(soname=soname)})
    extension = {"user/_ext.cpython-313-x86_64-linux-gnu.so": _extension("libdata.so.1")}
    wheel(shelf, "user", "1.0", TAG, requires=["provider"], files=extension)
    report = _gate("provider==1.0\nuser==1.0\n", "user==1.0\nprovider==2.0\n")
    assert _told(report)[:1] == [("newly-fails", "user", "new.txt:1")]
    assert _told(_gate("provider==1.0\nuser==1.0\n", "user==1.0\nprovider==1.0\n")) == []


def test_what_needs_a_library_of_what_stays_finds_it(shelf: Path) -> None:
    wheel(shelf, "provider", "1.0", TAG, files={"lib/libdata.so.1": write_elf(soname="libdata.so.1")})
    extension = {"user/_ext.cpython-313-x86_64-linux-gnu.so": _extension("libdata.so.1")}
    for version in ("1.0", "2.0"):
        wheel(shelf, "user", version, TAG, requires=["provider"], files=extension)
    report = _gate("provider==1.0\nuser==1.0\n", "provider==1.0\nuser==2.0\n")
    assert (_told(report), report.errors, report.exit_code) == ([], (), 0)


def test_the_pins_that_keep_it_from_a_release_that_loads(shelf: Path) -> None:
    for version, stack in (("1.0", 7), ("1.5", 7), ("2.0", 6)):
        extension = write_elf(symbols=[Symbol("PyInit__ext", defined=True)], stack=stack)
        wheel(shelf, "native", version, TAG, files={"native/_ext.cpython-313-x86_64-linux-gnu.so": extension})
    for version, asked in (("1.0", "native<2"), ("2.0", "native<3")):
        wheel(shelf, "app", version, requires=[asked])
    report = _gate("app==2.0\nnative==2.0\n", "native==1.0\napp==1.0\n")
    change = report.changes[0]
    assert (change.kind, change.package, change.location, change.rule) == (
        "newly-fails",
        "native",
        "new.txt:1",
        "exec-stack-refused",
    )
    (why,) = change.why
    assert why.startswith("app 1.0 requires native<2, which shuts out native 2.0, and that loads on debian:13.")
    assert "app 2.0 is its first newer release that allows native 2.0" in change.remedies[0].text
    with_old_pin = _gate("native==1.0\napp==1.0\n", "app==1.0\nnative==1.5\n")
    assert [(each.kind, each.why) for each in with_old_pin.changes if each.package == "native"] == [("still-fails", ())]


def test_the_python_that_the_old_lock_takes(shelf: Path) -> None:
    wheel(shelf, "b", "1.0", TAG)
    wheel(shelf, "b", "2.0", TAG.replace("313", "314"))
    report = _gate("b==1.0\n", "b==2.0\n", python=None)
    (change,) = report.changes
    assert (change.kind, change.text) == ("newly-not-installable", "has no wheel (unpinned, pip takes 1.0)")
    back = _gate("b==2.0\n", "b==1.0\n", python=None)  # the old one takes 3.14, which debian:13 has not
    assert [each.kind for each in back.changes] == ["newly-not-installable"]


def test_without_a_host_it_is_what_is_asked_for(shelf: Path) -> None:
    for version, needed in (("1.0", "libc.so.6"), ("2.0", "libz.so.1")):
        extension = {f"b/_ext.cpython-3{minor}-x86_64-linux-gnu.so": _extension(needed) for minor in range(10, 15)}
        wheel(shelf, "b", version, "py3-none-manylinux_2_17_x86_64", files=extension)
    for name in ("old", "new"):
        wheel(shelf, name, "1.0")
    report = _gate("b==1.0\nold==1.0\n", "b==2.0\nnew==1.0\n", hosts=())
    assert ("added", "new", "new.txt:2") in _told(report)
    assert ("removed", "old", None) in _told(report)
    assert ("libraries-added", "b", "new.txt:1") in _told(report)


def test_what_cannot_be_judged_is_not_gone(shelf: Path) -> None:
    for name in ("a", "b", "c"):
        wheel(shelf, name, "1.0")
    report = _gate("a==1.0\nb==1.0\nc==1.0\n", "a==1.0\nb==7.0\n")
    assert [each.target for each in report.errors] == ["new.txt:2"]
    assert _told(report) == [("removed", "c", None)]
    report = _gate("a==1.0\nb==7.0\n", "a==1.0\nb==1.0\nc==1.0\n")
    assert [each.target for each in report.errors] == ["old.txt:2"]
    assert _told(report) == [("added", "c", "new.txt:3")]


def test_what_fails_may_have_failed_before(shelf: Path) -> None:
    wheel(shelf, "b", "2.0", TAG, files={"b/_ext.cpython-313-x86_64-linux-gnu.so": _extension("libnowhere.so.1")})
    report = _gate("b==1.0\n", "b==2.0\n")
    (change,) = report.changes
    assert (change.kind, change.text) == ("still-fails", "does not load; whether it did before is not known")
    assert (len(report.errors), report.exit_code) == (1, 4)


def test_a_hash_that_is_new_is_checked(shelf: Path) -> None:
    digest = sha256(wheel(shelf, "a", "1.0").read_bytes()).hexdigest()
    wrong = "0" * 64
    for old, new, refused in (("", digest, False), ("", wrong, True), (digest, wrong, True), (wrong, "", False)):
        before, after = (f"a==1.0 --hash=sha256:{each}\n" if each else "a==1.0\n" for each in (old, new))
        errors = _gate(before, after).errors
        assert [("refused: " in each.message, each.target) for each in errors] == [(True, "new.txt:1")] * refused


@pytest.mark.usefixtures("shelf")
def test_a_lock_that_cannot_be_read() -> None:
    report = _gate("b==1.0\n", "b==\n")
    assert [failure.target for failure in report.errors] == ["new.txt:1"]
    assert report.exit_code == 4


@pytest.mark.usefixtures("shelf")
def test_two_versions_of_one_package() -> None:
    report = _gate("b==1.0\n", "b==1.0\nb==2.0\n")
    assert [(each.target, each.message) for each in report.errors] == [
        ("new.txt:2", "b 2.0 contradicts 1.0 at new.txt:1; take one of them out")
    ]


def _git(*arguments: str) -> None:
    identity = ["-c", "user.email=a@example.org", "-c", "user.name=a", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
def test_a_revision_as_the_old_one(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("1.0", "2.0"):
        wheel(shelf, "b", version)
    wheel(shelf, "c", "1.0")
    project = Path("project/sub")
    project.mkdir(parents=True)
    (project / "reqs.txt").write_text("-r ../base.txt\nb==1.0\n")
    (project.parent / "base.txt").write_text("c==1.0\n")
    (project / "bad.txt").write_text("c==\n")
    monkeypatch.chdir(project.parent)
    _git("init")
    _git("add", ".")
    _git("commit", "-m", "x")
    monkeypatch.chdir("sub")
    Path("reqs.txt").write_text("-r ../base.txt\nb==2.0\nc==1.0\n")
    report = gate("git:HEAD:reqs.txt", "reqs.txt", [HOST], python="3.13")
    assert (report.errors, report.changes, report.unchanged) == ((), (), 2)
    (failure,) = gate("git:HEAD:bad.txt", "reqs.txt", [HOST]).errors
    assert failure.target == "git:HEAD:sub/bad.txt:1"
    for given, said in (
        ("git:other:reqs.txt", "git knows no revision other; fetch it first (a shallow clone lacks it)"),
        ("git:HEAD:none.txt", "there is no sub/none.txt in HEAD; compare with a revision that has it"),
        ("git:HEAD", "write it as git:REV:PATH, as in git:origin/main:uv.lock"),
        ("git:--help:x", "write it as git:REV:PATH, as in git:origin/main:uv.lock"),
    ):
        (failure,) = gate(given, "reqs.txt", [HOST]).errors
        assert (failure.target, failure.message) == (given, said)


@pytest.mark.usefixtures("shelf")
def test_directories_of_wheels() -> None:
    for directory, versions in (("before", ("1.0",)), ("after", ("1.0", "2.0"))):
        Path(directory).mkdir()
        for version in versions:
            needed = "libc.so.6" if version == "1.0" else "libnowhere.so.1"
            extension = {"b/_ext.cpython-313-x86_64-linux-gnu.so": _extension(needed)}
            wheel(Path(directory), "b", version, TAG, files=extension)
        wheel(Path(directory), "c", "1.0", "py3-none-win_amd64")
    report = gate("before", "after", [HOST], options=Options())
    assert [(change.kind, change.package) for change in report.changes] == [("newly-fails", "b"), ("still-fails", "c")]

"""A matrix, run by an engine that runs the probe on this machine: what an engine does is tested with real ones elsewhere."""

from __future__ import annotations

import json
import sys
from errno import ENOSPC
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from abicheck.act.confirm.observe import Ask, run_here
from abicheck.act.engine import Completed, Engine
from abicheck.api.confirm import MatrixOptions, confirm_matrix
from abicheck.errors import EngineError, UsageError
from abicheck.model.confirm import Observed
from abicheck.model.index import NotInstallable, Wheel
from abicheck.model.report import Failure
from abicheck.read import elf
from tests.wheelwriter import basic, write_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from abicheck.model.elf import ElfFile

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it runs what it predicts for Linux")
VERSION = "{}.{}".format(*sys.version_info[:2])
MATRIX = """
schema_version = 1
dockerfile = "Dockerfile"

[hosts.here]
image = "example"
pythons = {{ "{version}" = "{python}" }}

[[cells]]
hosts = ["here"]
pythons = ["{version}"]
subject = "demo"
versions = ["1", "2", "3"]
do = "import"
"""
#: What the demo's releases do when they are imported.
RELEASES = {"1": b"", "2": b"import json", "3": b"raise ValueError('three')"}


class LocalEngine:
    """Runs what it is asked to with the paths of this machine instead of those inside."""

    name = "docker"

    def __init__(self, root: Path) -> None:
        self._root = root
        self.ran: list[str] = []
        self.cleared = self.stopped = False
        self.before: Callable[[int], None] = lambda _: None

    def clear(self) -> list[str]:
        self.cleared = True
        return []

    def stop_own(self) -> None:
        self.stopped = True

    def image_id(self, _: str) -> str:
        return f"sha256:{'a' * 64}"

    def export(self, _: str, directory: Path) -> None:
        directory.symlink_to(self._root)

    def run(self, image: str, argv: Sequence[str], *, mounts: Sequence[tuple[str, str]], limits: Any) -> Completed:
        self.before(len(self.ran))
        inside = sorted(mounts, key=lambda mount: -len(mount[1]))
        words = list(argv)
        for outer, inner in inside:
            words = [word.replace(inner, outer) for word in words]
        self.ran.append(image)
        ended = run_here(words, limits.seconds)
        assert ended.status is not None
        return Completed(returncode=ended.status, stdout=ended.stdout, stderr=ended.stderr, seconds=ended.seconds)


@pytest.fixture
def engine(machine_root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> LocalEngine:
    monkeypatch.setenv("ABICHECK_CACHE", str(tmp_path / "cache"))
    made = LocalEngine(machine_root)
    monkeypatch.setattr(Engine, "find", lambda _: made)

    def resolve(requirements: Sequence[str], *_: object, **__: object) -> object:
        version = requirements[0].partition("==")[2]
        if version == "99":
            return NotInstallable(requirements[0], "ERROR: No matching distribution found for demo==99", "99")
        path = tmp_path / f"demo-{version}.0-py3-none-any.whl"
        if not path.exists():
            write_wheel(path, {**basic(), "demo/__init__.py": RELEASES[version]})
        return (Wheel("demo", version, str(path), f"{version}" * 64),)

    monkeypatch.setattr("abicheck.api.confirm.matrix.resolve", resolve)
    return made


@pytest.fixture
def matrix(tmp_path: Path) -> Path:
    path = tmp_path / "demo.toml"
    path.write_text(MATRIX.format(version=VERSION, python=Path(sys.executable).resolve()), encoding="utf-8")
    (tmp_path / "Dockerfile").touch()
    return path


def _observations(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "cache/confirm/runs").glob("*.jsonl"))


def _interrupted(engine: LocalEngine, matrix: Path) -> None:
    """A run in which the user presses Ctrl-C at the third cell."""

    def interrupt(number: int) -> None:
        if number == 2:
            raise KeyboardInterrupt

    engine.before = interrupt
    with pytest.raises(KeyboardInterrupt):
        confirm_matrix(str(matrix))


def test_each_cell_is_predicted_and_observed(engine: LocalEngine, matrix: Path, tmp_path: Path) -> None:
    report = confirm_matrix(str(matrix), MatrixOptions(jobs=2))
    assert not report.errors
    assert [cell.agree for cell in report.cells] == [True, True, False]
    assert report.cells[2].differences == ("predicted: loads; observed: ValueError: three",)
    assert report.exit_code == 1
    assert engine.cleared
    assert not _observations(tmp_path)
    assert report.cells[2].reproduce.startswith("docker run --rm --network=none --volume=")


def test_no_wheel_is_nothing_to_observe(engine: LocalEngine, matrix: Path) -> None:
    matrix.write_text(matrix.read_text(encoding="utf-8").replace('["1", "2", "3"]', '["1", "99"]'), encoding="utf-8")
    report = confirm_matrix(str(matrix))
    assert [(cell.result.verdict, cell.agree) for cell in report.cells] == [("loads", True), ("not-installable", None)]
    assert report.exit_code == 0
    assert len(engine.ran) == 1


def test_an_interrupted_run_goes_on(engine: LocalEngine, matrix: Path, tmp_path: Path) -> None:
    _interrupted(engine, matrix)
    assert engine.stopped
    (path,) = _observations(tmp_path)
    assert len(path.read_text(encoding="utf-8").splitlines()) == 2

    path.write_text(path.read_text(encoding="utf-8") + '["cut sho', encoding="utf-8")  # as a machine that loses power leaves it
    engine.before, engine.ran = lambda _: None, []
    said: list[str] = []
    report = confirm_matrix(str(matrix), progress=said.append)
    assert said[0] == "going on: 2 cells were observed before the interruption"
    assert len(engine.ran) == 1
    assert [cell.agree for cell in report.cells] == [True, True, False]
    assert not _observations(tmp_path)


def test_fresh_observes_everything_anew(engine: LocalEngine, matrix: Path) -> None:
    _interrupted(engine, matrix)
    engine.before, engine.ran = lambda _: None, []
    confirm_matrix(str(matrix), MatrixOptions(fresh=True))
    assert len(engine.ran) == 3


def test_what_the_engine_does_not_do_is_listed_and_tried_again(engine: LocalEngine, matrix: Path, tmp_path: Path) -> None:
    def fail(number: int) -> None:
        if number == 1:
            raise EngineError("no space left on device: free some", "docker")

    engine.before = fail
    report = confirm_matrix(str(matrix), MatrixOptions())
    assert report.exit_code == 4
    assert {error.message for error in report.errors} == {"docker: no space left on device: free some"}
    assert len(_observations(tmp_path)) == 1


@pytest.mark.usefixtures("engine")
def test_a_host_that_cannot_be_predicted_for_is_told(matrix: Path, tmp_path: Path) -> None:
    path = tmp_path / "wrong"
    path.mkdir()
    text = matrix.read_text(encoding="utf-8").replace('image = "example"', f'image = "example"\npredict = "rootfs:{path}"')
    matrix.write_text(text, encoding="utf-8")
    report = confirm_matrix(str(matrix))
    assert report.exit_code == 4
    assert "cannot be predicted" in report.errors[0].message


def test_a_full_disk_is_told(engine: LocalEngine, matrix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(ENOSPC, "No space left on device", "/cache/roots")

    monkeypatch.setattr(engine, "export", full)
    report = confirm_matrix(str(matrix))
    assert report.exit_code == 4
    message = "No space left on device: /cache/roots; free some space, or set ABICHECK_CACHE to another directory"
    assert report.errors == (Failure("here", message),)


def test_an_unknown_host_is_wrong_usage(engine: LocalEngine, matrix: Path) -> None:
    with pytest.raises(UsageError, match="no such host in the matrix; there are here"):
        confirm_matrix(str(matrix), MatrixOptions(hosts=("there",)))
    assert not engine.ran


@pytest.mark.parametrize("damage", ["nonsense", '["key"]', "[1, 2]", '{"a": 1}', '["{key}", ["loads"]]', '["{key}", null]'])
def test_damaged_observations_are_made_anew(engine: LocalEngine, matrix: Path, tmp_path: Path, damage: str) -> None:
    _interrupted(engine, matrix)
    (path,) = _observations(tmp_path)
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("".join(damage.replace("{key}", json.loads(line)[0]) + "\n" for line in lines), encoding="utf-8")
    engine.before, engine.ran = lambda _: None, []
    assert [cell.agree for cell in confirm_matrix(str(matrix)).cells] == [True, True, False]
    assert len(engine.ran) == 3


@pytest.mark.usefixtures("engine")
def test_so_many_clips_as_the_cell_says(matrix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def count(_: object, ask: Ask) -> Observed:
        asked.append(len(ask.speech.clips) if ask.speech is not None else 0)
        return Observed("loads", None)

    monkeypatch.setattr("abicheck.api.confirm.matrix.observe", count)
    text = matrix.read_text(encoding="utf-8").replace('["1", "2", "3"]', '["1"]')
    matrix.write_text(text.replace('do = "import"', ""), encoding="utf-8")
    confirm_matrix(str(matrix))
    matrix.write_text(text.replace('do = "import"', "clips = 2"), encoding="utf-8")
    confirm_matrix(str(matrix))
    assert asked == [6, 2]


@pytest.mark.usefixtures("engine")
def test_a_file_is_read_once_for_all_cells(matrix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = elf.read_elf

    def count(path: str) -> ElfFile:
        read.append(path)
        return real(path)

    monkeypatch.setattr(elf, "read_elf", count)
    confirm_matrix(str(matrix))
    assert read
    assert len(read) == len(set(read))

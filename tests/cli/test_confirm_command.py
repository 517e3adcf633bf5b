from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from abicheck.act.engine import Engine
from abicheck.cli.main import main
from abicheck.cli.progress import complain
from abicheck.errors import EngineError
from abicheck.model.report import Failure
from tests.act.test_probe import WHISPER
from tests.wheelwriter import INFO, METADATA, basic, record

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it confirms what it predicts for Linux")
VERSION = "{}.{}".format(*sys.version_info[:2])


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABICHECK_CACHE", str(tmp_path / "cache"))


def _confirm(*arguments: str) -> int:
    with pytest.raises(SystemExit) as leaving:
        main(["confirm", *arguments])
    assert isinstance(leaving.value.code, int)
    return leaving.value.code


def _install(site: Path, name: str, module: str, source: str) -> None:
    """A distribution without native code."""
    metadata = METADATA.replace(b"De.Mo", name.encode()).replace(b"Requires-Dist: numpy\n", b"")
    info = INFO.replace("demo", name.replace("-", "_"))
    files = {f"{module}.py": source.encode(), f"{info}/METADATA": metadata, f"{info}/WHEEL": basic()[f"{INFO}/WHEEL"]}
    for path, content in {**files, f"{info}/RECORD": record(files)}.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_bytes(content)


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A virtual environment with modules that stand for ctranslate2 and faster-whisper: both load, and one hears."""
    prefix = tmp_path / "venv"
    site = prefix / f"lib/python{VERSION}/site-packages"
    site.mkdir(parents=True)
    (prefix / "bin").mkdir()
    (prefix / "bin/python3").symlink_to(sys.executable)
    (prefix / "pyvenv.cfg").write_text(f"home = {sys.prefix}/bin\nversion = {VERSION}.0\n", encoding="utf-8")
    _install(site, "ctranslate2", "ctranslate2", "")
    _install(site, "faster-whisper", "faster_whisper", WHISPER)
    return prefix


@pytest.fixture
def speech(tmp_path: Path) -> tuple[str, ...]:
    (tmp_path / "world.wav").touch()
    (tmp_path / "model").mkdir()
    return "--model", str(tmp_path / "model"), "--audio", str(tmp_path / "world.wav"), "--expect", "Hello, world!"


def test_what_is_as_predicted(environment: Path, speech: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert _confirm("--env", str(environment), "--runs", "2", *speech) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"✓ python{VERSION}/ctranslate2-1.0 on local (")
    assert "  heard:     1 clip: hello world\n" in out


def test_a_wrong_transcript_is_not_as_predicted(environment: Path, speech: tuple[str, ...], tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    arguments = [*speech[:-1], "hello moon", "--format", "json", "-o", str(target)]
    assert _confirm("--env", str(environment), "--runs", "1", *arguments) == 1
    (result,) = json.loads(target.read_text(encoding="utf-8"))["results"]
    assert result["agree"] is False
    assert result["differences"] == ["world.wav: expected 'hello moon'; heard 'hello world'"]


def test_a_crash_under_load_is_an_observation(
    environment: Path, speech: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    module = environment / f"lib/python{VERSION}/site-packages/faster_whisper.py"
    crash = "\n    def transcribe(self, clip, **settings):\n        import os; os.abort()\n"
    module.write_text(WHISPER + crash, encoding="utf-8")
    assert _confirm("--env", str(environment), *speech, "--format", "markdown") == 1
    assert "signal: SIGABRT" in capsys.readouterr().out


def test_a_page(environment: Path, speech: tuple[str, ...], tmp_path: Path) -> None:
    assert _confirm("--env", str(environment), *speech, "--format", "html", "-o", str(tmp_path / "page.html")) == 0
    page = (tmp_path / "page.html").read_text(encoding="ascii")
    assert "hello world" in page
    assert "loads, as predicted" in page


def test_a_hang_is_ended(environment: Path, speech: tuple[str, ...], tmp_path: Path) -> None:
    module = environment / f"lib/python{VERSION}/site-packages/ctranslate2.py"
    module.write_text("import time; time.sleep(600)", encoding="utf-8")
    target = tmp_path / "report.xml"
    assert _confirm("--env", str(environment), "--limit", "1", *speech, "--format", "junit", "-o", str(target)) == 1
    (failure,) = ET.parse(target).iter("failure")
    assert failure.attrib["message"] == "predicted: loads; observed: no end after 1 s"


def test_what_is_not_installed(environment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = environment / f"lib/python{VERSION}/site-packages"
    (site / "ctranslate2.py").unlink()
    shutil.rmtree(site / "ctranslate2-1.0.dist-info")
    assert _confirm("--env", str(environment)) == 4
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("abicheck: ctranslate2: not installed in ")
    assert "pip install 'abicheck-env[confirm]'" in captured.err
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--model", "m"], 2, "--model needs --audio and --expect"),
        (["--audio", "a.wav"], 2, "1 times --audio and 0 times --expect"),
        (["--audio", "a.wav", "--expect", "a"], 2, "--audio a.wav: no such file"),
        (["--jobs", "2"], 2, "--jobs is for a matrix, not for this machine"),
        (["--host", "x"], 2, "--host is for a matrix and modules, not for this machine"),
        (["m.toml", "--threads", "2"], 2, "--threads is for this machine, not for a matrix"),
        (["m.toml"], 4, "m.toml: No such file or directory; give the path of a matrix"),
        (["--env", "/nowhere"], 4, "/nowhere: no such file or directory"),
        (["--set", "NAME"], 2, "--set NAME: write it as --set NAME=VALUE"),
        (["--limit", "0"], 2, "--limit"),
        (["--engine", "lxc"], 2, "'lxc' is not one of 'docker', 'podman'"),
    ],
)
def test_bad_input(arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _confirm(*arguments) == code
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


def test_no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def none(_: object) -> Engine:
        raise EngineError("there is no container engine: install docker or podman")

    monkeypatch.setattr(Engine, "find", none)
    path = tmp_path / "m.toml"
    cells = '[[cells]]\nhosts = ["h"]\npythons = ["3.9"]\nsubject = "s"\nversions = ["1"]\n'
    path.write_text(f'schema_version = 1\n[hosts.h]\nimage = "i"\n{cells}', encoding="utf-8")
    assert _confirm(str(path)) == 4
    assert capsys.readouterr().err == "abicheck: there is no container engine: install docker or podman\n"


def test_the_embedded_model_and_clips_are_there() -> None:
    from abicheck.api.confirm import choose_speech  # noqa: PLC0415 -- heavy, and only here

    speech = choose_speech(None, (), ())
    files = [*Path(speech.model).iterdir(), *(Path(clip.audio) for clip in speech.clips)]
    assert {"model.bin", "config.json", "tokenizer.json", "vocabulary.json"} <= {path.name for path in files}
    assert sum(path.stat().st_size for path in files) < 3_000_000
    assert len(speech.clips) >= 4
    assert len({clip.expected for clip in speech.clips}) == len(speech.clips)


def test_what_is_wrong_with_all_cells_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    complain((Failure("host/a", "no network"), Failure("host/b", "no wheel"), Failure("host/c", "no network")))
    assert capsys.readouterr().err.splitlines() == ["abicheck: host/a and 1 more: no network", "abicheck: host/b: no wheel"]

"""The probe, with modules that do what code does when it goes wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from abicheck.act.confirm.observe import PROBE, Ask, observe, understand
from abicheck.act.confirm.places import Emulated, Here
from abicheck.errors import AbicheckError
from abicheck.model.confirm import Clip, Heard, Speech

if TYPE_CHECKING:
    from pathlib import Path

#: Stands for faster-whisper: it hears what the name of the recording says, and `mishears` every third time.
WHISPER = """
import threading
count, lock = [0], threading.Lock()
class Segment:
    def __init__(self, text):
        self.text = text
class WhisperModel:
    def __init__(self, model, **settings):
        assert settings["compute_type"] == "float32", settings
        self.model = model
    def transcribe(self, clip, **settings):
        assert settings["temperature"] == 0.0, settings
        with lock:
            count[0] += 1
        if "raises" in self.model:
            raise RuntimeError("no memory")
        if "mishears" in self.model and count[0] % 3 == 0:
            return [Segment(" noise")], None
        return [Segment(" hello"), Segment(" " + clip.rpartition("/")[2].partition(".")[0])], None
"""


def _ask(tmp_path: Path, source: str, **more: object) -> Ask:
    (tmp_path / "subject.py").write_text(source, encoding="utf-8")
    (tmp_path / "faster_whisper.py").write_text(WHISPER, encoding="utf-8")
    return Ask(sys.executable, (str(tmp_path),), ("subject",), isolated=True, seconds=30.0)._replace(**more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", None),
        ("import nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "signal: SIGSEGV"),
        ("import os; os.abort()", "signal: SIGABRT"),
        ("import os; os._exit(7)", "exit 7"),
        ("import os; os._exit(0)", "exit 0"),
        (
            "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise ImportError('bad') from error",
            "ImportError: bad <- ZeroDivisionError: division by zero",
        ),
        ("print('{\"events\": []}')", None),
    ],
)
def test_what_an_import_comes_to(tmp_path: Path, source: str, text: str | None) -> None:
    observed = observe(Here(), _ask(tmp_path, source))
    assert observed.text == text
    assert observed.verdict == ("loads" if text is None else "fails")


def test_a_process_without_end_is_ended(tmp_path: Path) -> None:
    observed = observe(Here(), _ask(tmp_path, "import time; time.sleep(600)", seconds=0.5))
    assert observed.text == "no end after 0.5 s"
    assert observed.seconds < 20


def test_what_a_process_wrote_before_it_died_is_kept(tmp_path: Path) -> None:
    observed = observe(Here(), _ask(tmp_path, "import os; print('last words', flush=True); os.abort()"))
    assert "last words" in observed.output
    assert "Current thread" in observed.output  # faulthandler's


def test_the_loaders_own_text_is_what_is_observed(tmp_path: Path, extension: Path) -> None:
    name = extension.name.replace(extension.name.partition(".")[0], "_cut")
    (tmp_path / name).write_bytes(extension.read_bytes()[:60])
    observed = observe(Here(), _ask(tmp_path, "import _cut"))
    assert observed.text == f"{tmp_path}/{name}: file too short"
    assert observed.extensions[-1] == (f"{tmp_path}/{name}", observed.text)


def test_what_no_import_leads_to_is_loaded_by_path(tmp_path: Path, extension: Path) -> None:
    broken = tmp_path / "broken.so"
    broken.write_bytes(b"no ELF at all" * 9)
    observed = observe(Here(), _ask(tmp_path, "", open=(str(broken), str(extension))))
    assert observed.extensions[-2:] == ((str(broken), f"{broken}: invalid ELF header"), (str(extension), None))
    assert observed.verdict == "loads"


def test_settings_are_in_the_environment_of_what_is_observed_only(tmp_path: Path) -> None:
    source = "import os; assert os.environ['DEMO_SETTING'] == 'on'"
    assert observe(Here(), _ask(tmp_path, source, settings=(("DEMO_SETTING", "on"),))).verdict == "loads"
    assert "DEMO_SETTING" not in os.environ


def _speech(tmp_path: Path, model: str, threads: int = 1, repeat: int = 1) -> Speech:
    for name in ("world", "moon"):
        (tmp_path / f"{name}.wav").touch()
    clips = tuple(Clip(str(tmp_path / f"{name}.wav"), f"hello {name}") for name in ("world", "moon"))
    return Speech(model, clips, threads, repeat)


def test_what_is_heard(tmp_path: Path) -> None:
    observed = observe(Here(), _ask(tmp_path, "", speech=_speech(tmp_path, "right", 3, 4)))
    assert observed.heard == (
        Heard("world.wav", "hello world", "hello world"),
        Heard("moon.wav", "hello moon", "hello moon"),
    )
    assert observed.transcript == "hello world / hello moon"


def test_other_texts_under_load_are_kept(tmp_path: Path) -> None:
    observed = observe(Here(), _ask(tmp_path, "", speech=_speech(tmp_path, "mishears", 1, 3)))
    assert [each.wrong for each in observed.heard] == [("noise",), ("noise",)]


def test_an_exception_in_a_thread_is_told(tmp_path: Path) -> None:
    observed = observe(Here(), _ask(tmp_path, "", speech=_speech(tmp_path, "raises", 2)))
    assert (observed.verdict, observed.text, observed.transcript) == ("fails", "RuntimeError: no memory", None)


def test_nothing_is_transcribed_where_the_import_fails(tmp_path: Path) -> None:
    observed = observe(Here(), _ask(tmp_path, "1/0", speech=_speech(tmp_path, "right")))
    assert [each.text for each in observed.heard] == [None, None]


def test_a_python_that_does_not_run_the_probe_is_an_observation(tmp_path: Path) -> None:
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\necho 'error while loading shared libraries: libz.so.1' >&2\nexit 127\n", encoding="ascii")
    script.chmod(0o755)
    observed = observe(Here(), _ask(tmp_path, "")._replace(python=str(script)))
    assert observed.text == "exit 127: error while loading shared libraries: libz.so.1"


def test_a_supervisor_that_is_killed_is_an_observation(tmp_path: Path) -> None:
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\nkill -9 $$\n", encoding="ascii")
    script.chmod(0o755)
    assert observe(Here(), _ask(tmp_path, "")._replace(python=str(script))).text == "signal: SIGKILL"


@pytest.mark.parametrize("answer", ["1", "[]", "{}", "null", '{"events": 1}', "no JSON"])
def test_what_is_no_answer_is_an_observation(tmp_path: Path, answer: str) -> None:
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\necho '{answer}'\necho 'last words' >&2\n", encoding="ascii")
    script.chmod(0o755)
    assert observe(Here(), _ask(tmp_path, "")._replace(python=str(script))).text == "exit 0: last words"


def test_an_unknown_signal_has_its_number(tmp_path: Path) -> None:
    answer = {"events": [], "status": -99, "output": "", "seconds": 0.1}
    assert understand(answer, _ask(tmp_path, "")).text == "signal: 99"


def test_the_probe_is_code_for_python_3_6() -> None:
    vermin = "import ast; ast.parse(open({!r}).read(), feature_version=(3, 6))"
    subprocess.run([sys.executable, "-c", vermin.format(PROBE)], check=True)


def test_a_foreign_processor_needs_an_emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AbicheckError, match="apt-get install qemu-user-static"):
        Emulated("/root", "aarch64", "/usr/bin/python3")


def test_an_emulator_runs_the_childs_python_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "qemu-aarch64-static"
    program.write_text(f'#!/bin/sh\necho "$1 $2 $3"\nshift 3\nexec {sys.executable} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    place = Emulated("/some/root", "aarch64", "/usr/bin/python3.9")
    observed = observe(place, _ask(tmp_path, "import os; os.abort()", python="/usr/bin/python3.9"))
    assert observed.text == "signal: SIGABRT"
    assert observed.output.startswith("-L /some/root /some/root/usr/bin/python3.9\n")
    assert shutil.which("qemu-aarch64-static") == str(program)

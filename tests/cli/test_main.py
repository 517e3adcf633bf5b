from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from abicheck import __version__
from abicheck.cli.main import main

ABICHECK = [sys.executable, "-m", "abicheck"]


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*ABICHECK, *arguments], capture_output=True, text=True, check=False)


def _exit_code(*arguments: str) -> int:
    with pytest.raises(SystemExit) as leaving:
        main(list(arguments))
    assert isinstance(leaving.value.code, int)
    return leaving.value.code


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit_code("--version") == 0
    assert capsys.readouterr().out == f"abicheck, version {__version__}\n"


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit_code("--help") == 0
    assert re.findall(r"^  (\w+)  +Say what", capsys.readouterr().out, re.MULTILINE) == [
        "check",
        "show",
        "gate",
        "triage",
        "rule",
    ]


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_help_imports_nothing_of_abicheck_but_the_command_line(arguments: tuple[str, ...]) -> None:
    program = (
        "import sys, atexit; from abicheck.cli.main import main;"
        "atexit.register(lambda: print(sorted(m for m in sys.modules if m.startswith(('abicheck', 'rich', 'json')))));"
        f"main({list(arguments)})"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    imported = re.findall(r"'([\w.]+)'", ran.stdout.splitlines()[-1])
    assert imported == ["abicheck", "abicheck.cli", "abicheck.cli.main", "abicheck.errors"]


@pytest.mark.parametrize("arguments", [("nonsense",), ("--nonsense",), ("show",), ("check", "--format", "xml", "a.so")])
def test_wrong_usage(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit_code(*arguments) == 2
    assert "Error: " in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="the examples are for Linux")
def test_examples_in_the_help_work_when_pasted(tmp_path: Path) -> None:
    texts = "".join(_run(*command, "--help").stdout for command in ((), ("check",), ("show",)))
    examples = re.findall(r"^ +abicheck (.*)$", texts, re.MULTILINE)
    assert len(examples) >= 8
    environment = {**os.environ, "ABICHECK_CACHE": str(tmp_path), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for example in examples:
        command = f"{shlex.join(ABICHECK)} {example}"
        ran = subprocess.run(command, shell=True, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
        assert ran.returncode in (0, 1), f"{example}: {ran.stderr}"
        assert ran.stderr == ""


def test_a_closed_pipe_is_quiet_and_keeps_the_verdict(tmp_path: Path) -> None:
    (tmp_path / "empty.so").touch()
    command = [*ABICHECK, "check", "--no-cache", str(tmp_path / "empty.so")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait() == 1


def test_an_interrupt_is_quiet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: object, **__: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("abicheck.cli.check.check", interrupted)
    assert _exit_code("check", "a.so") == 130
    captured = capsys.readouterr()
    assert (captured.out, captured.err.strip()) == ("", "")

"""A command with an engine: one that is there is used, one that is not is started or told about, and the exit code passes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from containers import with_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = str(Path(with_engine.__file__))


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """What the script does with signals ends with its test."""
    numbers = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory that programs are found in."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("ABICHECK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


def write_program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
    (folder / name).chmod(0o755)


def test_a_daemon_that_answers_is_used(programs: Path) -> None:
    write_program(programs, "docker", "exit 0")
    command = [sys.executable, "-c", "import os, sys; sys.exit(7 if 'DOCKER_HOST' in os.environ else 5)"]
    run = subprocess.run([sys.executable, SCRIPT, "docker", "--", *command], check=False)
    assert run.returncode == (7 if "DOCKER_HOST" in os.environ else 5)


def test_a_daemon_is_started_and_stopped(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    write_program(programs, "docker", f'test -n "$DOCKER_HOST" && test -e {tmp_path}/up')
    write_program(
        programs, "dockerd", f'echo "$@" > {tmp_path}/up; trap "echo > {tmp_path}/down; exit" TERM; while :; do read x; done'
    )
    command = [sys.executable, "-c", f"import os, sys; sys.exit(6 if os.path.exists({str(tmp_path / 'down')!r}) else 3)"]
    assert with_engine.main(["docker", "--", *command]) == 3
    arguments = (tmp_path / "up").read_text()
    assert "--bridge=none" in arguments
    assert f"--data-root={tmp_path}/cache/engines/docker" in arguments
    assert (tmp_path / "down").exists()
    assert not list(tmp_path.glob("abicheck-*"))


def test_a_daemon_that_does_not_come_up(
    programs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    write_program(programs, "docker", "exit 1")
    write_program(programs, "dockerd", "echo starting; echo failed to start daemon: no overlay; exit 1")
    assert with_engine.main(["docker", "--", "true"]) == 1
    expected = "with_engine: dockerd did not come up; it said: failed to start daemon: no overlay\n"
    assert capsys.readouterr().err == expected


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_an_engine_that_is_not_installed(engine: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert with_engine.main([engine, "--", "true"]) == 1
    assert capsys.readouterr().err.startswith(f"with_engine: {engine} is not installed: apt-get install {engine}")


def test_podman_gets_the_settings_that_it_needs(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(with_engine, "needed_settings", lambda: {"engine": ['runtime = "runc"']})
    monkeypatch.setattr(with_engine, "_runtime_folder", lambda _: tmp_path / "run")
    write_program(programs, "podman", "exit 0")
    command = f"cat $CONTAINERS_CONF $CONTAINERS_STORAGE_CONF > {tmp_path}/seen; exit 4"
    assert with_engine.main(["podman", "--", "/bin/sh", "-c", f"PATH=/usr/bin:/bin; {command}"]) == 4
    seen = (tmp_path / "seen").read_text()
    assert f'[engine]\nruntime = "runc"\ntmp_dir = "{tmp_path}/run/libpod"\n[storage]\n' in seen
    assert f'graphroot = "{tmp_path}/cache/engines/podman"' in seen
    assert not list(tmp_path.glob("abicheck-*"))
    monkeypatch.setattr(with_engine, "needed_settings", dict)
    assert with_engine.main(["podman", "--", "/bin/sh", "-c", "exit ${#CONTAINERS_CONF}"]) == len(
        os.environ.get("CONTAINERS_CONF", "")
    )


def test_a_command_that_cannot_be_run(programs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_program(programs, "docker", "exit 0")
    assert with_engine.main(["docker", "--", "none"]) == 1
    assert capsys.readouterr().err == "with_engine: none cannot be run: No such file or directory\n"
    with pytest.raises(SystemExit):
        with_engine.main(["docker"])
    assert "name a command to run" in capsys.readouterr().err


def test_a_signal_reaches_the_command(programs: Path, tmp_path: Path) -> None:
    write_program(programs, "docker", "exit 0")
    program = f"import time; open({str(tmp_path / 'begun')!r}, 'w').close(); time.sleep(60)"
    with subprocess.Popen([sys.executable, SCRIPT, "docker", "--", sys.executable, "-c", program]) as process:
        until = time.monotonic() + 30
        while not (tmp_path / "begun").exists():
            assert time.monotonic() < until
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 128 + signal.SIGTERM


@pytest.mark.parametrize(("hard", "expected"), [(-1, 4096), (1 << 20, 4096), (5000, 2500)])
def test_limits_that_are_allowed(hard: int, expected: int) -> None:
    assert with_engine._below(hard) == expected

"""Engines that are small programs: they write down how they were called and answer what the test says."""

from __future__ import annotations

import json
import os
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from abicheck.act.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PROGRAM = """#!{python} -IS
import json, os, sys, time
folder, arguments = {folder!r}, sys.argv[1:]
with open(folder + "/calls", "a") as calls:
    calls.write(json.dumps(arguments) + "\\n")
with open(folder + "/answers") as file:
    answers = json.load(file)
for answer in answers:
    if " ".join(arguments).startswith(answer["to"]):
        sys.stdout.write(answer["stdout"])
        sys.stderr.write(answer["stderr"])
        sys.stdout.flush()
        until = time.time() + answer["seconds"]
        while time.time() < until and not os.path.exists(folder + "/released"):
            time.sleep(0.01)
        sys.exit(answer["returncode"])
"""
DOCKER_VERSION = {"Client": {"Version": "28.2.2", "ApiVersion": "1.41"}, "Server": {"Version": "20.10.24"}}
PODMAN_INFO = {"host": {"arch": "amd64"}, "version": {"Version": "4.3.1"}}
IDENTITY = "a" * 64


@dataclass(frozen=True)
class Fake:
    """One engine's program; the latest answer to the beginning of a command line counts."""

    name: str
    folder: Path

    def answer(self, to: str, *, stdout: object = "", stderr: str = "", returncode: int = 0, seconds: float = 0) -> None:
        text = stdout if isinstance(stdout, str) else json.dumps(stdout)
        answer = {"to": to, "stdout": text, "stderr": stderr, "returncode": returncode, "seconds": seconds}
        answers = self.folder / "answers"
        answers.write_text(json.dumps([answer, *json.loads(answers.read_text())]))

    def release(self) -> None:
        """Let what waits go on."""
        (self.folder / "released").touch()

    def calls(self, to: str = "") -> list[list[str]]:
        """The command lines that begin so."""
        calls = self.folder / "calls"
        lines = calls.read_text().splitlines() if calls.exists() else []
        return [call for call in map(json.loads, lines) if " ".join(call).startswith(to)]

    @contextmanager
    def when_called(self, to: str, then: Callable[[], object]) -> Iterator[None]:
        """Do something as soon as a command line begins so."""

        def watch() -> None:
            pause = threading.Event()
            for _ in range(3000):
                if self.calls(to):
                    break
                pause.wait(0.01)
            then()

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            thread.join()

    def engine(self) -> Engine:
        return Engine.find(self.name)


def inspected(**more: Any) -> list[dict[str, Any]]:
    return [{"Id": IDENTITY, "RepoTags": [], "Config": {"Labels": None}, **more}]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory that programs are found in."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def make_fake(name: str, folder: Path) -> Fake:
    fake = Fake(name, folder / name)
    fake.folder.mkdir()
    (fake.folder / "answers").write_text("[]")
    program = folder / "bin" / name
    program.write_text(PROGRAM.format(python=os.path.realpath(sys.executable), folder=str(fake.folder)))
    program.chmod(0o755)
    fake.answer("version", stdout=DOCKER_VERSION)
    fake.answer("info", stdout=PODMAN_INFO)
    fake.answer("image inspect", stdout=inspected())
    fake.answer("container inspect", stdout=inspected(State={"Status": "exited", "ExitCode": 0, "Error": ""}))
    return fake


@pytest.fixture(params=["docker", "podman"])
def fake(request: pytest.FixtureRequest, folder: Path) -> Fake:
    return make_fake(request.param, folder)

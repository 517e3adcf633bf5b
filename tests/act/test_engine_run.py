"""Programs in containers: what the engine is asked, what counts as an observation, what is the engine's own failure."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from abicheck.act.engine import Completed, Limits
from abicheck.act.engine.owner import owner
from abicheck.errors import EngineError
from tests.act.conftest import IDENTITY, Fake, inspected

if TYPE_CHECKING:
    from pathlib import Path

ARGV = ["/usr/bin/python3.9", "-c", "pass"]
GONE = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"


def ended(code: int, **more: object) -> list[dict[str, object]]:
    return inspected(State={"Status": "exited", "ExitCode": code, "Error": "", **more})


def test_a_container_reaches_nobody(fake: Fake, tmp_path: Path) -> None:
    mounts = [(str(tmp_path), "/x"), (f"{tmp_path}/a,b", "/y")]
    (tmp_path / "a,b").touch()
    limits = Limits(memory=128, processes=9, open_files=64)
    fake.engine().run("base", ARGV, mounts=mounts, environ={"A": "b c"}, limits=limits, name="a cell/1")
    (call,) = fake.calls("create")
    end = call.index("--entrypoint=/usr/bin/python3.9")
    assert call[end + 1 :] == [f"sha256:{IDENTITY}", "-c", "pass"]
    options = set(call[1:end])
    assert options >= {
        *("--network=none", "--user=1000:1000", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--init"),
        *("--memory=128m", "--memory-swap=128m", "--pids-limit=10", "--ulimit=nofile=64:64", "--ulimit=core=0:0", "--pull=never"),
        *("--label=org.abicheck.confirm=1", f"--label=org.abicheck.owner={owner()}", "--env=HOME=/tmp", "--env=A=b c"),
        f"--mount=type=bind,source={tmp_path},target=/x,readonly",
        f'--mount=type=bind,"source={tmp_path}/a,b",target=/y,readonly',
    }
    assert ("--read-only-tmpfs=false" in options) == (fake.name == "podman")
    (name,) = [option.removeprefix("--name=") for option in options if option.startswith("--name=")]
    assert name.startswith("abicheck-a-cell-1-")
    assert fake.calls("start") == [["start", "--attach", name]]
    assert fake.calls("rm") == [["rm", "--force", "--volumes", name]]


@pytest.mark.parametrize("code", [0, 1, 125, 126, 127, 139])
def test_what_the_program_did_is_an_observation(code: int, fake: Fake) -> None:
    # The client's own code tells less than the container's state.
    fake.answer("start", stdout="out\udcff", stderr="err\n", returncode=1)
    fake.answer("container inspect", stdout=ended(code))
    found = fake.engine().run("base", ARGV)
    assert (found.returncode, found.stdout, found.stderr, found.timed_out) == (code, "out\\xff", "err\n", False)
    assert 0 < found.seconds < 60


def test_only_the_beginning_of_a_flood_is_kept(fake: Fake) -> None:
    fake.answer("start", stdout="x" * (20 << 20))
    assert fake.engine().run("base", ARGV).stdout == "x" * (16 << 20)


@pytest.mark.parametrize(
    ("step", "said", "text"),
    [
        ("create", "Error response from daemon: invalid mount config", "invalid mount config"),
        ("create", f"docker: {GONE}\nSee 'docker run --help'.", "its daemon does not answer: start it"),
        ("create", "Error: container-init binary not found on the host: stat /usr/…", "install catatonit"),
        ("create", "error creating overlay mount: write /x: no space left on device", "no space left on the device where"),
        ("start", "Error: runc: error setting rlimit type 6: operation not permitted: OCI permission denied", "allow that"),
        ("container inspect", f"error during connect: {GONE}", "its daemon does not answer"),
        ("image inspect", GONE, "its daemon does not answer"),
        ("image inspect", "Error: nope: image not known", "there is no image base: load or pull it first"),
        ("image inspect", "Error response from daemon: No such image: base:latest", "there is no image base"),
    ],
)
def test_what_the_engine_did_not_do_is_an_error(step: str, said: str, text: str, fake: Fake) -> None:
    fake.answer("container inspect", stdout=inspected(State={"Status": "created", "ExitCode": 127, "Error": ""}))
    fake.answer(step, stderr=f"{said}\n", returncode=1)
    with pytest.raises(EngineError, match=text) as raised:
        fake.engine().run("base", ARGV)
    assert str(raised.value).startswith(f"{fake.name}: ")
    assert len(fake.calls("rm")) == 1


@pytest.mark.parametrize(
    "said",
    ["[FATAL tini (7)] exec python failed: No such file or directory", "ERROR (catatonit:2): failed to exec pid1: No such file"],
)
def test_a_program_that_is_not_there_is_an_error(said: str, fake: Fake) -> None:
    fake.answer("start", stderr=f"{said}\n", returncode=127)
    fake.answer("container inspect", stdout=ended(127))
    with pytest.raises(EngineError, match=r"/usr/bin/python3\.9 cannot be started in base \(No such file"):
        fake.engine().run("base", ARGV)


def test_a_container_that_another_removed(fake: Fake) -> None:
    fake.answer("container inspect", stderr="Error: No such container: x\n", returncode=1)
    with pytest.raises(EngineError, match="was removed while it ran: run it again"):
        fake.engine().run("base", ARGV)


def test_a_mount_that_is_not_there(fake: Fake, tmp_path: Path) -> None:
    # Docker would make a directory of it on the machine.
    with pytest.raises(EngineError, match="none: no such file or directory to mount"):
        fake.engine().run("base", ARGV, mounts=[(str(tmp_path / "none"), "/x")])
    assert not fake.calls("create")


def test_a_program_over_its_time_is_killed(fake: Fake) -> None:
    fake.answer("start", stdout="begun", seconds=60)
    fake.answer("container inspect", stdout=ended(137))
    engine = fake.engine()
    with fake.when_called("kill", fake.release):
        found = engine.run("base", ARGV, limits=Limits(seconds=0.5))
    assert found == Completed(returncode=137, stdout="begun", stderr="", seconds=found.seconds, timed_out=True)
    assert 0.5 < found.seconds < 10


def test_an_interrupt_kills_and_removes(fake: Fake) -> None:
    fake.answer("start", seconds=60)
    engine = fake.engine()
    with pytest.raises(KeyboardInterrupt), fake.when_called("start", lambda: os.kill(os.getpid(), signal.SIGINT)):
        engine.run("base", ARGV)
    assert [call[0] for call in fake.calls()][-2:] == ["kill", "rm"]


def test_stopping_ends_what_runs_and_starts_nothing_more(fake: Fake) -> None:
    fake.answer("start", seconds=60)
    fake.answer("ps", stdout="one\n")
    fake.answer("container inspect one", stdout=inspected(Config={"Labels": {"org.abicheck.owner": owner()}}))
    engine = fake.engine()
    with pytest.raises(EngineError, match="stopped before all was done"), fake.when_called("start", engine.stop_own):
        engine.run("base", ARGV)
    assert ["rm", "--force", "--volumes", "one"] in fake.calls("rm")
    with pytest.raises(EngineError, match="stopped before all was done"):
        engine.run("base", ARGV)

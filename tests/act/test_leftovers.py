"""What a process left behind goes when it is gone; what a living one uses stays."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from abicheck.act.engine.owner import is_gone, owner
from abicheck.errors import EngineError
from tests.act.conftest import Fake, inspected

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells boots apart, and processes of one number")


def owner_of(pid: int) -> str:
    host, boot, _, _ = owner().rsplit(":", 3)
    stat = Path(f"/proc/{pid}/stat")
    start = stat.read_text().rpartition(")")[2].split()[19] if stat.exists() else "1"
    return f"{host}:{boot}:{pid}:{start}"


def test_this_process_is_alive() -> None:
    assert not is_gone(owner())


@linux
def test_a_process_is_gone_when_it_has_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        label = owner_of(process.pid)
        assert not is_gone(label)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert is_gone(label)  # a zombie
    assert is_gone(label)


@linux
def test_another_process_of_the_same_number_is_another() -> None:
    assert is_gone(f"{owner().rpartition(':')[0]}:1")


@linux
def test_no_process_outlives_its_machine() -> None:
    assert is_gone(f"{platform.node()}:another-boot:{os.getpid()}:1")


@pytest.mark.parametrize("label", ["", "elsewhere:boot:1:1", "no label of ours", "a:b:c:d"])
def test_what_cannot_be_known_is_left_alone(label: str) -> None:
    assert not is_gone(label)


@linux
def test_clearing(fake: Fake) -> None:
    dead = f"{platform.node()}:another-boot:1:1"
    owners = {"dead": dead, "living": owner(), "foreign": "elsewhere:boot:1:1"}
    for kind, listing in (("container", "ps"), ("image", "image ls")):
        fake.answer(listing, stdout="".join(f"{kind}-{name}\n" for name in (*owners, "bare", "vanished")))
        fake.answer(f"{kind} inspect", stdout="[]", stderr=f"Error: No such {kind}: x\n", returncode=1)
        fake.answer(f"{kind} inspect {kind}-bare", stdout=inspected())
        for name, label in owners.items():
            fake.answer(f"{kind} inspect {kind}-{name}", stdout=inspected(Config={"Labels": {"org.abicheck.owner": label}}))
    assert fake.engine().clear() == ["container-dead", "image-dead"]
    assert fake.calls("rm") == [["rm", "--force", "--volumes", "container-dead"]]
    assert fake.calls("image rm") == [["image", "rm", "--force", "image-dead"]]
    (ps,), (images,) = fake.calls("ps"), fake.calls("image ls")
    assert "--filter=label=org.abicheck.confirm=1" in ps
    assert {"--filter=label=org.abicheck.confirm=1", "--filter=dangling=true"} <= set(images)


def test_clearing_without_a_daemon(fake: Fake) -> None:
    fake.answer("ps", stderr="Cannot connect to the Docker daemon at unix:///x.\n", returncode=1)
    with pytest.raises(EngineError, match="its daemon does not answer"):
        fake.engine().clear()


def test_a_listing_that_is_no_json(fake: Fake) -> None:
    fake.answer("image inspect", stdout="<html>")
    with pytest.raises(EngineError, match="answered no JSON: update"):
        fake.engine().image_id("base")

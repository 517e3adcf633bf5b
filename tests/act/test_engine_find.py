"""Which engine is used, and one clear line where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from abicheck.act.engine import Engine
from abicheck.errors import EngineError
from tests.act.conftest import PODMAN_INFO, make_fake

if TYPE_CHECKING:
    from pathlib import Path

DOWN = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n"
FORBIDDEN = (
    "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: "
    'Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.24/version": dial unix /var/run/docker.sock: connect: permission denied\n'
)


def test_docker_comes_first(folder: Path) -> None:
    make_fake("podman", folder)
    make_fake("docker", folder)
    assert Engine.find().name == "docker"


def test_podman_where_docker_has_no_daemon(folder: Path) -> None:
    make_fake("podman", folder)
    make_fake("docker", folder).answer(
        "version", stdout={"Client": {"ApiVersion": "1.41"}, "Server": None}, stderr=DOWN, returncode=1
    )
    found = Engine.find()
    assert (found.name, found.program) == ("podman", str(folder / "bin/podman"))


def test_podman_that_is_called_docker_is_not_docker(folder: Path) -> None:
    make_fake("podman", folder)
    make_fake("docker", folder).answer("version", stdout={"Client": {"APIVersion": "4.3.1"}})
    assert Engine.find().name == "podman"
    with pytest.raises(EngineError, match=r"^docker: not installed, .*/docker is Podman: ask for podman$"):
        Engine.find("docker")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        (None, "there is no container engine: install docker or podman"),
        ("docker", "docker: not installed: install it (apt-get install docker.io)"),
        ("podman", "podman: not installed: install it (apt-get install podman catatonit)"),
        ("lxc", "lxc: no such engine: name one of docker, podman"),
    ],
)
def test_no_engine(name: str | None, text: str) -> None:
    with pytest.raises(EngineError) as raised:
        Engine.find(name)
    assert str(raised.value) == text
    assert raised.value.exit_code == 4


@pytest.mark.parametrize(("said", "step"), [(DOWN, "its daemon does not answer: start it"), (FORBIDDEN, "no right to use")])
def test_a_daemon_that_cannot_be_used(said: str, step: str, folder: Path) -> None:
    make_fake("docker", folder).answer("version", stderr=said, returncode=1)
    for name in (None, "docker"):
        with pytest.raises(EngineError, match=f"docker: .*{step}") as raised:
            Engine.find(name)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("answer", ["", "no JSON", "[]", "{}"])
def test_an_engine_that_answers_something_else(answer: str, folder: Path) -> None:
    fake = make_fake("podman", folder)
    fake.answer("info", stdout=answer)
    with pytest.raises(EngineError, match="podman: it failed and said nothing"):
        Engine.find("podman")
    fake.answer("info", stdout=PODMAN_INFO)
    assert Engine.find("podman").name == "podman"


def test_a_program_that_cannot_be_run(folder: Path) -> None:
    (folder / "bin/docker").write_text("#!/none\n")
    (folder / "bin/docker").chmod(0o755)
    with pytest.raises(EngineError, match="docker cannot be run"):
        Engine.find("docker")

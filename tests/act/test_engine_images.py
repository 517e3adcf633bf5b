"""Images: their names in both engines, and how they are loaded, pulled, built and unpacked."""

from __future__ import annotations

import io
import os
import signal
import tarfile
from typing import TYPE_CHECKING

import pytest

from abicheck.act.engine.options import reason
from abicheck.act.engine.owner import owner
from abicheck.errors import EngineError
from tests.act.conftest import IDENTITY, Fake, inspected

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("identity", [IDENTITY, f"sha256:{IDENTITY}"])
def test_both_spellings_of_an_id_are_one(identity: str, fake: Fake) -> None:
    fake.answer("image inspect", stdout=inspected(Id=identity))
    assert fake.engine().image_id("base") == f"sha256:{IDENTITY}"


@pytest.mark.parametrize(
    ("image", "asked"),
    [
        ("base:1", ["localhost/base:1", "docker.io/library/base:1"]),
        ("abicheck/base", ["localhost/abicheck/base", "docker.io/abicheck/base"]),
        ("localhost/base", ["localhost/base"]),
        ("registry.example/base", ["registry.example/base"]),
        ("localhost:5000/base", ["localhost:5000/base"]),
        (f"sha256:{IDENTITY}", [f"sha256:{IDENTITY}"]),
    ],
)
def test_an_image_made_here_comes_before_one_of_a_registry(image: str, asked: list[str], fake: Fake) -> None:
    fake.answer("image inspect", stdout="[]", stderr="Error: inspecting object: x: image not known\n", returncode=125)
    assert fake.engine().image_id(image) is None
    assert [call[2] for call in fake.calls("image inspect")] == asked


def test_loading_a_base(fake: Fake, tmp_path: Path) -> None:
    (tmp_path / "base.tar").touch()
    assert fake.engine().load_base(tmp_path / "base.tar", "base:1") == f"sha256:{IDENTITY}"
    quiet = ["--quiet"] if fake.name == "podman" else []
    change = "--change=LABEL org.abicheck.confirm=1"
    assert fake.calls("import") == [["import", *quiet, change, f"{tmp_path}/base.tar", "localhost/base:1"]]
    with pytest.raises(EngineError, match=r"none\.tar: no such file: make it first"):
        fake.engine().load_base(tmp_path / "none.tar", "base:1")


@pytest.mark.parametrize(("names", "removed"), [([], 1), (["localhost/other:1"], 0)])
def test_an_image_that_loses_its_last_name_goes(names: list[str], removed: int, fake: Fake, tmp_path: Path) -> None:
    (tmp_path / "base.tar").touch()
    engine = fake.engine()
    old = "b" * 64
    fake.answer("image inspect localhost/base:1", stdout=inspected(Id=old))
    fake.answer(f"image inspect sha256:{old}", stdout=inspected(RepoTags=names))
    fake.answer("import", seconds=60)

    def rename() -> None:
        fake.answer("image inspect localhost/base:1", stdout=inspected())
        fake.release()

    with fake.when_called("import", rename):
        engine.load_base(tmp_path / "base.tar", "base:1")
    assert fake.calls("image rm") == [["image", "rm", f"sha256:{old}"]] * removed


def test_a_pull(fake: Fake) -> None:
    assert fake.engine().pull("debian:13")
    assert fake.calls("pull") == [["pull", "docker.io/library/debian:13"]]


def test_a_pull_without_a_network_says_why(fake: Fake) -> None:
    text = 'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host'
    fake.answer("pull", stderr=f"Trying to pull debian:13...\nError response from daemon: {text}\n", returncode=1)
    found = fake.engine().pull("debian:13")
    assert not found
    assert found.reason == text


def test_a_registry_that_does_not_answer_is_not_waited_for(fake: Fake) -> None:
    fake.answer("pull", stderr="Trying to pull docker.io/library/debian:13...\n", seconds=60)
    found = fake.engine().pull("debian:13", patience=0.3)
    assert not found
    assert "no answer from the registry of docker.io/library/debian:13" in found.reason


def test_a_registry_that_has_answered_gets_more_time(fake: Fake) -> None:
    said = "13: Pulling from library/debian\n" if fake.name == "docker" else "Getting image source signatures\n"
    fake.answer("pull", stdout=said, seconds=2)
    assert fake.engine().pull("debian:13", patience=1)


def test_a_build(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example")
    engine = fake.engine()
    assert engine.build(tmp_path, tmp_path / "Dockerfile", "cell", {"BASE": "base", "A": "b"}, "made") == f"sha256:{IDENTITY}"
    (call,) = fake.calls("build")
    assert call[-1] == str(tmp_path)
    assert set(call) >= {
        *("--force-rm", "--network=host", f"--file={tmp_path}/Dockerfile", "--tag=localhost/cell", "--target=made"),
        *("--build-arg=BASE=localhost/base", "--build-arg=A=b", "--build-arg=https_proxy"),
        *(f"--build-arg=ABICHECK_OWNER={owner()}", "--label=org.abicheck.confirm=1", "--label=org.abicheck.owner="),
    }
    assert ("--layers=false" in call) == (fake.name == "podman")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            (
                "Step 3/4 : RUN apt-get install none",
                " ---> Running in 0a1b2c3d4e5f",
                "E: Unable to locate package none",
                "\x1b[0mRemoving intermediate container 0a1b2c3d4e5f",
                "The command '/bin/sh -c apt-get install none' returned a non-zero code: 100",
            ),
            "E: Unable to locate package none",
        ),
        (
            (
                "[2/2] STEP 3/3: RUN apt-get install none",
                "E: Unable to locate package none",
                'Error: error building at STEP "RUN apt-get install none": error while running runtime: exit status 100',
            ),
            "E: Unable to locate package none",
        ),
        (("E: Unable to locate package none", "Reading package lists..."), "E: Unable to locate package none"),
        (("write /usr/x: no space left on device", "tar: error"), "write /usr/x: no space left on device"),
        (
            ("Step 1/1 : FROM scratch", "The command 'x' returned a non-zero code: 1"),
            "The command 'x' returned a non-zero code: 1",
        ),
        ((), ""),
    ],
)
def test_the_line_that_tells_why_a_build_failed(lines: tuple[str, ...], expected: str) -> None:
    assert reason("\n".join(lines)) == expected


def test_a_failed_build_leaves_nothing(fake: Fake, tmp_path: Path) -> None:
    _half_made(fake)
    fake.answer("build", stdout="Step 1/1 : RUN x\nE: no package\n", returncode=1)
    with pytest.raises(EngineError, match=f"^{fake.name}: E: no package$"):
        fake.engine().build(tmp_path, tmp_path / "Dockerfile", "cell", {})
    assert fake.calls("image rm") == [["image", "rm", "--force", "mine"]]


def test_an_interrupted_build_leaves_nothing(fake: Fake, tmp_path: Path) -> None:
    _half_made(fake)
    fake.answer("build", seconds=60)
    engine = fake.engine()
    with pytest.raises(KeyboardInterrupt), fake.when_called("build", lambda: os.kill(os.getpid(), signal.SIGINT)):
        engine.build(tmp_path, tmp_path / "Dockerfile", "cell", {})
    assert fake.calls("image rm") == [["image", "rm", "--force", "mine"]]


def test_a_build_for_want_of_space(fake: Fake, tmp_path: Path) -> None:
    fake.answer("build", stderr="Error: write /var/x: no space left on device\n", returncode=1)
    with pytest.raises(EngineError, match=r"no space left on the device where .* keeps its data"):
        fake.engine().build(tmp_path, tmp_path / "Dockerfile", "cell", {})


def _half_made(fake: Fake) -> None:
    fake.answer("image ls", stdout="mine\nother\n")
    fake.answer("image inspect mine", stdout=inspected(Config={"Labels": {"org.abicheck.owner": owner()}}))
    fake.answer("image inspect other", stdout=inspected(Config={"Labels": {"org.abicheck.owner": "host:boot:1:1"}}))


def _archive() -> str:
    """A root with a link, a device node and a file, as text."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, kind, target in (
            ("lib", tarfile.SYMTYPE, "usr/lib"),
            ("dev/null", tarfile.CHRTYPE, ""),
            ("a", tarfile.REGTYPE, ""),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            tar.addfile(member)
    return stream.getvalue().decode("ascii")


def test_unpacking_an_image(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:/usr/bin:/bin")
    fake.answer("export", stdout=_archive())
    out = tmp_path / "out" / "root"
    out.parent.mkdir()
    fake.engine().export("base", out)
    assert sorted(os.listdir(out)) == ["a", "lib"]
    assert os.readlink(out / "lib") == "usr/lib"
    assert os.listdir(out.parent) == ["root"]
    (created,), (removed,) = fake.calls("create"), fake.calls("rm")
    assert removed == ["rm", "--force", "--volumes", created[2]]
    with pytest.raises(EngineError, match="exists: remove it first"):
        fake.engine().export("base", out)


def test_a_failed_unpacking_leaves_nothing(fake: Fake, tmp_path: Path) -> None:
    fake.answer("export", stderr="Error: write: no space left on device\n", returncode=1)
    (tmp_path / "out").mkdir()
    with pytest.raises(EngineError, match="no space left"):
        fake.engine().export("base", tmp_path / "out/root")
    assert not os.listdir(tmp_path / "out")
    assert len(fake.calls("rm")) == 1


def test_saving_an_image(fake: Fake, tmp_path: Path) -> None:
    fake.answer("save", stdout="the archive")
    fake.engine().save("base:1", tmp_path / "image.tar")
    assert (tmp_path / "image.tar").read_text() == "the archive"
    assert fake.calls("save") == [["save", f"sha256:{IDENTITY}"]]
    fake.answer("save", stderr="Error: write: no space left on device", returncode=1)
    with pytest.raises(EngineError, match="no space left"):
        fake.engine().save("base:1", tmp_path / "image.tar")

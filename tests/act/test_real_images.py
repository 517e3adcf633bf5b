"""What real engines write is the host that the root file system is: every format that each of them has."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from abicheck.act.engine.dialect import full_name
from abicheck.api import check, describe
from abicheck.errors import HostError
from containers.make_base import open_base
from tests.act.test_real_engines import BASE, engine  # the fixture

if TYPE_CHECKING:
    from abicheck.act.engine import Engine

__all__ = ["engine"]
pytestmark = pytest.mark.engine

LIST = "localhost/abicheck/test-list"
MACHINES = {"amd64": "glibc-2.36", "arm64": "aarch64-glibc-2.36"}


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def test_a_saved_image_is_the_host_that_its_root_is(engine: Engine, tmp_path: Path) -> None:
    root = tmp_path / "root"
    engine.export(BASE, root)
    engine.save(BASE, tmp_path / "saved.tar")
    files = [tmp_path / "saved.tar"]
    if engine.name == "podman":
        files += [tmp_path / "oci", tmp_path / "oci.tar"]
        for form, path in zip(("oci-dir", "oci-archive"), files[1:], strict=True):
            run(engine.program, "save", "--quiet", f"--format={form}", f"--output={path}", BASE)
    else:
        files += _of_containerd(engine, tmp_path)
    target = str(next(root.rglob("_ctypes*.so")))
    lent = shutil.copy(target, str(tmp_path / "lent.so"))
    expected = describe(f"rootfs:{root}")._replace(name="")
    judged = check([lent], [f"rootfs:{root}"]).results[0]
    for spec in (*(f"image:{path}" for path in files), f"container:{BASE}"):
        assert describe(spec)._replace(name="", kind="rootfs") == expected, spec
        found = check([lent], [spec]).results[0]
        assert found._replace(host=judged.host) == judged, spec


def _of_containerd(engine: Engine, folder: Path) -> list[Path]:
    """The OCI layout that Docker's own containerd writes of a saved image; since Docker 25 that is what `docker save` writes."""
    sockets = [Path("/run/containerd/containerd.sock")]
    if os.environ.get("DOCKER_HOST", "").startswith("unix://"):  # the daemon of containers/with_engine.py
        sockets.insert(
            0, Path(os.environ["DOCKER_HOST"].removeprefix("unix://")).with_name("exec") / "containerd/containerd.sock"
        )
    socket = next((each for each in sockets if each.exists()), None)
    if socket is None or shutil.which("ctr") is None:
        return []
    images = ("ctr", f"--address={socket}", "--namespace=abicheck-test", "images")
    saved, path = folder / "named.tar", folder / "containerd.tar"
    run(engine.program, "save", f"--output={saved}", full_name(BASE))
    run(*images, "import", "--no-unpack", str(saved))
    names = subprocess.run([*images, "ls", "--quiet"], check=True, capture_output=True, text=True).stdout.split()
    try:
        run(*images, "export", str(path), names[0])
    finally:
        run(*images, "rm", *names)
    return [path]


def test_an_image_for_several_machines(engine: Engine, tmp_path: Path) -> None:
    if engine.name != "podman":
        pytest.skip("Docker keeps one machine's only, without containerd's image store")
    names = {machine: f"localhost/abicheck/test-{machine}" for machine in MACHINES}
    try:
        run(engine.program, "manifest", "create", LIST)
        for machine, base in MACHINES.items():
            run(engine.program, "import", "--quiet", f"--arch={machine}", str(open_base(base)), names[machine])
            run(engine.program, "manifest", "add", f"--arch={machine}", LIST, f"containers-storage:{names[machine]}")
        for form, path in (("oci", tmp_path / "layout"), ("oci-archive", tmp_path / "archive")):
            run(engine.program, "manifest", "push", "--all", LIST, f"{form}:{path}")
    finally:
        for command in (["manifest", "rm", LIST], ["rmi", "--force", *names.values()]):
            subprocess.run([engine.program, *command], capture_output=True, check=False)
    for path in (tmp_path / "layout", tmp_path / "archive"):
        found = {machine: describe(f"image:{path}{machine}") for machine in ("", "/x86_64", "/aarch64")}
        assert [each.arch for each in found.values()] == ["x86_64", "x86_64", "aarch64"]
        told = [dict(each.assumptions).get("platform") for each in found.values()]
        assert told == ["linux/amd64 (also there: linux/arm64)", None, None]
        with pytest.raises(HostError, match="no such file"):
            describe(f"image:{path}.none/aarch64")

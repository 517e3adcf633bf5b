"""Images as hosts: the same verdicts as their root in a directory; and hosts that another program has."""

from __future__ import annotations

import os
import sys
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from abicheck.api import Options, check, describe
from abicheck.api.places import distribution_of
from abicheck.errors import HostError, UsageError
from tests.imagewriter import Written, index, layer, manifest, member, saved

if TYPE_CHECKING:
    from pathlib import Path

    from abicheck.model.report import Result

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the root is made of this machine's files")


@pytest.fixture(scope="session")
def root_layer(machine_root: Path) -> bytes:
    """The root of this machine as a layer."""
    path = machine_root.parent / "layer.tar"
    with tarfile.open(path, "w") as archive:
        archive.add(machine_root, ".")
    return path.read_bytes()


@pytest.fixture(scope="session")
def image(root_layer: bytes, machine_root: Path) -> Path:
    return saved(root_layer).tar(machine_root.parent / "image.tar")


def _plain(result: Result) -> Any:
    return result._replace(host=result.host._replace(name="", kind="rootfs"))


def test_an_image_is_the_host_that_its_root_is(image: Path, machine_root: Path) -> None:
    there, here = describe(f"image:{image}"), describe(f"rootfs:{machine_root}")
    assert there.kind == "image"
    assert there._replace(name="", kind="rootfs") == here._replace(name="")


def test_files_of_this_machine_and_of_the_image(image: Path, machine_root: Path, tmp_path: Path) -> None:
    inside = next(each for each in machine_root.rglob("libc.so.6"))
    local = tmp_path / "some.so"
    local.write_bytes(inside.read_bytes())
    other = tmp_path / "text.so"
    other.write_text("no ELF file")
    path = "/" + str(inside.relative_to(machine_root))
    options = Options(stored=True, digests=True)
    hosts = [f"image:{image}", f"rootfs:{machine_root}"]
    for _ in range(2):  # the second time from what was stored
        report = check([str(local), str(other)], hosts, options=options)
        assert not report.errors
        for target in report.results[:2], report.results[2:]:
            assert _plain(target[0]) == _plain(target[1])
    if not os.path.exists(path):
        pytest.skip("this machine has its C library elsewhere")
    report = check([path], hosts[:1], options=options)
    assert report.results[0].artifact.sha256 is not None


def test_a_file_that_the_image_alone_has(root_layer: bytes, machine_root: Path, tmp_path: Path) -> None:
    library = next(each for each in machine_root.rglob("libc.so.6")).read_bytes()
    path = saved(root_layer, layer(member("only/here/x.so", library))).tar(tmp_path / "image.tar")
    report = check(["/only/here/x.so"], [f"image:{path}"], options=Options(stored=False, digests=True))
    assert [each.artifact.path for each in report.results] == ["/only/here/x.so"]
    assert report.results[0].artifact.sha256
    assert not report.errors


def test_the_environment_of_the_image_is_that_of_the_host(root_layer: bytes, tmp_path: Path) -> None:
    path = saved(root_layer, Env=["LD_LIBRARY_PATH=/opt/lib", "SECRET=x", "PATH=/usr/bin"]).tar(tmp_path / "image.tar")
    found = describe(f"image:{path}")
    assert found.environment == (("LD_LIBRARY_PATH", "/opt/lib"),)
    assert "environment" not in dict(found.assumptions)


@pytest.mark.parametrize("image_of", [saved(), saved(layer(member("a", b"x")))])
def test_an_image_without_a_c_library(image_of: Any, tmp_path: Path) -> None:
    with pytest.raises(HostError, match="no C library in it"):
        describe(f"image:{image_of.tar(tmp_path / 'i')}")


def test_the_machine_of_an_image(root_layer: bytes, machine_root: Path, tmp_path: Path) -> None:
    own = {"x86_64": "amd64", "aarch64": "arm64"}[describe(f"rootfs:{machine_root}").arch]
    written = Written()
    parts = [
        manifest(written, [root_layer], bytes, own),
        manifest(written, [layer(member("x"))], bytes, "s390x"),
    ]
    index(written, *parts)
    machine = describe(f"rootfs:{machine_root}").arch
    for path in (written.tar(tmp_path / "image"), written.directory(tmp_path / "layout")):
        found = describe(f"image:{path}/{machine}")
        assert (found.name, found.arch) == (f"image:{path}/{machine}", machine)
        assert "platform" not in dict(found.assumptions)
        with pytest.raises(UsageError, match="no machine is called 'arm64'; there are x86_64, aarch64"):
            describe(f"image:{path}/arm64")
    # What is there under the whole name is no qualifier.
    written.directory(tmp_path / "layout/aarch64")
    assert describe(f"image:{tmp_path}/layout/aarch64").arch == machine
    with pytest.raises(HostError, match="no such file"):
        describe(f"image:{tmp_path}/none/aarch64")


def test_a_path_is_told_as_it_was_given(image: Path, machine_root: Path, tmp_path: Path) -> None:
    (tmp_path / "text.so").write_bytes(b"no ELF file")
    for given in (f"{tmp_path}/../{tmp_path.name}/text.so", f"{tmp_path}//./text.so"):
        for host in ("local", f"image:{image}", f"rootfs:{machine_root}"):
            (result,) = check([given], [host], options=Options(stored=False)).results
            assert result.predicted == f"{given}: file too short"


def test_one_host_that_cannot_be_had_leaves_the_others(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine_root: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "Dockerfile").write_text("FROM nobody/knows:1\n")
    target = tmp_path / "x.so"
    target.write_bytes(next(each for each in machine_root.rglob("libc.so.6")).read_bytes())
    hosts = ["container:debian:13", f"dockerfile:{tmp_path}", f"image:{image}", f"image:{tmp_path}/none"]
    report = check([str(target)], hosts, options=Options(stored=False))
    assert [each.host.name for each in report.results] == [hosts[2]]
    assert [each.target for each in report.errors] == [hosts[0], hosts[1], hosts[3]]
    assert all("not installed" in each.message for each in report.errors[:2])
    assert "its base image: " in report.errors[1].message


def test_a_base_that_no_engine_has_may_be_built_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine_root: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "Dockerfile").write_text("FROM docker.io/library/debian:trixie\nRUN true\n")
    target = tmp_path / "x.so"
    target.write_bytes(next(each for each in machine_root.rglob("libc.so.6")).read_bytes())
    [result] = check([str(target)], [f"dockerfile:{tmp_path}"], options=Options(stored=False)).results
    assert (result.host.name, result.host.kind, result.host.libc_version) == (f"dockerfile:{tmp_path}", "distribution", "2.41")
    assert [each.value for each in result.assumptions if each.fact == "base-image"] == [
        "docker.io/library/debian:trixie is as the built-in debian:trixie: no engine has it"
    ]


@pytest.mark.parametrize(
    ("image", "known"),
    [
        ("debian:13", "debian:13"),
        ("docker.io/library/alpine:3.22", "alpine:3.22"),
        ("registry.example:5000/alpine:3.22", "alpine:3.22"),
        ("python:3.12-alpine@sha256:0123", "python:3.12-alpine"),
        ("nvidia/cuda:12.4.1-cudnn-runtime-ubuntu22.04", "nvidia/cuda:12.4.1-cudnn-runtime-ubuntu22.04"),
        ("registry.example/nvidia/cuda:12.4.1-base-ubi9", "nvidia/cuda:12.4.1-base-ubi9"),
        ("somebody/debian:13", None),
        ("debian:13,cpu=v9", None),
    ],
)
def test_the_distribution_that_an_image_is_made_of(image: str, known: str | None) -> None:
    assert distribution_of(image) == known

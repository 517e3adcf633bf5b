"""Files that hold images: both formats, both ways to pack them, and everything that can be wrong with them."""

from __future__ import annotations

import bz2
import gzip
import json
import struct
import sys
import tarfile
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from abicheck.errors import HostError
from abicheck.read.files import FactStore, Root
from abicheck.read.images import compression, open_image
from tests.imagewriter import Written, index, layer, manifest, member, oci, saved

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from abicheck.model.host import Arch

CONTENT = b"some content " * 1000
LAYER = layer(member("file", CONTENT))


def plain(data: bytes) -> bytes:
    return data


def read(path: Path) -> bytes | None:
    return Root(open_image(str(path)).files, FactStore()).read("/file")


def refused(path: Path | str, machine: Arch | None = None) -> str:
    with pytest.raises(HostError) as error:
        open_image(str(path), machine)
    assert "\n" not in error.value.message
    return error.value.message


@pytest.mark.parametrize("image", [oci(LAYER), oci(LAYER, pack=plain), saved(LAYER)], ids=["gzip", "plain", "saved"])
def test_formats(image: Written, tmp_path: Path) -> None:
    archive = image.tar(tmp_path / "image.tar")
    packed = tmp_path / "image.tar.gz"
    packed.write_bytes(gzip.compress(archive.read_bytes()))
    for path in (archive, packed, image.directory(tmp_path / "layout")):
        assert read(path) == CONTENT


def test_gzip_in_several_members_as_estargz_has_it(tmp_path: Path) -> None:
    assert (
        read(oci(LAYER, pack=lambda data: gzip.compress(data[:700]) + gzip.compress(data[700:])).tar(tmp_path / "i")) == CONTENT
    )


def test_layers_of_docker_may_be_links(tmp_path: Path) -> None:
    image = saved(LAYER)
    name = next(each for each in image.parts if each.endswith("layer.tar"))
    parts = [member(each, data) for each, data in image.parts.items() if each != name]
    parts += [member(name, link="../other/layer.tar"), member("other/layer.tar", LAYER)]
    (tmp_path / "i").write_bytes(layer(*parts))
    assert read(tmp_path / "i") == CONTENT


def test_zstd(tmp_path: Path) -> None:
    zstd = pytest.importorskip("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
    image = oci(LAYER, pack=zstd.compress)
    assert read(image.tar(tmp_path / "i")) == CONTENT
    damaged = oci(LAYER, pack=lambda data: zstd.compress(data)[:-9])
    assert "layer 1 is damaged or cut off" in refused(damaged.tar(tmp_path / "d"))


def test_zstd_without_a_module_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def absent(name: str) -> object:
        if "zst" in name:
            raise ImportError(name)
        return import_module(name)

    monkeypatch.setattr(compression, "import_module", absent)
    assert "pip install 'abicheck-env[images]'" in refused(oci(LAYER, pack=lambda _: b"\x28\xb5\x2f\xfd").tar(tmp_path / "i"))


@pytest.mark.parametrize(
    ("pack", "text"),
    [
        (lambda data: gzip.compress(data)[:-20], "layer 1 is damaged or cut off"),
        (lambda data: gzip.compress(data)[:40] + b"\0" * 40, "layer 1 is damaged or cut off"),
        (bz2.compress, "layer 1 is compressed with bzip2"),
        (lambda _: b"\xfd7zXZ\0" + bytes(99), "layer 1 is compressed with xz"),
        (lambda data: data[:600], "layer 1 is damaged, its content is not sha256:"),
    ],
)
def test_layers_that_cannot_be_read(pack: Callable[[bytes], bytes], text: str, tmp_path: Path) -> None:
    assert text in refused(oci(LAYER, pack=pack).tar(tmp_path / "i"))


def test_a_bomb(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(compression, "SMALL", 1 << 20)
    bomb = layer(member("zeros", bytes(8 << 20)))
    assert "layer 1 becomes more than 1048576 bytes" in refused(oci(bomb).tar(tmp_path / "i"))


def _changed(image: Written, ending: str, data: bytes | None) -> Written:
    """One part replaced, or taken away."""
    name = next(each for each in image.parts if each.endswith(ending))
    image.parts[name] = data or b""
    if data is None:
        del image.parts[name]
    return image


def _layer_of(image: Written) -> str:
    return next(name for name, data in image.parts.items() if data == LAYER)


@pytest.mark.parametrize(
    ("image", "text"),
    [
        (_changed(i := oci(LAYER, pack=plain), _layer_of(i), None), "it lacks the blob sha256:"),
        (_changed(i := oci(LAYER, pack=plain), _layer_of(i), LAYER[:-512]), "has another SHA-256"),
        (_changed(i := saved(LAYER), "layer.tar", None), "which its manifest.json names"),
        (_changed(i := saved(LAYER), "layer.tar", LAYER + bytes(512)), "its content is not sha256:"),
        (_changed(oci(LAYER), "index.json", b"{"), "index.json is no JSON"),
        (_changed(oci(LAYER), "index.json", b"[" * 100_000), "index.json is no JSON"),
        (_changed(oci(LAYER), "index.json", b"[1]"), "an index has no manifests"),
        (_changed(oci(LAYER), "index.json", b'{"manifests": []}'), "names no image"),
        (_changed(oci(LAYER), "index.json", b'{"manifests": [{"digest": "sha256:../../x"}]}'), "is no SHA-256"),
        (_changed(oci(LAYER), "index.json", b'{"manifests": [3]}'), "an index has no digest"),
        (_changed(saved(LAYER), "manifest.json", b"{}"), "its manifest.json names no image"),
        (_changed(saved(LAYER), "manifest.json", b'[{"Config": "x"}]'), "manifest.json has no Layers"),
        (_changed(saved(LAYER), "manifest.json", b"[{}, {}]"), "it holds 2 images"),
        (_changed(saved(LAYER), "manifest.json", b'[{"Config": "../../etc/passwd", "Layers": []}]'), "it lacks ../../etc/passwd"),
        (_changed(saved(LAYER), ".json", b'{"os": "windows"}'), "an image for windows"),
        (_changed(saved(LAYER), ".json", b'{"rootfs": {"diff_ids": []}}'), "it has 1 layers, its configuration names 0"),
        (Written(), "neither index.json (OCI) nor manifest.json"),
    ],
)
def test_damage(image: Written, text: str, tmp_path: Path) -> None:
    if image.parts:
        assert text in refused(image.tar(tmp_path / "i"))
    (tmp_path / "layout").mkdir()
    assert text in refused(image.directory(tmp_path / "layout"))


def test_files_that_are_no_images(tmp_path: Path) -> None:
    path = tmp_path / "i"
    assert "no such file or directory" in refused(path)
    for content in (b"", b"x" * 5000, b"\x1f\x8bx"):
        path.write_bytes(content)
        refused(path)
    path.write_bytes(oci(LAYER, pack=plain).tar(tmp_path / "whole").read_bytes()[:-9000])
    assert "again" in refused(path)


def _header(size: bytes, kind: bytes = b"0") -> bytes:
    header = bytearray(tarfile.TarInfo("x").tobuf(tarfile.USTAR_FORMAT))
    header[124:136], header[156:157] = size, kind
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


@pytest.mark.parametrize(
    "data",
    [
        _header(b"\xff" * 12) + bytes(1024),  # a size below zero, which leads back to itself
        _header(b"\xff" * 12, b"x") + bytes(1024),
        _header(b"77777777777\0") + bytes(1024),
        _header(b"00077777777\0", b"x") + bytes(1 << 24),  # a header of 16 MiB
        b"".join(_header(b"00000000000\0", b"x") for _ in range(3000)),
        _header(b"\x80" + struct.pack(">3xQ", 1 << 62)) + bytes(1024),
    ],
)
def test_tars_made_to_do_damage(data: bytes, tmp_path: Path) -> None:
    for image in (oci(data), saved(data)):
        assert "layer 1: " in refused(image.tar(tmp_path / "i"))
    (tmp_path / "i").write_bytes(data)
    refused(tmp_path / "i")


def test_an_index_of_indexes_ends(tmp_path: Path) -> None:
    image = Written()
    descriptor = manifest(image, [LAYER], plain)
    for depth in range(6):
        document = json.dumps({"manifests": [descriptor]}).encode()
        descriptor = image.blob(document, mediaType="application/vnd.oci.image.index.v1+json")
        path = index(image, descriptor).tar(tmp_path / f"{depth}")
        assert (read(path) == CONTENT) if depth < 4 else ("too often" in refused(path))


def test_of_several_platforms_x86_64_is_taken_and_said(tmp_path: Path) -> None:
    image = Written()
    other = manifest(image, [layer(member("file", b"arm"))], plain, "arm64")
    proof = {**manifest(image, [], plain, "unknown"), "annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
    first = manifest(image, [LAYER], plain)
    path = index(image, other, proof, first).tar(tmp_path / "i")
    assert read(path) == CONTENT
    assert open_image(str(path)).platforms == "linux/amd64 (also there: linux/arm64)"
    # The only one is taken, whatever it is; and what was not saved does not count.
    del image.parts[f"blobs/sha256/{first['digest'][7:]}"]
    path = index(image, {**first, "platform": {"os": "linux", "architecture": "amd64"}}, other).tar(tmp_path / "one")
    assert (read(path), open_image(str(path)).platforms) == (b"arm", "")


def test_the_machine_that_is_asked_for(tmp_path: Path) -> None:
    image = Written()
    parts = {name: manifest(image, [layer(member("file", name.encode()))], plain, name) for name in ("amd64", "arm64", "s390x")}
    path = str(index(image, *parts.values()).tar(tmp_path / "i"))
    asked: tuple[tuple[Arch, bytes], ...] = (("aarch64", b"arm64"), ("x86_64", b"amd64"))
    for machine, name in asked:
        found = open_image(path, machine)
        assert (Root(found.files, FactStore()).read("/file"), found.platforms) == (name, "")
    path = str(index(image, parts["arm64"], parts["s390x"]).tar(tmp_path / "i"))
    wanted = "2 images (linux/arm64, linux/s390x); add the machine, as in image:FILE/aarch64"
    assert refused(path) == f"it holds {wanted}"
    assert refused(path, "x86_64") == f"it holds no image for linux/amd64 and {wanted.replace('images', 'others')}"
    only = "it holds no image for linux/arm64, only one for linux/amd64; leave /aarch64 out"
    for written in (oci(LAYER), saved(LAYER)):
        assert refused(written.tar(tmp_path / "only"), "aarch64") == only


def test_two_images_for_one_platform_are_refused(tmp_path: Path) -> None:
    image = Written()
    both = [manifest(image, [LAYER], plain), manifest(image, [LAYER, LAYER], plain)]
    path = index(image, *both).tar(tmp_path / "i")
    machines: tuple[Arch | None, ...] = (None, "x86_64")
    for machine in machines:
        assert refused(path, machine) == "it holds 2 images (linux/amd64, linux/amd64); save the one that counts by itself"


def test_environment_and_directory(tmp_path: Path) -> None:
    env = ["LD_LIBRARY_PATH=/opt/lib", "PATH=/opt/bin:/bin", "A=b=c", 3, "NUL=\0"]
    image = open_image(str(oci(LAYER, Env=env, WorkingDir="/app").tar(tmp_path / "i")))
    assert image.environment == {"LD_LIBRARY_PATH": "/opt/lib", "PATH": "/opt/bin:/bin", "A": "b=c"}
    assert image.directory == "/app"
    assert open_image(str(oci(LAYER, Env=None, WorkingDir="x").tar(tmp_path / "j"))).directory == "/"

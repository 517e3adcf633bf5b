"""Writes small images: layers of given members, as an OCI layout or as `docker save` writes them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


class Member(NamedTuple):
    header: tarfile.TarInfo
    content: bytes | None


def member(name: str, content: bytes | None = None, *, link: str | None = None, hard: str | None = None) -> Member:
    """A file (with `content`), a symbolic or a hard link, or a directory."""
    found = tarfile.TarInfo(name)
    found.mode = 0o755
    if content is not None:
        found.size = len(content)
    elif link is not None:
        found.type, found.linkname = tarfile.SYMTYPE, link
    elif hard is not None:
        found.type, found.linkname = tarfile.LNKTYPE, hard
    else:
        found.type = tarfile.DIRTYPE
    return Member(found, content)


def layer(*members: Member) -> bytes:
    """A tar of these members."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for header, content in members:
            archive.addfile(header, None if content is None else io.BytesIO(content))
    return data.getvalue()


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Written:
    """The parts of an image by their names; `tar` and `directory` write them."""

    def __init__(self) -> None:
        self.parts: dict[str, bytes] = {}

    def blob(self, data: bytes, **more: Any) -> dict[str, Any]:
        """Add a blob; returns its descriptor."""
        self.parts[f"blobs/sha256/{digest(data)[7:]}"] = data
        return {"digest": digest(data), "size": len(data), **more}

    def tar(self, path: Path) -> Path:
        """Write it as one file."""
        path.write_bytes(layer(*[member(name, data) for name, data in self.parts.items()]))
        return path

    def directory(self, path: Path) -> Path:
        """Write it as a directory."""
        for name, data in self.parts.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
        return path


def configuration(layers: Sequence[bytes], architecture: str = "amd64", **config: Any) -> bytes:
    rootfs = {"type": "layers", "diff_ids": [digest(each) for each in layers]}
    return json.dumps({"os": "linux", "architecture": architecture, "rootfs": rootfs, "config": config}).encode()


def manifest(
    image: Written, layers: Sequence[bytes], pack: Callable[[bytes], bytes], architecture: str = "amd64", **config: Any
) -> dict[str, Any]:
    """The blobs of one image of an OCI layout; returns the descriptor of its manifest."""
    described = image.blob(configuration(layers, architecture, **config))
    document = {"schemaVersion": 2, "config": described, "layers": [image.blob(pack(each)) for each in layers]}
    return image.blob(json.dumps(document).encode(), mediaType="application/vnd.oci.image.manifest.v1+json")


def index(image: Written, *descriptors: dict[str, Any]) -> Written:
    """The index of an OCI layout."""
    image.parts["oci-layout"] = b'{"imageLayoutVersion": "1.0.0"}'
    image.parts["index.json"] = json.dumps({"schemaVersion": 2, "manifests": descriptors}).encode()
    return image


def oci(*layers: bytes, pack: Callable[[bytes], bytes] = gzip.compress, **config: Any) -> Written:
    """An OCI layout of one image."""
    image = Written()
    return index(image, manifest(image, layers, pack, **config))


def saved(*layers: bytes, **config: Any) -> Written:
    """What `docker save` writes without containerd's store."""
    image = Written()
    document = configuration(layers, **config)
    names = [f"{digest(each)[7:]}/layer.tar" for each in layers]
    image.parts |= dict(zip(names, layers, strict=True))
    image.parts[f"{digest(document)[7:]}.json"] = document
    image.parts["manifest.json"] = json.dumps(
        [{"Config": f"{digest(document)[7:]}.json", "Layers": names, "RepoTags": ["x:latest"]}]
    ).encode()
    return image

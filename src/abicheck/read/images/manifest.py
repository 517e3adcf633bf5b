"""Which parts of an image file are the image: its configuration and its layers, lowest first.

Sources: the OCI image specification (image-layout.md, image-index.md, manifest.md, config.md) and moby's image/tarexport.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from abicheck.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from abicheck.model.host import Arch
    from abicheck.read.images.blobs import Section
    from abicheck.read.images.sources import Source

MAX_LAYERS = 1024
_MAX_JSON = 8 << 20
_MAX_NESTING = 4
_MAX_IMAGES = 1024
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
#: What images call the machines.
_PLATFORMS: dict[Arch, str] = {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}
_DAMAGED = "save the image again"

_Kind = TypeVar("_Kind")


class Manifest(NamedTuple):
    """An image: `digest` of its configuration, the `config` part of that, its layers and the SHA-256 of each without compression.

    `platforms` names the platform and the others of the file, where there are several and none was asked for.
    """

    digest: str
    config: Mapping[str, Any]
    layers: tuple[Section, ...]
    diff_ids: tuple[str, ...]
    platforms: str = ""


def read_manifest(source: Source, arch: Arch | None = None) -> Manifest:
    """The image in `source`, for the machine `arch`. Raises `HostError` where there is none, several, or parts are damaged."""
    index = source.get("index.json")
    if index is not None:
        return _of_index(source, _json(index, "index.json"), arch)
    saved = source.get("manifest.json")
    if saved is None:
        message = "no image: it has neither index.json (OCI) nor manifest.json (docker save)"
        raise HostError(f"{message}; give what `docker save` or `podman save` wrote")
    return _of_saved(source, _json(saved, "manifest.json"), arch)


def _of_index(source: Source, index: Any, arch: Arch | None) -> Manifest:
    found = _images(source, index, 0)
    # What was saved of an image for several platforms may be one of them, with the index of all.
    found = {digest: each for digest, each in found.items() if source.get(_place(digest)) is not None} or found
    if not found:
        raise HostError("its index.json names no image; save the image again")
    chosen, others = next(iter(found.values())), ""
    if len(found) > 1:
        chosen, others = _chosen([(_platform(source, each), each) for each in found.values()], arch)
    manifest = _json(_blob(source, chosen), "the manifest")
    layers = [_blob(source, each) for each in _field(manifest, "layers", list, "the manifest")]
    config = _blob(source, _field(manifest, "config", dict, "the manifest"))
    return _manifest(config, layers, arch, others)


def _chosen(platforms: Sequence[tuple[str, Any]], arch: Arch | None) -> tuple[Any, str]:
    """The descriptor for a machine; without one that was asked for that of x86-64, the commonest, and which others there are."""
    wanted = _PLATFORMS[arch or "x86_64"]
    found = [each for platform, each in platforms if platform == wanted]
    if len(found) == 1:
        others = ", ".join(sorted(platform for platform, each in platforms if each is not found[0]))
        return found[0], "" if arch else f"{wanted} (also there: {others})"
    names = sorted(platform for platform, _ in platforms)
    known = [machine for machine, platform in _PLATFORMS.items() if names.count(platform) == 1]
    remedy = f"add the machine, as in image:FILE/{known[0]}" if known else "save the one that counts by itself"
    lacking = f"no image for {wanted} and " if arch and not found else ""
    raise HostError(f"it holds {lacking}{len(names)} {'others' if lacking else 'images'} ({', '.join(names)}); {remedy}")


def _images(source: Source, index: Any, depth: int) -> dict[str, Any]:
    """The descriptors of all manifests of an index and of the indexes that it names, by digest."""
    found: dict[str, Any] = {}
    for descriptor in _field(index, "manifests", list, "an index"):
        digest = _field(descriptor, "digest", str, "an index")
        annotations = descriptor.get("annotations")
        if isinstance(annotations, dict) and "vnd.docker.reference.type" in annotations:
            continue  # it tells how an image was built
        if str(descriptor.get("mediaType")).endswith((".index.v1+json", ".manifest.list.v2+json")):
            if depth == _MAX_NESTING:
                raise HostError("its indexes name each other too often; save the image again")
            found |= _images(source, _json(_blob(source, descriptor), "an index"), depth + 1)
        else:
            found[digest] = descriptor
        if len(found) > _MAX_IMAGES:
            raise HostError(f"it holds more than {_MAX_IMAGES} images; save the one that counts by itself")
    return found


def _platform(source: Source, descriptor: Any) -> str:
    """The platform that a descriptor tells, else the image's own configuration, as in `linux/amd64`."""
    told = descriptor.get("platform")
    if not isinstance(told, dict):
        manifest = _json(_blob(source, descriptor), "the manifest")
        told = _json(_blob(source, _field(manifest, "config", dict, "the manifest")), "the configuration")
    return "/".join(_field(told, key, str, "a platform") for key in ("os", "architecture"))


def _of_saved(source: Source, saved: Any, arch: Arch | None) -> Manifest:
    """The image of a manifest.json, which names files."""
    if not isinstance(saved, list) or not saved:
        raise HostError("its manifest.json names no image; save the image again")
    if len(saved) > 1:
        raise HostError(f"it holds {len(saved)} images; save the one that counts by itself")
    names = [_field(saved[0], "Config", str, "manifest.json"), *_field(saved[0], "Layers", list, "manifest.json")]
    parts = []
    for name in names:
        section = source.get(str(name))
        if section is None:
            raise HostError(f"it lacks {name}, which its manifest.json names; save the image again")
        parts.append(section)
    return _manifest(parts[0], parts[1:], arch, "")


def _manifest(config: Section, layers: Sequence[Section], arch: Arch | None, platforms: str) -> Manifest:
    document = _json(config, "the configuration")
    system = document.get("os", "linux") if isinstance(document, dict) else ""
    if system != "linux":
        raise HostError(f"an image for {system or 'no system'}; abicheck knows hosts with Linux")
    if arch and (platform := f"linux/{document.get('architecture')}") != _PLATFORMS[arch]:
        raise HostError(f"it holds no image for {_PLATFORMS[arch]}, only one for {platform}; leave /{arch} out")
    diff_ids = _field(_field(document, "rootfs", dict, "the configuration"), "diff_ids", list, "the configuration")
    if len(diff_ids) != len(layers) or len(layers) > MAX_LAYERS:
        raise HostError(
            f"it has {len(layers)} layers, its configuration names {len(diff_ids)} (at most {MAX_LAYERS}); {_DAMAGED}"
        )
    return Manifest(config.digest(), document.get("config") or {}, tuple(layers), tuple(map(str, diff_ids)), platforms)


def _blob(source: Source, descriptor: Any) -> Section:
    """The blob that a descriptor names, verified."""
    digest = _field(descriptor, "digest", str, "a descriptor")
    section = source.get(_place(digest))
    if section is None:
        raise HostError(f"it lacks the blob {digest}; {_DAMAGED}")
    if section.digest() != digest:
        raise HostError(f"the blob {digest} is damaged, its content has another SHA-256; {_DAMAGED}")
    return section


def _place(digest: str) -> str:
    if not _DIGEST.fullmatch(digest):
        raise HostError(f"the digest {digest[:80]!r} is no SHA-256; {_DAMAGED}")
    return f"blobs/sha256/{digest.partition(':')[2]}"


def _json(section: Section, what: str) -> Any:
    if section.size > _MAX_JSON:
        raise HostError(f"{what} has {section.size} bytes, more than {_MAX_JSON}; {_DAMAGED}")
    try:
        return json.loads(section.read())
    except (ValueError, RecursionError):
        raise HostError(f"{what} is no JSON; {_DAMAGED}") from None


def _field(value: Any, key: str, kind: type[_Kind], what: str) -> _Kind:
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, kind):
        raise HostError(f"{what} has no {key}, or one of another kind; {_DAMAGED}")
    return found

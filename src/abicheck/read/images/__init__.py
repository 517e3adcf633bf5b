"""Images of containers as trees of files: read where they lie, never run, never unpacked into a directory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from abicheck.errors import HostError
from abicheck.read.files import Memory
from abicheck.read.images.layers import tree
from abicheck.read.images.manifest import read_manifest
from abicheck.read.images.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abicheck.model.host import Arch

__all__ = ["Image", "open_image"]


class Image(NamedTuple):
    """What an image holds: its files, the environment and the directory that its programs start with.

    `platforms` names the platform that was taken, and the others, where the file has several and none was asked for.
    """

    files: Memory
    environment: Mapping[str, str]
    directory: str = "/"
    platforms: str = ""


def open_image(path: str, arch: Arch | None = None) -> Image:
    """The image in the file or directory `path`, of several that for the machine `arch`. Raises `HostError`."""
    try:
        manifest = read_manifest(open_source(path), arch)
        entries, directories = tree(manifest)
    except OSError as error:
        raise HostError(f"{error.strerror or error}: {path}; give an image that can be read") from None
    config = manifest.config
    lines = config.get("Env") if isinstance(config, dict) else None
    pairs = [line.partition("=") for line in lines if isinstance(line, str)] if isinstance(lines, list) else []
    directory = config.get("WorkingDir") if isinstance(config, dict) else None
    return Image(
        files=Memory(entries, int(manifest.digest.partition(":")[2][:15], 16), directories),
        environment={name: value for name, _, value in pairs if "\0" not in value},
        directory=directory if isinstance(directory, str) and os.path.isabs(directory) else "/",
        platforms=manifest.platforms,
    )

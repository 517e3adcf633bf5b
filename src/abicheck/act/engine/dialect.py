"""Where the command lines of Docker and Podman differ."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One engine's ways. `probe` asks for its version: that answers only where the engine works."""

    name: str
    probe: tuple[str, ...]
    create: tuple[str, ...] = ()
    build: tuple[str, ...] = ()
    load: tuple[str, ...] = ()
    #: A line of a pull's output that only comes when the registry has answered.
    registry_answered: str
    #: Whether the client itself does the work, so that it must be let end in order.
    daemonless: bool = False

    def answers(self, stdout: str) -> bool:
        """Whether the answer to `probe` comes from this engine, and from its daemon if it has one."""
        try:
            found = json.loads(stdout)
        except ValueError:
            return False
        if self.daemonless:
            return isinstance(found, dict) and "host" in found
        return isinstance(found, dict) and bool(found.get("Server"))


DOCKER = Dialect(
    name="docker",
    # `--format json` came with 23.0 only.
    probe=("version", "--format", "{{json .}}"),
    registry_answered=": Pulling from ",
)
PODMAN = Dialect(
    name="podman",
    probe=("info", "--format", "json"),
    # Otherwise /run and /var/tmp can be written to, which they cannot with Docker.
    create=("--read-only-tmpfs=false",),
    # No image for each step: nothing half-made is left.
    build=("--layers=false",),
    load=("--quiet",),
    registry_answered="Getting image source signatures",
    daemonless=True,
)
DIALECTS = {each.name: each for each in (DOCKER, PODMAN)}


def is_podman(stdout: str) -> bool:
    """Whether it was Podman that answered `docker version`, as the package podman-docker lets it."""
    try:
        client: Any = json.loads(stdout)["Client"]
    except (ValueError, KeyError, TypeError):
        return False
    return isinstance(client, dict) and "APIVersion" in client and "ApiVersion" not in client


def full_name(tag: str) -> str:
    """The name under which both engines keep an image that was made here: Podman would put `localhost/` before it anyway."""
    return tag if _is_qualified(tag) else f"localhost/{tag}"


def possible_names(image: str) -> list[str]:
    """The names that `image` can have: as it stands if it says all, else one made here, else one of Docker's registry."""
    if _is_qualified(image) or re.fullmatch(r"(sha256:)?[0-9a-f]{64}", image):
        return [image]
    return [f"localhost/{image}", f"docker.io/{image}" if "/" in image else f"docker.io/library/{image}"]


def registry_name(reference: str) -> str:
    """The full name of an image in a registry; Docker's where none is named."""
    return possible_names(reference)[-1]


def _is_qualified(name: str) -> bool:
    """Whether the first component names a registry, as the reference grammar of both engines has it."""
    first, slash, _ = name.partition("/")
    return bool(slash) and (first == "localhost" or "." in first or ":" in first)

"""What lies in an engine: images and containers looked up, those of some owners found, and removed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from abicheck.act.engine.dialect import possible_names
from abicheck.act.engine.owner import MARK, OWNER
from abicheck.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from abicheck.act.engine.client import Client

Kind: TypeAlias = Literal["image", "container"]
_ABSENT = re.compile("no such (image|container|object)|not known|no container with name", re.IGNORECASE)
_LISTS: dict[Kind, tuple[str, ...]] = {"container": ("ps", "--all"), "image": ("image", "ls", "--filter=dangling=true")}


class Store:
    """The images and containers of one engine. Every method raises EngineError where it does not answer."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def inspect(self, kind: Kind, name: str) -> dict[str, Any] | None:
        """What the engine knows of an image or a container; None if there is none."""
        answer = self._client.call([kind, "inspect", name], cleaning=True)
        if answer.returncode:
            if _ABSENT.search(answer.stderr):
                return None
            raise self._client.failure(answer.stderr)
        try:
            found: list[dict[str, Any]] = json.loads(answer.stdout)
        except ValueError as error:
            raise EngineError(f"`{kind} inspect` answered no JSON: update {self._client.name}", self._client.name) from error
        return found[0] if found else None

    def image(self, image: str) -> tuple[str, str] | None:
        """The full name and the id (`sha256:…`) of an image, if it is here."""
        for name in possible_names(image):
            found = self.inspect("image", name)
            if found:
                return name, "sha256:" + str(found["Id"]).removeprefix("sha256:")
        return None

    def need_image(self, image: str) -> tuple[str, str]:
        """The full name and the id of an image that must be here."""
        found = self.image(image)
        if found is None:
            raise EngineError(f"there is no image {image}: load or pull it first", self._client.name)
        return found

    def forget_image(self, identity: str) -> None:
        """Remove an image that has lost its name; one that is in use, or has another name, stays."""
        found = self.inspect("image", identity)
        if found and not found.get("RepoTags"):
            self._client.call(["image", "rm", identity])

    def labelled(self, kind: Kind, chosen: Callable[[str], bool]) -> list[str]:
        """The ids of all our containers, or half-made (nameless) images, whose owner is chosen."""
        command = [*_LISTS[kind], "--quiet", "--no-trunc", f"--filter=label={MARK}"]
        identities = dict.fromkeys(self._client.must(command, cleaning=True).stdout.split())
        found = {identity: self.inspect(kind, identity) for identity in identities}
        return [identity for identity, each in found.items() if each and chosen(_owner(each))]

    def remove_containers(self, names: Sequence[str]) -> None:
        """Kill and remove; one that another has removed in the meantime is no error."""
        for name in names:
            answer = self._client.call(["rm", "--force", "--volumes", name], cleaning=True)
            if answer.returncode and not _ABSENT.search(answer.stderr):
                raise self._client.failure(answer.stderr)

    def remove(self, chosen: Callable[[str], bool]) -> list[str]:
        """Remove the containers and the half-made images of the chosen owners; returns their ids."""
        containers = self.labelled("container", chosen)
        self.remove_containers(containers)
        return containers + self.remove_images(chosen)

    def remove_images(self, chosen: Callable[[str], bool]) -> list[str]:
        """Remove the half-made images of the chosen owners, their nameless parents, and what Podman was building in them."""
        images = self.labelled("image", chosen)
        for identity in images:
            self._client.call(["image", "rm", "--force", identity], cleaning=True)
        return images


def _owner(inspected: dict[str, Any]) -> str:
    labels = (inspected.get("Config") or {}).get("Labels") or {}
    return str(labels.get(OWNER, ""))

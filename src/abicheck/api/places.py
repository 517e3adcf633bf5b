"""Hosts that other programs have, made readable first: images of Docker and Podman, and what Dockerfiles build upon."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from abicheck.errors import EngineError, HostError, UsageError
from abicheck.model.host import Assumption
from abicheck.model.report import Failure
from abicheck.read.hosts import open_host

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abicheck.model.host import Host


class Place(NamedTuple):
    """A host that `open_host` can read as `spec`; `name` is what the user called it, `assumptions` come with the way there."""

    name: str
    spec: str
    assumptions: tuple[Assumption, ...] = ()

    def open(self, **how: Any) -> Host:
        """The host; for `how` see `open_host`."""
        host = open_host(self.spec, name=self.name, **how)
        return host._replace(assumptions=(*host.assumptions, *self.assumptions))


@contextmanager
def places(specs: Sequence[str]) -> Iterator[tuple[list[Place], list[Failure]]]:
    """Where these hosts can be read, as long as the block lasts, and why others cannot."""
    found, errors = [], []
    with ExitStack() as stack:
        for spec in specs:
            try:
                found.append(stack.enter_context(place(spec)))
            except HostError as error:  # noqa: PERF203 -- the others are judged all the same
                errors.append(Failure(error.subject, error.message))
        yield found, errors


@contextmanager
def place(spec: str) -> Iterator[Place]:
    """Where the host `spec` can be read, as long as the block lasts. Raises `HostError`."""
    kind, _, rest = spec.partition(":")
    if kind not in ("container", "dockerfile") or not rest:
        yield Place(spec, spec)
        return
    import tempfile  # noqa: PLC0415 -- most hosts need none

    with tempfile.TemporaryDirectory(prefix="abicheck-image-") as directory:
        try:
            found = _container(spec, rest, directory) if kind == "container" else _dockerfile(spec, rest, directory)
        except (EngineError, HostError) as error:
            raise HostError(str(error), spec) from None
        except OSError as error:
            raise HostError(f"{error.strerror}: {directory}; set TMPDIR to a place for its image", spec) from None
        yield found


def _container(spec: str, image: str, directory: str) -> Place:
    """An image of the first engine that has it, saved into `directory`."""
    from pathlib import Path  # noqa: PLC0415 -- most hosts need no engine

    from abicheck.act.engine import Engine  # noqa: PLC0415 -- as above

    errors = []
    for name in Engine.NAMES:
        try:
            engine = Engine.find(name)
            if engine.image_id(image) is None:
                errors.append(f"{name} has no image {image}")
                continue
            path = os.path.join(directory, "image.tar")
            engine.save(image, Path(path))
            return Place(spec, f"image:{path}")
        except EngineError as error:
            errors.append(str(error))
    raise HostError(f"{'; '.join(errors)}; pull or build it first, or save it and give image:FILE")


def _dockerfile(spec: str, path: str, directory: str) -> Place:
    """The base image of a Dockerfile: the engine's own, else the distribution that it is made of."""
    from abicheck.read.images.dockerfile import base_image  # noqa: PLC0415 -- as above

    base = base_image(path)
    only = Assumption("dockerfile", f"its base {base} alone is judged, not what it adds")
    try:
        return _container(spec, base, directory)._replace(assumptions=(only,))
    except HostError as error:
        known = distribution_of(base)
        if known is None:
            raise HostError(f"its base image: {error.message}") from None
        return Place(spec, known, (only, Assumption("base-image", f"{base} is as the built-in {known}: no engine has it")))


def distribution_of(image: str) -> str | None:
    """The built-in distribution that an image of this name is made of, as `debian:13`; None where none is known."""
    from abicheck.read.hosts.catalogue import find  # noqa: PLC0415 -- as above

    registry, slash, rest = image.partition("@")[0].partition("/")
    name = rest if slash and ("." in registry or ":" in registry) else registry + slash + rest
    name = name.removeprefix("library/")
    try:
        return name if find(name) is not None else None
    except UsageError:
        return None

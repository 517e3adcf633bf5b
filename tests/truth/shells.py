"""Images with the programs of a slim Debian: the bases of `confirm` with a shell and what its scripts need, and BusyBox."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from containers.make_base import BASES, glibc_version, write_tar
from containers.make_root import RootError, cache_dir, make_root

if TYPE_CHECKING:
    from abicheck.act.engine import Engine

#: What debian:*-slim has of the programs that the collecting script may use; no Python is among them.
PROGRAMS = ("dash", "coreutils", "mawk", "grep", "busybox-static")
#: Links that maintainer scripts make, which do not run here.
LINKS = {"bin/sh": "dash", "usr/bin/awk": "mawk"}


class Shell(NamedTuple):
    """An image in the engine, its root file system on this machine, and its newest Python as (3, 13)."""

    image: str
    root: Path
    python: tuple[int, int]


def open_shell(name: str, engine: Engine) -> Shell:
    """The image of the base called `name`, made now if it is not there. Raises RootError and EngineError."""
    recipe = replace(BASES[name], packages=(*BASES[name].packages, *PROGRAMS))
    root = cache_dir() / "roots" / f"shell-{name}"
    if not root.exists():
        make_root(recipe, root)
    if f"glibc-{glibc_version(root)}" != name:
        raise RootError(f"{root} has glibc {glibc_version(root)}: remove it, and name the suite that has the other")
    for link, target in LINKS.items():
        if not (root / link).is_symlink():
            (root / link).symlink_to(target)
    image = f"abicheck/truth-{name}:{blake2b(repr(recipe).encode(), digest_size=6).hexdigest()}"
    if engine.image_id(image) is None:
        with tempfile.TemporaryDirectory() as work:
            write_tar(root, Path(work, "base.tar"))
            engine.load_base(Path(work, "base.tar"), image)
    versions = [each.partition(".") for each in recipe.pythons]
    return Shell(image, root, max((int(major), int(minor)) for major, _, minor in versions))

"""The target Python of a host: the one that was asked for, else the one that its PATH finds, else the newest there."""

from __future__ import annotations

import os
import posixpath
import re
from typing import TYPE_CHECKING

from abicheck.errors import HostError
from abicheck.model.host import Interpreter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abicheck.read.files import Disk, Root

#: Where a container's PATH finds programs.
ROOT_PATH = ("/usr/local/bin", "/usr/bin", "/bin")

_VERSION = re.compile(r"(\d+)\.(\d+)")
_NAME = re.compile(r"python(\d+)\.(\d+)(?=[a-z]?$)")


def find_interpreter(files: Disk | Root, wanted: str | None, directories: Sequence[str]) -> Interpreter:
    """The Python `wanted` (`X.Y`, a name, a path, or None for the host's own) among `directories`."""
    if wanted is not None and "/" in wanted:
        return _by_path(files, wanted)
    name = "python3" if wanted is None else f"python{wanted}" if _VERSION.fullmatch(wanted) else wanted
    for directory in directories:
        path = posixpath.join(directory, name)
        if _is_file(files, path):
            return Interpreter(path=path, version=version_of(files, path))
    present = _versions(files, directories)
    if wanted is None and present:
        return Interpreter(path=present[max(present)], version=max(present))
    listed = ", ".join(f"{major}.{minor}" for major, minor in sorted(present)) or "none"
    raise HostError(
        f"there is no {name} in {':'.join(directories)} (versions there: {listed}); name another with --python X.Y or PATH"
    )


def version_of(files: Disk | Root, path: str) -> tuple[int, int] | None:
    """The version that the interpreter's file name tells, links followed: `python3` is a link to `python3.11`."""
    match = _NAME.search(posixpath.basename(files.resolve(path)))
    return (int(match.group(1)), int(match.group(2))) if match else None


def _by_path(files: Disk | Root, path: str) -> Interpreter:
    if not _is_file(files, path):
        raise HostError(f"there is no Python at {path}; give --python X.Y or the path of an interpreter on that host")
    return Interpreter(path=path, version=version_of(files, path))


def _is_file(files: Disk | Root, path: str) -> bool:
    return not isinstance(files.stat(path), int) and isinstance(files.stat(path + "/."), int)


def _versions(files: Disk | Root, directories: Sequence[str]) -> dict[tuple[int, int], str]:
    found: dict[tuple[int, int], str] = {}
    for directory in directories:
        place = files.locate(directory)
        names = os.listdir(place) if place and os.path.isdir(place) else ()
        for name in names:
            match = _NAME.fullmatch(name)
            if match and _is_file(files, posixpath.join(directory, name)):
                found.setdefault((int(match.group(1)), int(match.group(2))), posixpath.join(directory, name))
    return found

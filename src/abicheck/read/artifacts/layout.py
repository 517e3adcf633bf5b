"""Where an installer puts the files of a wheel: PyPUG, "Binary distribution format", read as pip's install/wheel.py."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from abicheck.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from abicheck.model.artifact import Scheme


def installed_paths(names: Iterable[str], scheme: Scheme, commands: frozenset[str], given: str) -> dict[str, str]:
    """The name of the member that ends up at each path of the host.

    Scripts that bear the name of one of the generated `commands` are replaced by it. Headers are left out: no loader looks for
    them. Raises `TargetError` for a name that no installer takes.
    """
    # In pip's order: of two members with one place the later one stays.
    directories = {
        "": scheme.library,
        "purelib": scheme.library,
        "platlib": scheme.library,
        "data": scheme.data,
        "scripts": scheme.scripts,
    }
    placed: dict[str, dict[str, str]] = {key: {} for key in (*directories, "headers")}
    for name in names:
        path = posixpath.normpath(name)
        if "\\" in name or "\0" in name:
            raise TargetError(
                f"the file name {name!r} in it holds a character that installers take differently; don't install it", given
            )
        if path.startswith(("/", "../")) or path in ("..", "."):
            raise TargetError(f"the file name {name!r} in it leads out of the install directory; no installer takes it", given)
        key = ""
        if path.partition("/")[0].endswith(".data"):
            _, key, path = (*path.split("/", 2), "", "")[:3]
            if key not in placed or not path:
                raise TargetError(
                    f"{name} lies in no directory that installers know (purelib, platlib, scripts, data, headers)", given
                )
        if key != "scripts" or posixpath.basename(path) not in commands:
            placed[key][path] = name
    paths = {f"{directory}/{path}": name for key, directory in directories.items() for path, name in placed[key].items()}
    if clash := paths.keys() & directories_of(paths):
        raise TargetError(f"{paths[min(clash)]} is a file and a directory in it; no installer takes such a wheel", given)
    return paths


def directories_of(paths: Iterable[str]) -> set[str]:
    """All directories on the way to absolute `paths`, without the root."""
    found: set[str] = set()
    for path in paths:
        directory = posixpath.dirname(path)
        while directory not in found and directory not in ("", "/"):
            found.add(directory)
            directory = posixpath.dirname(directory)
    return found

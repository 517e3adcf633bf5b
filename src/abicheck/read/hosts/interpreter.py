"""The target Python of a host: the one that was asked for, else the one that its PATH finds, else the newest there."""

from __future__ import annotations

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

_VERSION = re.compile(r"(\d+)\.(\d+)(t?)")
_NAME = re.compile(r"python(\d+)\.(\d+)(?=[a-z]?$)")


def find_interpreter(
    files: Disk | Root, wanted: str | None, directories: Sequence[str], *, may_lack: bool = False
) -> Interpreter:
    """The Python `wanted` (`X.Y`, a name, a path, or None for the host's own) among `directories`.

    With `may_lack` a version that is not there is taken to be put into the first of them.
    """
    if wanted is not None and "/" in wanted:
        return _by_path(files, wanted)
    name = "python3" if wanted is None else f"python{wanted}" if _VERSION.fullmatch(wanted) else wanted
    for directory in directories:
        path = posixpath.join(directory, name)
        if _is_program(files, path):
            return Interpreter(path=path, version=version_of(files, path), free_threaded=_is_free_threaded(files, path))
    version = _VERSION.fullmatch(wanted or "")
    if may_lack and version is not None:
        absent = (int(version[1]), int(version[2]))
        return Interpreter(posixpath.join(ROOT_PATH[0], name), absent, at_hand=False, free_threaded=bool(version[3]))
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


def _is_free_threaded(files: Disk | Root, path: str) -> bool:
    """True for `python3.13t`, the name of a build without the GIL (PEP 703, Makefile.pre.in)."""
    return re.search(r"\d+\.\d+t$", posixpath.basename(files.resolve(path))) is not None


def _by_path(files: Disk | Root, path: str) -> Interpreter:
    if not _is_file(files, path):
        raise HostError(f"there is no Python at {path}; give --python X.Y or the path of an interpreter on that host")
    return Interpreter(path=path, version=version_of(files, path), free_threaded=_is_free_threaded(files, path))


def _is_program(files: Disk | Root, path: str) -> bool:
    """True for an ELF file: tools that manage several Pythons put scripts of their names before them."""
    return _is_file(files, path) and files.read(path, 4) == b"\x7fELF"


def _is_file(files: Disk | Root, path: str) -> bool:
    return not isinstance(files.stat(path), int) and isinstance(files.stat(path + "/."), int)


def _versions(files: Disk | Root, directories: Sequence[str]) -> dict[tuple[int, int], str]:
    found: dict[tuple[int, int], str] = {}
    for directory in directories:
        for name in files.names(directory):
            match = _NAME.fullmatch(name)
            if match and _is_file(files, posixpath.join(directory, name)):
                found.setdefault((int(match.group(1)), int(match.group(2))), posixpath.join(directory, name))
    return found

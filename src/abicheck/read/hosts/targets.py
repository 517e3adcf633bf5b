"""From a file named on the command line to the path at which a host's loader would open it."""

from __future__ import annotations

import os
import posixpath
from errno import EACCES, ENOENT
from typing import TYPE_CHECKING, NamedTuple

from abicheck.errors import TargetError
from abicheck.read.files import Root, view_of

if TYPE_CHECKING:
    from abicheck.model.host import Host
    from abicheck.read.files import View


class Target(NamedTuple):
    """A target as given, the path that the loader is given for it, and where the file lies on this machine (None: nowhere).

    `host` is the host with what it shows of this machine's files for the target's sake; targets that need the same have the same.
    """

    given: str
    path: str
    place: str | None
    host: Host
    view: View | None


class Locator:
    """Finds targets on one host."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._inside: dict[str, str | None] = {}
        self._views: dict[str, View] = {}
        self._showing: dict[View, Host] = {}

    def locate(self, given: str) -> Target:
        """Where `given` lies on the host.

        On this machine it is the path as typed; a bare name is made absolute, because a loader would search for it. In a root it
        is the path inside the root for what lies there, else this machine's own file made visible at its absolute path, else what
        the root has at that path.
        """
        files = self._host.files
        if not isinstance(files, Root):
            path = given if "/" in given else os.path.abspath(given)
            _refuse(given, files.stat(path), directory=os.path.isdir(path))
            return Target(given, path, path, self._host, None)
        directory, name = os.path.split(os.path.abspath(given))
        if directory not in self._inside:
            self._inside[directory] = files.inner(directory)
        inside = self._inside[directory]
        local = os.path.join(directory, name)
        if inside is None and os.path.exists(local):
            _refuse(given, 0 if os.access(local, os.R_OK) else EACCES, directory=os.path.isdir(local))
            view = self._view(files, directory, local)
            host = self._showing[view]
            # The loader's texts tell the path as it was given, with its `..`.
            as_given = os.path.isabs(given) and given != local and host.files.stat(given) == host.files.stat(local)
            return Target(given, given if as_given else local, local, host, view)
        path = local if inside is None else posixpath.join(inside, name)
        _refuse(given, files.stat(path), directory=files.has_directory(path))
        return Target(given, path, files.locate(path), self._host, None)

    def _view(self, root: Root, directory: str, local: str) -> View:
        """What must be shown for the file `local`: the same for its neighbours, unless the root has their directory too."""
        key = local if root.has_directory(directory) else directory
        if key not in self._views:
            view = self._views[key] = view_of(root, local, self._host.loader.system_dirs)
            if view not in self._showing:
                self._showing[view] = self._host._replace(files=root.showing(view))
        return self._views[key]


def digest(target: Target) -> str:
    """The SHA-256 of a target."""
    import hashlib  # noqa: PLC0415 -- takes 3 ms, and few runs need it

    files = target.host.files
    if target.place is None and isinstance(files, Root):
        return hashlib.sha256(files.read(target.path) or b"").hexdigest()
    with open(target.place or target.path, "rb") as file:
        if hasattr(hashlib, "file_digest"):  # Python 3.11
            return hashlib.file_digest(file, "sha256").hexdigest()
        state = hashlib.sha256()
        while block := file.read(1 << 18):
            state.update(block)
        return state.hexdigest()


def _refuse(given: str, answer: object, *, directory: bool) -> None:
    """Raise when `answer` is an errno or what was found is a directory."""
    if answer == ENOENT:
        raise TargetError("no such file; give the path of a shared object", given)
    if answer == EACCES:
        raise TargetError("permission denied; run abicheck as a user who may read the file", given)
    if isinstance(answer, int) and answer:
        raise TargetError(f"{os.strerror(answer)}; give the path of a shared object", given)
    if directory:
        raise TargetError(f"a directory; name the files in it, as in {os.path.join(given, '*.so')}", given)

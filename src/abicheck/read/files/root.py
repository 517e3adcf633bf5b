"""A tree of files as a root file system: names are resolved inside it, as a container that has it as `/` would."""

from __future__ import annotations

import os
import stat
from errno import ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR
from typing import TYPE_CHECKING, NamedTuple

from abicheck.read.files.store import open_errno
from abicheck.read.files.volume import Directory

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from abicheck.model.elf import ElfFile
    from abicheck.model.files import FileId
    from abicheck.read.files.store import FactStore
    from abicheck.read.files.volume import Status, Volume

#: The kernel follows this many links in one name (MAXSYMLINKS in linux/namei.h) and takes names of up to 4095 bytes.
MAX_LINKS = 40
MAX_PATH = 4096


class View(NamedTuple):
    """Local files that a root shows besides its own.

    What the root lacks in its directory `directory` is taken from `local`, a directory of this machine: all of it where `only`
    is None, else only that one entry. `places` says where single paths of the root lie on this machine, whatever the root itself
    has there: the file that was asked for, and links on the way to it, which are followed on this machine.
    """

    directory: str
    local: str
    only: str | None = None
    places: tuple[tuple[str, str], ...] = ()


class _Place(NamedTuple):
    """Where a walk has come to: the real path inside the root, the volume and the path there, and the links followed so far."""

    path: str
    volume: Volume
    where: str
    status: os.stat_result | Status
    links: int


class Root:
    """The `Files` of a root: absolute and `..` links stay inside; every answer is remembered for the run.

    The root is a directory of this machine, or another volume.
    """

    def __init__(self, root: str | Volume, store: FactStore, view: View | None = None) -> None:
        self._root = root
        self._volume = Directory(os.path.realpath(root), store) if isinstance(root, str) else root
        self._machine = Directory("", store)
        self._store = store
        self._view = view
        self._places = dict(view.places) if view else {}
        self._answers: dict[str, FileId | int] = {}
        self._opened: dict[FileId, _Place] = {}
        self._directories: dict[str, _Place | int] = {"": _Place("", self._volume, "", self._volume.lstat(""), 0)}

    @property
    def volume(self) -> Volume:
        """Where the root's own entries come from."""
        return self._volume

    def showing(self, view: View) -> Root:
        """The same root with the local files of `view` in it."""
        return Root(self._root, self._store, view)

    def inner(self, directory: str) -> str | None:
        """The path inside the root of a directory of this machine; None for what lies outside."""
        if not isinstance(self._root, str):
            return None
        given = os.path.abspath(self._root), os.path.realpath(self._root)
        for base, path in zip(given, (os.path.abspath(directory), os.path.realpath(directory)), strict=True):
            if f"{path}{os.sep}".startswith(base.rstrip(os.sep) + os.sep):
                return path[len(base.rstrip(os.sep)) :] or "/"
        return None

    def stat(self, path: str) -> FileId | int:
        """The file that `open` would lead to inside the root, or its errno."""
        answer = self._answers.get(path)
        if answer is None:
            found = self._walk(path)
            answer = found if isinstance(found, int) else found.volume.opened(found.where, found.status)
            if not isinstance(found, int) and not isinstance(answer, int):
                self._opened.setdefault(answer, found)
            self._answers[path] = answer
        return answer

    def facts(self, file: FileId) -> ElfFile:
        """The facts of a file that `stat` returned."""
        place = self._opened[file]
        return place.volume.facts(place.where, file)

    def resolve(self, path: str) -> str:
        """`path` without symbolic links, as seen inside the root; `path` itself where it leads nowhere."""
        found = self._walk(path)
        return path if isinstance(found, int) else found.path or "/"

    def locate(self, path: str) -> str | None:
        """Where the file `path` of the root lies on this machine, None where it does not."""
        found = self._walk(path)
        return found.volume.path + found.where if not isinstance(found, int) and isinstance(found.volume, Directory) else None

    def read(self, path: str, limit: int = -1) -> bytes | None:
        """The first `limit` bytes of a file, or all; None where it cannot be read."""
        found = self._walk(path)
        if isinstance(found, int) or isinstance(self.stat(path), int):
            return None
        try:
            return found.volume.read(found.where, limit)
        except OSError:
            return None

    def names(self, path: str) -> Sequence[str]:
        """The entries of a directory; none where there is no such directory."""
        found = self._walk(path)
        if isinstance(found, int) or not stat.S_ISDIR(found.status.st_mode):
            return ()
        return found.volume.names(found.where)

    def has_directory(self, path: str) -> bool:
        """True when the root itself has the directory `path`."""
        return not isinstance(self._enter(path.rstrip("/"), MAX_LINKS), int)

    def _walk(self, path: str) -> _Place | int:
        if not path:
            return ENOENT
        if len(os.fsencode(path)) >= MAX_PATH:
            return ENAMETOOLONG
        return self._find(path, MAX_LINKS)

    def _find(self, path: str, budget: int) -> _Place | int:
        """Follow `path`, which may cross `budget` more links. What does not start with a slash starts at the root."""
        head, _, name = path.rpartition("/")
        directory = self._enter(head, budget)
        return directory if isinstance(directory, int) else self._step(directory, name, budget)

    def _enter(self, path: str, budget: int) -> _Place | int:
        """The directory `path`: from the longest part of it that is known already, component by component."""
        pending = []
        while (known := self._directories.get(path)) is None:
            pending.append(path)
            path = path.rpartition("/")[0]
        for path in reversed(pending):
            if isinstance(known, int):
                return known
            known = self._step(known, path.rpartition("/")[2], budget)
            if not isinstance(known, int) and not stat.S_ISDIR(known.status.st_mode):
                known = ENOTDIR
            # A walk that has used up links already may fail where a fresh one would not.
            if known != ELOOP or budget == MAX_LINKS:
                self._directories[path] = known
        if not isinstance(known, int) and known.links > budget:
            return ELOOP
        return known

    def _step(self, directory: _Place, name: str, budget: int) -> _Place | int:
        """One component further."""
        if name in ("", "."):
            return directory
        if name == "..":
            parent = self._enter(directory.path.rpartition("/")[0], MAX_LINKS)
            return parent if isinstance(parent, int) else parent._replace(links=directory.links)
        path = f"{directory.path}/{name}"
        try:
            volume, where, status = self._look(path, directory, name)
            if not stat.S_ISLNK(status.st_mode):
                return _Place(path, volume, where, status, directory.links)
            target = volume.readlink(where)
        except (OSError, ValueError) as error:
            return open_errno(error)
        links = directory.links + 1
        if links > budget:
            return ELOOP
        found = self._find(target if target.startswith("/") else f"{directory.path}/{target}", budget - links)
        return found if isinstance(found, int) else found._replace(links=found.links + links)

    def _look(self, path: str, directory: _Place, name: str) -> tuple[Volume, str, os.stat_result | Status]:
        """The entry itself: in the root, or where the view shows it."""
        view, volume, where = self._view, directory.volume, f"{directory.where}/{name}"
        if view is None:
            return volume, where, volume.lstat(where)
        if (shown := self._places.get(path)) is not None:
            return self._machine, shown, os.stat(shown)
        try:
            return volume, where, volume.lstat(where)
        except FileNotFoundError:
            if (directory.path or "/") != view.directory or view.only not in (None, name):
                raise
            local = os.path.join(view.local, name)
            return self._machine, local, os.lstat(local)


def view_of(root: Root, path: str, sealed: Iterable[str]) -> View:
    """The least that shows the local file `path` (absolute) in `root` together with what lies around it.

    It is the same for all files of a directory that the root has not got.

    The deepest directory on its way that the root has too is completed with what this machine has there, so that
    `$ORIGIN/../name.libs` leads on; but of `/` and of the directories `sealed`, which the host's loader searches by itself, only
    the one entry on the way is shown: nothing of this machine's system may leak into the host's.
    """
    parts = path.strip("/").split("/")
    depth = len(parts) - 1
    while not root.has_directory("/" + "/".join(parts[:depth])):
        depth -= 1
    local = "/" + "/".join(parts[:depth])
    directory = root.resolve(local)
    closed = directory == "/" or directory in {root.resolve(each) for each in sealed}
    inside = directory.rstrip("/")
    places = []
    for end in range(depth + 1, len(parts)):
        prefix = "/" + "/".join(parts[:end])
        if os.path.islink(prefix):
            places.append((inside + "/" + "/".join(parts[depth:end]), os.path.realpath(prefix)))
    first = f"{local.rstrip('/')}/{parts[depth]}"
    if root.stat(first) != ENOENT:
        places.append((f"{inside}/{parts[depth]}", first))
    return View(directory=directory, local=local, only=parts[depth] if closed else None, places=tuple(places))

"""Which files of a host a profile holds: all that its loader finds by itself, with the links on the way."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Any, NamedTuple

from abicheck.errors import HostError
from abicheck.model.elf import Malformed
from abicheck.model.files import FileId
from abicheck.read.files import Directory, Root
from abicheck.read.files.root import MAX_LINKS
from abicheck.read.hosts.interpreter import ROOT_PATH
from abicheck.read.hosts.profile.checked import Checked
from abicheck.read.hosts.profile.decode import decode
from abicheck.read.hosts.profile.encode import encode, size_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from abicheck.model.elf import ElfFile, SharedObject
    from abicheck.model.host import Host
    from abicheck.read.files import Disk, FactStore, Volume

#: So many bytes the files of a profile may take.
BUDGET = 990_000
#: After so many that found no room no further file is read: they come by their size.
_REFUSALS = 20
#: What most programs need, and what wheels take from a host: kept before all else, with the loader and what Python loads.
_FIRST: tuple[str, ...] = (
    "libc.",
    "libc-",
    "libm.",
    "libm-",
    "ld-",
    "libpthread",
    "libdl",
    "librt",
    "libutil",
    "libstdc++",
    "libgcc_s",
)
_FIRST += ("libgomp", "libz.", "libmvec", "libanl", "libresolv", "libcrypt.")
#: Where libraries are that a search path of a program may name, besides the loader's own directories.
_LOCAL = ("/usr/local/lib/",)


class Snapshot(NamedTuple):
    """A part of a file system: directories, links with their targets, files by their real path.

    `left_out` are files with their sizes, of which nothing else is known; `unreadable` those that nobody may read.
    """

    directories: tuple[str, ...]
    links: dict[str, str]
    files: dict[str, dict[str, Any]]
    left_out: dict[str, int]
    unreadable: tuple[str, ...]


class _Walk:
    """Follows paths of a volume, and notes all that it meets."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self.directories: dict[str, None] = {}
        self.links: dict[str, str] = {}
        self.files: dict[str, int] = {}

    def add(self, path: str) -> str | None:
        """Note what lies on the way to `path`; the real path of the file that it leads to, None where it leads to none."""
        pending = [*reversed(path.split("/"))]
        real = ""
        links = 0
        while pending:
            name = pending.pop()
            if name in ("", ".", ".."):
                real = real.rpartition("/")[0] if name == ".." else real
                continue
            here = f"{real}/{name}"
            try:
                status = self._volume.lstat(here)
                if stat.S_ISLNK(status.st_mode):
                    target = self.links[here] = self._volume.readlink(here)
            except (OSError, ValueError):
                return None
            if stat.S_ISLNK(status.st_mode):
                links += 1
                if links > MAX_LINKS:
                    return None
                real = "" if target.startswith("/") else real
                pending += reversed(target.split("/"))
                continue
            real = here
            if stat.S_ISDIR(status.st_mode):
                self.directories[here] = None
            else:
                self.files.setdefault(here, status.st_size)
        return real if real in self.files else None

    def names(self, directory: str) -> Sequence[str]:
        """The entries of a directory given without links."""
        try:
            return self._volume.names(directory)
        except OSError:
            return ()


def take(host: Host, files: Disk | Root, paths: Iterable[str], store: FactStore, budget: int = BUDGET) -> Snapshot:
    """The part of `host` that its loader finds by itself, with `paths` first (what Python loads, for one).

    `files` are those of the host itself. What takes more than `budget` bytes is left out, large files first.
    """
    walk = _Walk(files.volume if isinstance(files, Root) else Directory("", store))
    first = [real for path in (host.loader.path, *paths) if (real := walk.add(path)) is not None]
    found = [real for path in _searched(host, files) if (real := walk.add(path)) is not None]
    # A Python with a desktop's libraries would leave no room for what every wheel takes.
    first = [*first[:1], *(real for real in found if real.rpartition("/")[2].startswith(_FIRST)), *first[1:]]
    rest = sorted(walk.files, key=lambda real: (walk.files[real], real))
    # Every name stands in it, whether there is room for the facts or not.
    budget -= size_of((walk.links, [*walk.directories], walk.files, host.loader.cache))
    encoded, left_out, unreadable = _encoded(files, dict.fromkeys([*first, *rest]), budget)
    return Snapshot(tuple(sorted(walk.directories)), dict(sorted(walk.links.items())), encoded, left_out, unreadable)


def _searched(host: Host, files: Disk | Root) -> Iterator[str]:
    """All paths where this host's loader may find something without being told by an object."""
    yield "/etc/ld.so.cache"
    directories = [*host.loader.system_dirs, *_LOCAL]
    directories += [each.rstrip("/") + "/" for each in host.environment.get("LD_LIBRARY_PATH", "").split(":") if each[:1] == "/"]
    for directory in dict.fromkeys(directories):
        for place in (directory, *(directory + each for each in host.loader.hwcap_subdirs)):
            yield place.rstrip("/")
            yield from (place + name for name in sorted(files.names(place.rstrip("/"))) if ".so" in name)
    yield from (path for paths in (host.loader.cache or {}).values() for path in paths)
    preloaded = (*host.loader.preload, *host.environment.get("LD_PRELOAD", "").replace(":", " ").split())
    yield from (path for path in preloaded if path.startswith("/"))
    for directory in ROOT_PATH:
        yield from (f"{directory}/{name}" for name in sorted(files.names(directory)) if name.startswith("python"))


def _encoded(
    files: Disk | Root, paths: Iterable[str], budget: int
) -> tuple[dict[str, dict[str, Any]], dict[str, int], tuple[str, ...]]:
    """The facts of the files `paths` as long as there is room; those left out with their sizes; those that can't be read."""
    kept: dict[str, dict[str, Any]] = {}
    names: dict[tuple[int, int], str] = {}
    left_out: dict[str, int] = {}
    unreadable = []
    refused = 0
    for path in paths:
        file = files.stat(path)
        if not isinstance(file, FileId):
            unreadable.append(path)
            continue
        one = names.setdefault((file.device, file.inode), path)
        if one != path:
            kept.get(one, {}).setdefault("also", []).append(path)
            left_out |= {path: file.size} if one in left_out else {}
            continue
        found = _exact(files.facts(file), file.size) if refused < _REFUSALS else None
        size = 0 if found is None else size_of((path, found))
        if found is None or size > budget:
            left_out[path] = file.size
            refused += found is not None
        else:
            kept[path] = found
            budget -= size
    return dict(sorted(kept.items())), dict(sorted(left_out.items())), tuple(sorted(unreadable))


def _exact(facts: ElfFile, size: int) -> dict[str, Any] | None:
    """The facts as plain values, None where these do not say all that the facts do: damaged tables, for one."""
    try:
        found = {"size": size, **encode(facts)}
        again = decode(Checked(found))
    except (LookupError, ValueError, HostError):
        return None
    if isinstance(facts, Malformed) or isinstance(again, Malformed):
        return None if facts != again or found.get("malformed") == "left-out" else found
    return found if _plain(facts) == _plain(again) and dict(facts.definitions) == dict(again.definitions) else None


def _plain(facts: SharedObject) -> SharedObject:
    """All but the references, of which a profile has those that count, and the definitions, which are no plain mapping."""
    return facts._replace(references=(), definitions={}) if facts.demand is not None or not facts.references else facts

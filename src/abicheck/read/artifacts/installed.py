"""A distribution that is installed in a directory of this machine: what its RECORD says, and what is really there."""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING, NamedTuple

from abicheck.errors import TargetError
from abicheck.model.artifact import Distribution
from abicheck.model.names import normalized
from abicheck.read.artifacts import metadata
from abicheck.read.artifacts.listing import Listing, read_file
from abicheck.read.files.store import opened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abicheck.model.artifact import Scheme, Sources
    from abicheck.model.elf import ElfFile
    from abicheck.model.files import FileId
    from abicheck.read.files import FactStore


class Found(NamedTuple):
    """A `.dist-info` directory (or what is left of one), with name and version as its own name tells them.

    `obstacle` says why it cannot be judged, "" where it can.
    """

    place: str
    name: str
    version: str
    obstacle: str = ""


def find_distributions(directory: str) -> tuple[Found, ...]:
    """What is installed in a site-packages directory, sorted by name; what cannot be judged bears its reason.

    Raises `TargetError` where the directory cannot be listed.
    """
    try:
        names = sorted(os.listdir(directory))
    except OSError as error:
        raise TargetError(f"{os.strerror(error.errno or 0)}; give a site-packages directory", directory) from None
    found = [each for name in names if (each := _found(directory, name)) is not None]
    return tuple(sorted(found, key=lambda each: each.name))


def _found(directory: str, name: str) -> Found | None:
    stem, dot, kind = name.rpartition(".")
    if not dot or kind not in ("dist-info", "egg-info", "egg-link", "egg"):
        return None
    project, _, version = stem.partition("-")
    place = os.path.join(directory, name)
    return Found(place, normalized(project.lstrip("~")), version.partition("-py")[0], _obstacle(place))


def _obstacle(place: str) -> str:
    """Why what is installed at `place` cannot be judged, "" where it can."""
    name = os.path.basename(place)
    reason = ""
    if name.startswith("~"):
        reason = "left behind by an interrupted pip, which renames what it removes; delete it"
    elif name.endswith((".egg-info", ".egg")):
        reason = "installed the old way (egg), where no list of files can be trusted; reinstall it from a wheel"
    elif name.endswith(".egg-link"):
        reason = _elsewhere(_first_line(place))
    elif not os.path.isdir(place):
        reason = "no .dist-info directory; reinstall the distribution"
    elif not os.path.isfile(os.path.join(place, "METADATA")):
        reason = "half removed (no METADATA in it); delete it or reinstall the distribution"
    elif (origin := read_file(os.path.join(place, "direct_url.json"))) is not None and b'"editable"' in origin:
        reason = _editable(origin)
    return reason


def _editable(origin: bytes) -> str:
    """The obstacle of an editable install by its direct_url.json (PEP 610)."""
    import json  # noqa: PLC0415 -- few distributions come from a URL of their own

    try:
        url = json.loads(origin)
        return _elsewhere(url["url"]) if url["dir_info"]["editable"] else ""
    except (ValueError, KeyError, TypeError):
        return "its direct_url.json is damaged; reinstall it"


def _elsewhere(place: str) -> str:
    return f"an editable install, whose code lies elsewhere ({place}); judge that directory, or build a wheel"


def open_installed(
    info: str, *, here: Scheme, there: Scheme, store: FactStore, given: str = "", shown: bool = False, verify: bool = False
) -> Installed:
    """The distribution whose `.dist-info` directory on this machine is `info`.

    `here` is where the environment lies on this machine (its `library` is the directory that holds `info`) and `there` where it
    lies on the host: the same for this machine itself, with the root's directory taken off for what lies in a root. `shown` makes
    it one that the host has not got by itself, so that `entries` lists its files. `verify` compares hashes too. Raises
    `TargetError` for what cannot be judged.
    """
    given = given or info
    info = os.path.abspath(info)
    if obstacle := _obstacle(info):
        raise TargetError(obstacle, given)
    about = metadata.fields(read_file(os.path.join(info, "METADATA")) or b"")
    name, version = (metadata.first(about, key) for key in ("name", "version"))
    if not name or not version:
        raise TargetError("its METADATA names no project and version; reinstall it", given)
    listing = Listing(info, here, verify=verify)
    places = {path: place for place in listing.files if (path := _moved(place, here, there)) is not None}
    wheel = metadata.fields(read_file(os.path.join(info, "WHEEL")) or b"")
    library = there.library + "/"
    distribution = Distribution(
        kind="distribution",
        name=normalized(name),
        version=version,
        given=given,
        place=info,
        scheme=there,
        files=tuple(sorted(places)),
        binaries=tuple(sorted(path for path, place in places.items() if place in listing.binaries)),
        imports=metadata.import_names(path[len(library) :] for path in places if path.startswith(library)),
        requires=tuple(about.get("requires-dist", ())),
        requires_python=metadata.first(about, "requires-python"),
        tags=tuple(wheel.get("tag", ())),
        problems=tuple(listing.problems),
    )
    return Installed(distribution, places, store, shown=shown)


class Installed:
    """A `Package` whose files lie on this machine; `places` says where, by their path on the host."""

    def __init__(self, distribution: Distribution, places: Mapping[str, str], store: FactStore, *, shown: bool) -> None:
        self.distribution = distribution
        self.places = places
        self._store = store
        self._shown = shown
        self._entries: dict[str, FileId] | None = None if shown else {}
        self._disk: dict[FileId, str] = {}
        self._sources: Sources | None = None

    def entries(self) -> Mapping[str, FileId]:
        """The files by their path on the host; none where the host has them by itself."""
        if self._entries is None:
            self._entries = {}
            for path, place in self.places.items():
                try:
                    file = opened(place, os.stat(place))
                except OSError:
                    continue
                if not isinstance(file, int):
                    self._entries[path] = file
                    self._disk.setdefault(file, place)
        return self._entries

    def facts(self, file: FileId) -> ElfFile:
        """The facts of one of `entries`."""
        return self._store.facts(file, self._disk[file])

    def opened_names(self, path: str) -> tuple[str, ...]:
        """The names of libraries that stand in a binary which opens some by name."""
        from abicheck.read.elf.opened import read_opened_names  # noqa: PLC0415 -- few binaries open libraries

        try:
            return read_opened_names(self.places[path])
        except OSError:  # it went away: the loader's own answer says so
            return ()

    def sources(self) -> Sources:
        """What its Python code does."""
        if self._sources is None:
            from abicheck.read.artifacts.sources import LIMIT, read_sources  # noqa: PLC0415 -- asked for where a library is missing

            library = self.distribution.scheme.library + "/"
            self._sources = read_sources(
                (path, path[len(library) :], read_file(place, LIMIT) or b"")
                for path, place in sorted(self.places.items())
                if path.endswith(".py") and path.startswith(library)
            )
        return self._sources


def _moved(place: str, here: Scheme, there: Scheme) -> str | None:
    """The path on the host of a file of this machine; None for what lies outside the environment."""
    for local, inner in zip(here, there, strict=True):
        if place.startswith(local + os.sep):
            return posixpath.join(inner, place[len(local) + 1 :].replace(os.sep, "/"))
    return None


def _first_line(place: str) -> str:
    return (read_file(place) or b"").partition(b"\n")[0].decode("utf-8", "replace").strip()

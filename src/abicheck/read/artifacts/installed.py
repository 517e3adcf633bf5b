"""A distribution that is installed in a directory of this machine: what its RECORD says, and what is really there."""

from __future__ import annotations

import os
import posixpath
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from abicheck.errors import TargetError
from abicheck.model.artifact import Distribution, Problem
from abicheck.read.artifacts import metadata
from abicheck.read.artifacts.archive import ELF_MAGIC
from abicheck.read.files.store import opened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from abicheck.model.artifact import Scheme, Sources
    from abicheck.model.elf import ElfFile
    from abicheck.model.files import FileId
    from abicheck.read.files import FactStore

#: A loader may open any file, but these are Python's own and many: they are not looked into for native code.
_PYTHON = (".py", ".pyc", ".pyi")


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
    return Found(place, metadata.normalized(project.lstrip("~")), version.partition("-py")[0], _obstacle(place))


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
    elif (origin := _read(os.path.join(place, "direct_url.json"))) is not None and b'"editable"' in origin:
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

    `here` is where the environment lies on this machine and `there` where it lies on the host: the same for this machine itself,
    with the directory of the root taken off for what lies in a root. `shown` makes it one that the host has not got by itself, so
    that `entries` lists its files. `verify` compares hashes too. Raises `TargetError` for what cannot be judged.
    """
    given = given or info
    if obstacle := _obstacle(info):
        raise TargetError(obstacle, given)
    about = metadata.fields(_read(os.path.join(info, "METADATA")) or b"")
    name, version = (metadata.first(about, key) for key in ("name", "version"))
    if not name or not version:
        raise TargetError("its METADATA names no project and version; reinstall it", given)
    listing = _Listing(info, here, verify=verify)
    places = {path: place for place in listing.files if (path := _moved(place, here, there)) is not None}
    wheel = metadata.fields(_read(os.path.join(info, "WHEEL")) or b"")
    library = there.library + "/"
    distribution = Distribution(
        kind="distribution",
        name=metadata.normalized(name),
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

    def sources(self) -> Sources:
        """What its Python code does."""
        if self._sources is None:
            from abicheck.read.artifacts.sources import LIMIT, read_sources  # noqa: PLC0415 -- asked for where a library is missing

            library = self.distribution.scheme.library + "/"
            self._sources = read_sources(
                (path, path[len(library) :], _read(place, LIMIT) or b"")
                for path, place in sorted(self.places.items())
                if path.endswith(".py") and path.startswith(library)
            )
        return self._sources


class _Listing:
    """The files of a distribution on this machine: those that RECORD lists and that are there, and native code beside them."""

    def __init__(self, info: str, here: Scheme, *, verify: bool) -> None:
        self._library = here.library
        self.files: list[str] = []
        self.binaries: set[str] = set()
        self.problems: list[Problem] = []
        data = _read(os.path.join(info, "RECORD"))
        if data is None:
            self.problems.append(
                Problem(
                    "no-record",
                    self._spelled(os.path.join(info, "RECORD")),
                    "is missing, so its files are guessed by their names",
                )
            )
            directories = _guessed(info, here.library)
            rows = {}
        else:
            rows = {self._place(path): (path, row) for path, row in metadata.record(data).items()}
            directories = {os.path.join(here.library, top) for place in rows if (top := self._top(place))}
        for place, (path, row) in rows.items():
            self._take_listed(place, path, row, verify=verify)
        beside = [place for place in _walk(sorted(directories)) if place not in rows and not place.endswith(_PYTHON)]
        strangers = {place for place in beside if _is_elf(place)}
        if data is None:
            self.files += beside
        elif strangers:
            strangers -= self._listed_by_others(info)
            self.files += sorted(strangers)
            for place in sorted(strangers):
                self.problems.append(Problem("not-in-record", self._spelled(place), "lies among its files and is in no RECORD"))
        self.binaries |= strangers

    def _place(self, path: str) -> str:
        return os.path.normpath(os.path.join(self._library, path))

    def _spelled(self, place: str) -> str:
        return os.path.relpath(place, self._library)

    def _top(self, place: str) -> str | None:
        """The directory right below the library that a file lies in: one that the distribution has a claim on."""
        first, slash, _ = place[len(self._library) + 1 :].partition(os.sep)
        owned = slash and place.startswith(self._library + os.sep) and not first.endswith((".dist-info", "__pycache__"))
        return first if owned else None

    def _listed_by_others(self, info: str) -> set[str]:
        """What the other distributions of the directory own: some share a directory, as all of `nvidia` do."""
        records = (
            os.path.join(self._library, name, "RECORD") for name in os.listdir(self._library) if name.endswith(".dist-info")
        )
        return {
            self._place(path) for each in records if os.path.dirname(each) != info for path in metadata.record(_read(each) or b"")
        }

    def _take_listed(self, place: str, path: str, row: metadata.Row, *, verify: bool) -> None:
        try:
            status = os.stat(place)
        except (OSError, ValueError) as error:
            # Byte code is made, thrown away and made again by many.
            if not path.endswith(".pyc"):
                reason = "is in RECORD and not there" if isinstance(error, FileNotFoundError) else f"cannot be read ({error})"
                self.problems.append(Problem("missing", path, reason))
            return
        if not stat.S_ISREG(status.st_mode):
            return
        self.files.append(place)
        if row.size not in (None, status.st_size):
            self.problems.append(Problem("size", path, f"is {status.st_size} bytes, {row.size} by RECORD"))
        elif verify and row.hash and not metadata.hash_matches(row.hash, _chunks(place)):
            self.problems.append(Problem("hash", path, "has another hash than RECORD says"))
        if not path.endswith(_PYTHON) and _is_elf(place):
            self.binaries.add(place)


def _guessed(info: str, library: str) -> set[str]:
    """The directories that a distribution without RECORD seems to own."""
    stem = os.path.basename(info).partition("-")[0]
    names = {
        stem,
        stem.lower(),
        stem + ".libs",
        *(_read(os.path.join(info, "top_level.txt")) or b"").decode("utf-8", "replace").split(),
    }
    return {path for name in names if os.path.isdir(path := os.path.join(library, os.path.basename(name))) and name.strip("./")}


def _walk(directories: Iterable[str]) -> Iterator[str]:
    """The regular files below, links to directories not followed."""
    for top in directories:
        for directory, _, names in os.walk(top):
            yield from (place for name in names if os.path.isfile(place := os.path.join(directory, name)))


def _moved(place: str, here: Scheme, there: Scheme) -> str | None:
    """The path on the host of a file of this machine; None for what lies outside the environment."""
    for local, inner in zip(here, there, strict=True):
        if place.startswith(local + os.sep):
            return posixpath.join(inner, place[len(local) + 1 :].replace(os.sep, "/"))
    return None


def _read(place: str, limit: int = metadata.LIMIT) -> bytes | None:
    """The content of a regular file of at most `limit` bytes; None where there is none that can be read."""
    try:
        if not stat.S_ISREG((status := os.stat(place)).st_mode) or status.st_size > limit:
            return None
        with open(place, "rb") as file:
            return file.read(limit)
    except (OSError, ValueError):
        return None


def _chunks(place: str) -> Iterator[bytes]:
    with suppress(OSError), open(place, "rb") as file:
        while block := file.read(1 << 18):
            yield block


def _is_elf(place: str) -> bool:
    try:
        with open(place, "rb", buffering=0) as file:
            return file.read(len(ELF_MAGIC)) == ELF_MAGIC
    except OSError:
        return False


def _first_line(place: str) -> str:
    return (_read(place) or b"").partition(b"\n")[0].decode("utf-8", "replace").strip()

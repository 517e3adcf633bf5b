"""A wheel, read in memory as if it were installed on a host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.model.artifact import Distribution, Problem, Sources
from abicheck.model.names import normalized
from abicheck.read.artifacts import metadata
from abicheck.read.artifacts.archive import Archive
from abicheck.read.artifacts.contents import Contents
from abicheck.read.artifacts.layout import installed_paths

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from abicheck.model.artifact import Scheme
    from abicheck.model.elf import ElfFile
    from abicheck.model.files import FileId
    from abicheck.read.artifacts.kept import Kept

#: The major version of the wheel format that installers know (PEP 427: others are refused).
_WHEEL_VERSION = "1"


def open_wheel(
    path: str, scheme: Scheme, given: str, *, verify: bool = False, kept: Kept | None = None, yanked: str | None = None
) -> Wheel:
    """The wheel at `path` as it would lie on a host whose installer uses `scheme`; `given` names it in messages.

    `verify` compares the hashes in RECORD too, for which all of it is inflated. `kept` holds what was read of wheels before.
    `yanked` is what is known of that (see `Distribution`).
    Raises `TargetError` for what is no wheel, what an installer would refuse, and what is beyond the limits of `archive`.
    """
    archive = Archive(path, given)
    info = _info_directory(archive)
    about = metadata.fields(_required(archive, f"{info}/METADATA"))
    wheel = metadata.fields(_required(archive, f"{info}/WHEEL"))
    name, version, format_ = (
        metadata.first(each, key) for each, key in ((about, "name"), (about, "version"), (wheel, "wheel-version"))
    )
    if not name or not version:
        raise archive.refusal(f"{info}/METADATA names no project and version; fetch it again or ask its maintainers")
    if format_ is None or format_.partition(".")[0] != _WHEEL_VERSION:
        raise archive.refusal(f"it is of wheel format {format_ or 'unknown'}; only version {_WHEEL_VERSION} can be installed")
    commands = metadata.scripts(archive.read(f"{info}/entry_points.txt", metadata.LIMIT) or b"")
    problems = (*(Problem(*each) for each in archive.oddities), *_record_problems(archive, info, verify=verify))
    distribution = Distribution(
        kind="wheel",
        name=normalized(name),
        version=version,
        given=given,
        place=path,
        scheme=scheme,
        files=(),
        binaries=(),
        requires=tuple(about.get("requires-dist", ())),
        requires_python=metadata.first(about, "requires-python"),
        tags=tuple(wheel.get("tag", ())),
        problems=problems,
        yanked=yanked,
    )
    return Wheel(archive, Contents(archive, kept), commands, distribution)


class Wheel:
    """A `Package` in a zip archive: the content of each ELF file is inflated when its facts are asked for, and dropped."""

    def __init__(self, archive: Archive, contents: Contents, commands: frozenset[str], distribution: Distribution) -> None:
        self._archive = archive
        self._contents = contents
        self._commands = commands
        scheme, given = distribution.scheme, distribution.given
        self._places = places = installed_paths(archive.members, scheme, commands, given)
        library = scheme.library + "/"
        self.distribution = distribution._replace(
            files=tuple(sorted(places)),
            binaries=tuple(sorted(place for place, member in places.items() if archive.members[member].is_elf)),
            imports=metadata.import_names(place[len(library) :] for place in places if place.startswith(library)),
        )
        self._files = {place: contents.file(archive.members[name]) for place, name in places.items()}

    def at(self, scheme: Scheme) -> Wheel:
        """The same wheel where another installer puts it; nothing is read twice."""
        if scheme == self.distribution.scheme:
            return self
        return Wheel(self._archive, self._contents, self._commands, self.distribution._replace(scheme=scheme))

    def entries(self) -> Mapping[str, FileId]:
        """All files of the wheel, where they would be on the host."""
        return self._files

    def facts(self, file: FileId) -> ElfFile:
        """The facts of one of `entries`; raises `TargetError` where the archive is damaged there."""
        return self._contents.binary(file.inode).facts

    def opened_names(self, path: str) -> tuple[str, ...]:
        """The names of libraries that stand in a binary which opens some by name; found while its content was at hand."""
        return self._contents.binary(self._files[path].inode).opened

    def sources(self) -> Sources:
        """What its Python code does."""
        library = self.distribution.scheme.library + "/"
        found = self._contents.sources(
            (place[len(library) :], self._places[place])
            for place in self.distribution.files
            if place.endswith(".py") and place.startswith(library)
        )
        return Sources(
            tuple(each._replace(path=library + each.path) for each in found.preloads),
            tuple(each._replace(path=library + each.path) for each in found.guarded),
        )


def _info_directory(archive: Archive) -> str:
    names = {name.partition("/")[0] for name in archive.members if "/" in name}
    found = sorted(name for name in names if name.endswith(".dist-info"))
    if not found:
        raise archive.refusal("no .dist-info directory in it, so no wheel; give a .whl that pip can install")
    if len(found) > 1:
        raise archive.refusal(f"more than one .dist-info directory in it ({', '.join(found)}); no installer takes such a wheel")
    return found[0]


def _required(archive: Archive, name: str) -> bytes:
    data = archive.read(name, metadata.LIMIT)
    if data is None:
        raise archive.refusal(f"{name} is missing in it; no installer takes such a wheel")
    return data


def _record_problems(archive: Archive, info: str, *, verify: bool) -> Iterator[Problem]:
    """Where RECORD and the archive differ."""
    rows = metadata.record(_required(archive, f"{info}/RECORD"))
    for name, member in archive.members.items():
        row = rows.pop(name, None)
        if row is None:
            if name.rpartition("/")[0] != info or name.rpartition("/")[2] not in metadata.UNRECORDED:
                yield Problem("not-in-record", name, "is in the archive and not in RECORD; pip installs it all the same")
        elif row.size not in (None, member.size):
            yield Problem("size", name, f"is {member.size} bytes, {row.size} by RECORD")
        elif verify and row.hash and not metadata.hash_matches(row.hash, archive.chunks(member)):
            yield Problem("hash", name, "has another hash than RECORD says")
    for name in rows:
        if not name.endswith("/"):
            yield Problem("missing", name, "is in RECORD and not in the archive")

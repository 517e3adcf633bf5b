"""uv.lock: what the project's packages lead to, fork by fork (uv's documentation, "Locking and syncing", "Resolution")."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from abicheck.model.lock import GROUP, Link, Lock, LockedPackage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.model.lock import SourceKind
    from abicheck.read.locks.document import Document, Entry

_SOURCES: dict[str, SourceKind] = {
    "registry": "index",
    "url": "url",
    "git": "vcs",
    "path": "path",
    "directory": "path",
    "editable": "path",
    "virtual": "path",
}


def read_uv(document: Document) -> Lock:
    """The packages of a uv.lock; what is installed is what the project's own dependencies lead to, by default without any group.

    The project is the package at `.`, in a workspace without one all members, in the lock of a script its requirements.
    Raises `TargetError`.
    """
    root = document.root()
    manifest = root.table("manifest")
    members = manifest.texts("members")
    packages = tuple(_package(each, members) for each in document.entries("package"))
    own = [each for each in packages if each.source == "project"]
    project = [each for each in own if each.origin == "."] or own
    under = {each.name: list(dict.fromkeys(filter(None, (link.under for link in each.links)))) for each in project}
    roots = [*_links(manifest, "requirements"), *(Link(name) for name in under)]
    roots += [Link(name, extras=(each,), under=each) for name, names in under.items() for each in names]
    asked = [each for name in under for each in _asked(document, name)]
    known = list(dict.fromkeys(each for names in under.values() for each in names))
    return Lock(
        path=document.path,
        format="uv",
        packages=packages,
        roots=tuple(roots),
        requires_python=root.specifier("requires-python"),
        environments=root.markers("supported-markers"),
        constraints=tuple(asked),
        known_groups=tuple(each.removeprefix(GROUP) for each in known if each.startswith(GROUP)),
        known_extras=tuple(each for each in known if not each.startswith(GROUP)),
    )


def _asked(document: Document, project: str) -> Iterator[LockedPackage]:
    """What a project asks for in the pyproject.toml beside the lock, or in its directory of the workspace."""
    for entry in document.entries("package"):
        if entry.name() == project:
            source = entry.table("source")
            where = next(filter(None, map(source.text, ("virtual", "editable"))), ".")
            file = os.path.normpath(os.path.join(os.path.dirname(document.path), where, "pyproject.toml"))
            for each in entry.table("metadata").tables("requires-dist"):
                specifier = each.specifier("specifier") or ""
                extras = each.texts("extras")
                yield LockedPackage(each.name(), None, file, 0, specifier, marker=each.marker("marker"), extras=extras)


def _package(entry: Entry, members: tuple[str, ...]) -> LockedPackage:
    name, source = entry.name(), entry.table("source")
    place = next((each for each in _SOURCES if each in source.values), None)
    if place is None:
        entry.refuse("source", f"must have one of {', '.join(_SOURCES)}")
    origin = source.text(place) or ""
    version = entry.version()
    kind = _SOURCES[place]
    if version is None and kind == "index":
        entry.refuse("version", "is missing")
    links = list(_links(entry, "dependencies"))
    for key, prefix in (("optional-dependencies", ""), ("dev-dependencies", GROUP)):
        optional = entry.table(key)
        for extra in optional.values:
            links += [link._replace(under=prefix + extra) for link in _links(optional, extra)]
    archives = [*entry.tables("wheels"), entry.table("sdist")]
    return LockedPackage(
        name=name,
        version=version,
        file=entry.file,
        line=entry.line,
        specifier=f"=={version}" if version else "",
        hashes=entry.hashes(archives),
        files=entry.files(archives, "filename", "url", "path"),
        source="project" if kind == "path" and (origin == "." or name in members) else kind,
        origin="" if kind == "index" else origin,
        links=tuple(links),
    )


def _links(entry: Entry, key: str) -> Iterator[Link]:
    for each in entry.tables(key):
        version = each.version()
        yield Link(each.name(), f"=={version}" if version else "", each.marker("marker"), each.texts("extra"))

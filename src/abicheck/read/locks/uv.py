"""uv.lock: what the project's packages lead to, fork by fork (uv's documentation, "Locking and syncing", "Resolution")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.model.lock import Link, Lock, LockedPackage

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
    """The packages of a uv.lock; what is installed is what the project's own dependencies lead to, without any group.

    The project is the package at `.`, in a workspace without one all members, in the lock of a script its requirements.
    Raises `TargetError`.
    """
    root = document.root()
    manifest = root.table("manifest")
    members = manifest.texts("members")
    packages = tuple(_package(each, members) for each in document.entries("package"))
    own = [each for each in packages if each.source == "project"]
    project = [each for each in own if each.origin == "."] or own
    roots = [*_links(manifest, "requirements"), *(Link(each.name) for each in project)]
    return Lock(
        path=document.path,
        format="uv",
        packages=packages,
        roots=tuple(roots),
        requires_python=root.specifier("requires-python"),
        environments=root.markers("supported-markers"),
    )


def _package(entry: Entry, members: tuple[str, ...]) -> LockedPackage:
    name, source = entry.name(), entry.table("source")
    key = next((each for each in _SOURCES if each in source.values), None)
    if key is None:
        entry.refuse("source", f"must have one of {', '.join(_SOURCES)}")
    origin = source.text(key) or ""
    version = entry.version()
    kind = _SOURCES[key]
    if version is None and kind == "index":
        entry.refuse("version", "is missing")
    links = list(_links(entry, "dependencies"))
    optional = entry.table("optional-dependencies")
    for extra in optional.values:
        links += [link._replace(under=extra) for link in _links(optional, extra)]
    return LockedPackage(
        name=name,
        version=version,
        file=entry.file,
        line=entry.line,
        specifier=f"=={version}" if version else "",
        hashes=entry.hashes([*entry.tables("wheels"), entry.table("sdist")]),
        source="project" if kind == "path" and (origin == "." or name in members) else kind,
        origin="" if kind == "index" else origin,
        links=tuple(links),
    )


def _links(entry: Entry, key: str) -> Iterator[Link]:
    for each in entry.tables(key):
        version = each.version()
        yield Link(each.name(), f"=={version}" if version else "", each.marker("marker"), each.texts("extra"))

"""Pipfile.lock: sections of packages, each with its markers (pipenv's documentation, "Pipfile & Pipfile.lock")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.model.lock import Lock, LockedPackage

if TYPE_CHECKING:
    from abicheck.model.lock import SourceKind
    from abicheck.read.locks.document import Document, Entry

_ELSEWHERE: dict[str, SourceKind] = {"git": "vcs", "hg": "vcs", "svn": "vcs", "bzr": "vcs", "path": "path", "file": "url"}


def read_pipfile(document: Document) -> Lock:
    """The packages of a Pipfile.lock, of which the section `default` is installed. Raises `TargetError`."""
    root, lines = document.root(), document.json_lines()
    packages = []
    for section in root.values:
        if section != "_meta":
            table = root.table(section)
            packages += [_package(table.table(name).at(lines.get((section, name), 1)), name, section) for name in table.values]
    known = tuple(section for section in root.values if section != "_meta")
    return Lock(path=document.path, format="pipfile", packages=tuple(packages), groups=("default",), known_groups=known)


def _package(entry: Entry, name: str, section: str) -> LockedPackage:
    key = next((each for each in _ELSEWHERE if each in entry.values), None)
    origin = (entry.text(key) or "") if key else ""
    given = (entry.text("version") or "*").strip()
    version = entry.version(value=given[2:]) if given.startswith("==") else None
    loose = entry.specifier("version") if version is None and given != "*" else ""
    return LockedPackage(
        name=entry.name("", name),
        version=version,
        file=entry.file,
        line=entry.line,
        specifier=f"=={version}" if version else loose or "",
        marker=entry.marker("markers"),
        extras=entry.texts("extras"),
        hashes=entry.texts("hashes"),
        source=("project" if origin == "." else _ELSEWHERE[key]) if key else "index",
        origin=origin,
        groups=(section,),
    )

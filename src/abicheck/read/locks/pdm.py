"""pdm.lock: packages that name their groups and, with `inherit_metadata` (pdm's default), their markers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.model.lock import Lock, LockedPackage

if TYPE_CHECKING:
    from abicheck.model.lock import SourceKind
    from abicheck.read.locks.document import Document, Entry

_ELSEWHERE: dict[str, SourceKind] = {"git": "vcs", "hg": "vcs", "svn": "vcs", "bzr": "vcs", "path": "path", "url": "url"}


def read_pdm(document: Document) -> Lock:
    """The packages of a pdm.lock, of which the group `default` is installed. Raises `TargetError`."""
    packages = tuple(map(_package, document.entries("package")))
    groups = tuple(dict.fromkeys(group for each in packages for group in each.groups))  # extras are groups here
    return Lock(path=document.path, format="pdm", packages=packages, groups=("default",), known_groups=groups)


def _package(entry: Entry) -> LockedPackage:
    name, version = entry.name(), entry.version()
    key = next((each for each in _ELSEWHERE if each in entry.values), None)
    origin = (entry.text(key) or "") if key else ""
    if version is None and key is None:
        entry.refuse("version", "is missing")
    return LockedPackage(
        name=name,
        version=version,
        file=entry.file,
        line=entry.line,
        specifier=f"=={version}" if version else "",
        marker=entry.marker("marker"),
        extras=entry.texts("extras"),
        hashes=entry.hashes(entry.tables("files")),
        files=entry.files(entry.tables("files"), "file", "url"),
        source=_ELSEWHERE[key] if key else "index",
        origin=origin,
        requires_python=entry.text("requires_python"),
        groups=entry.texts("groups"),
    )

"""pylock.toml (PEP 751), checked by packaging's own reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.errors import TargetError
from abicheck.model.lock import Lock, LockedPackage

if TYPE_CHECKING:
    from packaging.pylock import Package

    from abicheck.model.lock import SourceKind
    from abicheck.read.locks.document import Document


def read_pylock(document: Document) -> Lock:
    """The packages of a pylock.toml; without extras, with its default groups. Raises `TargetError`."""
    from packaging.pylock import Pylock, PylockValidationError  # noqa: PLC0415 -- costs 20 ms

    entries = document.entries("packages")
    try:
        lock = Pylock.from_dict(document.values)
    except PylockValidationError as error:
        context = error.context or ""
        number = context[len("packages[") :].partition("]")[0] if context.startswith("packages[") else ""
        line = entries[int(number)].line if number.isdigit() and int(number) < len(entries) else 1
        message = f"{context}: {error.message}; make the lock again with its tool"
        raise TargetError(message.removeprefix(": "), f"{document.path}:{line}") from None
    return Lock(
        path=document.path,
        format="pylock",
        packages=tuple(_package(each, document.path, entry.line) for each, entry in zip(lock.packages, entries, strict=True)),
        groups=tuple(lock.default_groups or ()),
        requires_python=str(lock.requires_python) if lock.requires_python is not None else None,
        environments=tuple(map(str, lock.environments or ())),
        known_groups=tuple(lock.dependency_groups or ()),
        known_extras=tuple(lock.extras or ()),
    )


def _package(package: Package, file: str, line: int) -> LockedPackage:
    version = _version(package)
    source, origin = _source(package)
    archives = [*(package.wheels or ()), *([package.sdist] if package.sdist else ())]
    return LockedPackage(
        name=package.name,
        version=version,
        file=file,
        line=line,
        specifier=f"=={version}" if version else "",
        marker=str(package.marker) if package.marker else None,
        hashes=tuple(f"{name}:{value}" for each in archives for name, value in each.hashes.items()),
        files=tuple(each.filename for each in archives),
        source=source,
        origin=origin,
        requires_python=str(package.requires_python) if package.requires_python is not None else None,
    )


def _version(package: Package) -> str | None:
    """The version, which the names of the files tell where it is left out."""
    from packaging.utils import parse_sdist_filename, parse_wheel_filename  # noqa: PLC0415 -- as above

    if package.version is not None:
        return str(package.version)
    if package.wheels:
        return str(parse_wheel_filename(package.wheels[0].filename)[1])
    return str(parse_sdist_filename(package.sdist.filename)[1]) if package.sdist else None


def _source(package: Package) -> tuple[SourceKind, str]:
    """Where it comes from, and the path or address of what comes from no index."""
    if package.vcs is not None:
        return "vcs", package.vcs.url or package.vcs.path or ""
    if package.directory is not None:
        path = package.directory.path
        return ("project" if path == "." else "path"), path
    if package.archive is not None:
        return ("url", package.archive.url) if package.archive.url else ("path", package.archive.path or "")
    return "index", ""

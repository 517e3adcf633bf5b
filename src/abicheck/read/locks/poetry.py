"""poetry.lock, as poetry 1 and poetry 2 write it.

From poetry 2 on (lock-version 2.1) each package names its groups and its marker. Before that only the dependencies between
packages have markers, and what the project itself asks for stands in the pyproject.toml beside the lock alone.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from abicheck.model.lock import GROUP, Link, Lock, LockedPackage
from abicheck.read.locks.document import Document, Entry, read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abicheck.model.lock import SourceKind

_SOURCES: dict[str, SourceKind] = {"git": "vcs", "url": "url", "directory": "path", "file": "path"}
#: The group that holds the project's own dependencies.
_MAIN = "main"


def read_poetry(document: Document) -> Lock:
    """The packages of a poetry.lock, of which the group `main` is installed by default. Raises `TargetError`."""
    entries = document.entries("package")
    metadata = document.root().table("metadata")
    files = metadata.table("files")  # where lock-version 1.x has the hashes
    modern = any("groups" in each.values for each in entries)
    packages = tuple(package for each in entries for package in _packages(each, files))
    roots = None if modern else (*_roots(document, packages), *_extra_roots(document.root().table("extras")))
    return Lock(
        path=document.path,
        format="poetry",
        packages=packages,
        groups=(_MAIN,),
        roots=roots,
        requires_python=_python(metadata),
        known_groups=_known_groups(packages, roots),
        known_extras=tuple(document.root().table("extras").values),
    )


def _python(metadata: Entry) -> str | None:
    """The Pythons that the lock is for, unless they are spelled as only poetry reads them (`^3.9`, `||`)."""
    given = metadata.text("python-versions")
    return metadata.specifier("python-versions") if given and not re.search(r"[|^*]|~(?!=)", given) else None


def _packages(entry: Entry, files: Entry) -> Iterator[LockedPackage]:
    """The package of an entry; one for each group where the groups have markers of their own."""
    name, version = entry.name(), entry.version()
    if version is None:
        entry.refuse("version", "is missing")
    source = entry.table("source")
    kind = _SOURCES.get(source.text("type") or "", "index")
    category = entry.text("category")  # before poetry 1.5
    archives = [*entry.tables("files"), *files.tables(entry.text("name") or "")]
    package = LockedPackage(
        name=name,
        version=version,
        file=entry.file,
        line=entry.line,
        specifier=f"=={version}",
        hashes=entry.hashes(archives),
        files=entry.files(archives, "file"),
        source=kind,
        origin="" if kind == "index" else source.text("url") or "",
        requires_python=entry.text("python-versions"),
        groups=entry.texts("groups") or ((category,) if category else ()),
        optional=entry.flag("optional"),
        links=tuple(_links(entry)),
    )
    if isinstance(entry.values.get("markers"), dict):
        markers = entry.table("markers")
        for group in package.groups:
            yield package._replace(groups=(group,), marker=markers.marker(group))
    else:
        yield package._replace(marker=entry.marker("markers"))


def _links(entry: Entry, key: str = "dependencies") -> Iterator[Link]:
    """The dependencies of a package, or of the project: a constraint, a table, or a list of both for each name."""
    table = entry.table(key)
    for name, value in table.values.items():
        for each in value if isinstance(value, list) else [value]:
            constraint = {"version": each} if isinstance(each, str) else each
            yield _link(table.name("", name), Entry(table.file, table.line, f"{key}.{name}", constraint))


def _link(name: str, entry: Entry) -> Link:
    marker = entry.marker("markers")
    python = entry.text("python")
    if python:
        bounds = [re.fullmatch(r"(<=|>=|==|!=|<|>)\s*([\d.]+)", each.strip()) for each in python.split(",")]
        parts = [f"python_full_version {bound[1]} '{bound[2]}'" for bound in bounds if bound]
        marker = " and ".join([*([f"({marker})"] if marker else []), *parts]) or None
    version = (entry.text("version") or "").strip()
    specifier = f"=={version}" if version[:1].isdigit() else version.strip("*")
    return Link(name, specifier, marker, entry.texts("extras"))


def _roots(document: Document, packages: Sequence[LockedPackage]) -> tuple[Link, ...]:
    """What the project asks for, from the pyproject.toml beside the lock; without one, whatever no other package asks for."""
    path = os.path.join(os.path.dirname(document.path), "pyproject.toml")
    if os.path.isfile(path):
        poetry = Document(path, read_text(path)).root().table("tool").table("poetry")
        asked = poetry.table("dependencies").values
        optional = {name for name, value in asked.items() if isinstance(value, dict) and value.get("optional") is True}
        if asked:
            without = {"python", *optional}
            return (*(link for link in _links(poetry) if link.name not in without), *_group_roots(poetry))
    wanted = {link.name for each in packages for link in each.links}
    return tuple(Link(each.name) for each in packages if each.name not in wanted and not each.optional)


def _group_roots(poetry: Entry) -> Iterator[Link]:
    """What the groups of a pyproject.toml ask for; before poetry 1.2 there was one."""
    yield from (link._replace(under=f"{GROUP}dev") for link in _links(poetry, "dev-dependencies"))
    groups = poetry.table("group")
    for name in groups.values:
        yield from (link._replace(under=GROUP + name) for link in _links(groups.table(name)))


def _extra_roots(extras: Entry) -> Iterator[Link]:
    """What each extra brings, as in `name` or `name (>=1.0)`."""
    for extra in extras.values:
        for given in extras.texts(extra):
            yield Link(extras.name(extra, re.split(r"[\s(\[]", given, maxsplit=1)[0]), under=extra)


def _known_groups(packages: Sequence[LockedPackage], roots: Sequence[Link] | None) -> tuple[str, ...]:
    if roots is None:
        return tuple(dict.fromkeys(group for each in packages for group in each.groups))
    named = (each.under.removeprefix(GROUP) for each in roots if each.under and each.under.startswith(GROUP))
    return tuple(dict.fromkeys((_MAIN, *named)))

"""The errors of a loader as findings: which rule each belongs to, and the words for its page."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from abicheck.judge.rules.subject import install_command

if TYPE_CHECKING:
    from abicheck.judge.rules.subject import Subject
    from abicheck.model.elf import SharedObject
    from abicheck.model.process import LinkMap, LoadedObject, LoadError
    from abicheck.model.report import Finding

#: What musl says of an object that was made for another C library.
_FOREIGN_ON_MUSL = ("library-missing", "symbol-missing", "relocation-unsupported", "static-tls-exhausted")
#: What only an interpreter defines (failures C3): API and private functions, types and exceptions of CPython.
_OF_PYTHON = re.compile(r"_?Py[A-Z_]\w*")


def error_findings(link_map: LinkMap, subject: Subject) -> tuple[Finding, ...]:
    """A finding for each error of a load, the one that the loader reports first."""
    return tuple(_finding(error, link_map, subject) for error in link_map.errors)


def _finding(error: LoadError, link_map: LinkMap, subject: Subject) -> Finding:
    needed_by = _needed_by(error, link_map)
    rule = _rule(error, needed_by, subject)
    return subject.finding(
        rule,
        error.object,
        evidence=(error.text, *error.evidence),
        confidence="certain" if error.certain else "likely",
        name=error.name,
        provider=error.provider,
        needed_by=(needed_by.path or None) if needed_by else None,
        install=install_command(error.name or "", subject.host) if rule == "library-missing" else None,
    )


def _needed_by(error: LoadError, link_map: LinkMap) -> LoadedObject | None:
    """The object that the error comes from: the one that needs a missing library, else the one that is named."""
    wanted = error.name or error.object
    for item in link_map.objects:
        if item.path == error.object or (item.facts.dynamic is not None and wanted in item.facts.dynamic.needed):
            return item
    return None


def _rule(error: LoadError, needed_by: LoadedObject | None, subject: Subject) -> str:
    name = error.name or ""
    if subject.host.libc.kind == "musl" and error.kind in _FOREIGN_ON_MUSL:
        is_loader = posixpath.basename(name).startswith("ld-linux")
        if is_loader or (needed_by is not None and is_built_for_glibc(needed_by.facts)):
            return "glibc-on-musl"
    python = subject.host.python
    if error.kind == "symbol-missing" and python is not None and _OF_PYTHON.fullmatch(name):
        return "interpreter-mismatch"
    return error.kind


def is_built_for_glibc(facts: SharedObject) -> bool:
    """Tell whether an object was linked against glibc: by the versions that it wants, or by what it needs."""
    if any(version.name.startswith("GLIBC_") for need in facts.version_needs for version in need.versions):
        return True
    return facts.dynamic is not None and any(name.startswith(("libc.so.6", "ld-linux")) for name in facts.dynamic.needed)

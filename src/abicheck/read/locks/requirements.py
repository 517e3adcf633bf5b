"""requirements.txt and what `pip freeze` prints, read as pip reads them (pip/_internal/req/req_file.py)."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from abicheck.errors import TargetError
from abicheck.model.lock import Lock, LockedPackage
from abicheck.model.names import normalized
from abicheck.read.locks.document import read_text
from abicheck.read.specifiers import read_requirement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.requirements import Requirement

    from abicheck.model.lock import SourceKind

_COMMENT = re.compile(r"(^|\s+)#.*$")
_INCLUDE = re.compile(r"(-r|--requirement|-c|--constraint)(?:\s*=\s*|\s+|(?<=-[rc]))(\S.*)")
_EDITABLE = re.compile(r"(?:-e|--editable)(?:\s*=\s*|\s+)(\S.*)")
#: Where the options of one requirement begin.
_OPTIONS = re.compile(r"\s+(?=--?[a-z])")
_HASH = re.compile(r"--hash(?:=|\s+)(\S+)")
_VCS = re.compile(r"(?:git|hg|svn|bzr)(?:\+|:)")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_ARCHIVE = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9._-]+)")


class _Line(NamedTuple):
    text: str
    number: int


def read_requirements(path: str) -> Lock:
    """The requirements of a file and of those that it includes.

    Raises:
        TargetError: a file cannot be read or includes itself, or a line is nothing that pip would read.

    """
    reader = _Reader()
    reader.read(path, (), constraint=False)
    return Lock(
        path=path,
        format="requirements",
        packages=tuple(reader.packages),
        constraints=tuple(reader.constraints),
        passed_over=tuple(reader.passed_over),
    )


class _Reader:
    """What was read so far."""

    def __init__(self) -> None:
        self.packages: list[LockedPackage] = []
        self.constraints: list[LockedPackage] = []
        self.passed_over: list[tuple[str, str]] = []
        self._done: set[tuple[str, bool]] = set()

    def read(self, path: str, above: tuple[str, ...], *, constraint: bool) -> None:
        """Read a file that was included by those `above`; one that was read before adds nothing."""
        key = os.path.realpath(path), constraint
        if key in self._done:
            return
        self._done.add(key)
        for line in _lines(read_text(path)):
            include = _INCLUDE.fullmatch(line.text)
            if include:
                self._include(path, line, include, above, constraint=constraint)
            elif line.text.startswith("-") and not _EDITABLE.fullmatch(line.text):
                self.passed_over.append((f"{path}:{line.number}", line.text.split("=")[0].split()[0]))
            elif constraint:
                self.constraints.append(_package(path, line))
            else:
                self.packages.append(_package(path, line))

    def _include(self, path: str, line: _Line, include: re.Match[str], above: tuple[str, ...], *, constraint: bool) -> None:
        place = f"{path}:{line.number}"
        given = include[2].strip().strip("\"'")
        if _URL.match(given):
            raise TargetError(f"includes {given}, which is not fetched; download it, and include the file", place)
        target = os.path.join(os.path.dirname(path), given)
        if "\0" in target:
            raise TargetError("includes a file whose name has a NUL, which no file has; correct the name", place)
        chain = (*above, path)
        if os.path.realpath(target) in map(os.path.realpath, chain):
            raise TargetError(f"the file includes itself ({' -> '.join((*chain, target))}); take the line out", place)
        try:
            self.read(target, chain, constraint=constraint or include[1] in ("-c", "--constraint"))
        except RecursionError:
            raise TargetError("files are included too deeply; include them from fewer files", place) from None
        except TargetError as error:
            if error.subject != target:
                raise
            raise TargetError(f"includes {target}, which {error.message}", place) from None


def _lines(text: str) -> Iterator[_Line]:
    """The lines as pip joins them: after a backslash the next one goes on, comments are left out."""
    pending: list[str] = []
    first = 0
    for number, line in enumerate(text.splitlines(), 1):
        first = first or number
        comment = _COMMENT.match(line)
        part = f" {line}" if comment else line
        if line.endswith("\\") and not comment:
            pending.append(line[:-1])
            continue
        whole = _COMMENT.sub("", "".join([*pending, part])).strip()
        if whole:
            yield _Line(whole, first)
        pending, first = [], 0
    whole = _COMMENT.sub("", "".join(pending)).strip()
    if whole:
        yield _Line(whole, first)


def _package(path: str, line: _Line) -> LockedPackage:
    """The package of a line that is no option."""
    from packaging.requirements import InvalidRequirement  # noqa: PLC0415 -- costs 15 ms

    editable = _EDITABLE.fullmatch(line.text)
    text, *options = _OPTIONS.split(editable[1] if editable else line.text)
    hashes = tuple(_HASH.findall(" ".join(options)))
    if editable or _is_bare(text):
        return _elsewhere(path, line.number, text)
    try:
        requirement = read_requirement(text)
    except (InvalidRequirement, RecursionError) as error:
        reason = (str(error).splitlines() or ["nested too deeply"])[0]
        message = f"{text!r} is no requirement ({reason}); write it as NAME==VERSION"
        raise TargetError(message, f"{path}:{line.number}") from None
    package = _elsewhere(path, line.number, requirement.url) if requirement.url else None
    if package is not None:
        return package._replace(name=normalized(requirement.name), marker=_marker(requirement))
    return LockedPackage(
        name=normalized(requirement.name),
        version=_pinned(requirement),
        file=path,
        line=line.number,
        specifier=str(requirement.specifier),
        marker=_marker(requirement),
        extras=tuple(sorted(requirement.extras)),
        hashes=hashes,
    )


def _marker(requirement: Requirement) -> str | None:
    return str(requirement.marker) if requirement.marker else None


def _pinned(requirement: Requirement) -> str | None:
    """The one version that is named."""
    named = [each for each in requirement.specifier if each.operator in ("==", "===") and not each.version.endswith(".*")]
    return named[0].version if named else None


def _is_bare(text: str) -> bool:
    """Whether a line names a place instead of a project."""
    given = text.partition(";")[0].strip()
    if re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*\s*(\[[^\]]*\])?\s*@", given):
        return False
    return bool(_URL.match(given)) or given.startswith((".", "/", "\\")) or os.sep in given or given.endswith(_ARCHIVE)


def _elsewhere(path: str, number: int, given: str) -> LockedPackage:
    """What comes from a path, an address or a version control system."""
    egg = _EGG.search(given)
    origin = re.split(r"[;\[]", given, maxsplit=1)[0].strip()
    if _VCS.match(origin):
        source: SourceKind = "vcs"
    elif origin.startswith("file:") or not _URL.match(origin):
        source = "project" if origin.removeprefix("file:").rstrip("/") == "." else "path"
    else:
        source = "url"
    return LockedPackage(normalized(egg[1]) if egg else "", None, path, number, source=source, origin=origin)

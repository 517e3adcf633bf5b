"""Where a problem is, told so that nothing in it depends on where the work lies on this machine."""

from __future__ import annotations

import ntpath
import posixpath
import re
import string
from typing import TYPE_CHECKING

from abicheck.report.alerts.alert import Place, Trouble
from abicheck.report.alerts.texts import cut
from abicheck.report.lines import escape

if TYPE_CHECKING:
    from collections.abc import Iterable

    from abicheck.model.report import Artifact, Failure, Finding

_UNRESERVED = frozenset((string.ascii_letters + string.digits + "-._~!$&'()*+,;=@/").encode())
_FILE_AND_LINE = re.compile(r"(?P<file>.+):(?P<line>[1-9][0-9]{0,8})", re.DOTALL)


def address(path: str, base: str) -> str:
    """A path as it is seen from the directory `base`: below it without it, anywhere else in full."""
    if base[1:2] == ":":  # on Windows
        full, root = (ntpath.normpath(each).replace("\\", "/") for each in (ntpath.join(base, path), base))
    else:
        full, root = (posixpath.normpath(each) for each in (posixpath.join(base, path), base))
    return "." if full == root else full.removeprefix(root.rstrip("/") + "/")


def uri(told: str) -> str:
    """An `address` as a URI reference."""
    quoted = "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in _octets(told))
    if told.startswith("/"):
        return f"file://{quoted}"
    return f"file:///{quoted.replace('%3A', ':', 1)}" if _is_full(told) else quoted


def _octets(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")  # a file name in no encoding is what it was (PEP 383)
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def anchor(artifact: Artifact, finding: Finding, base: str) -> tuple[str, ...]:
    """What stays the same of the place, on whichever machine and in whatever order it is found."""
    given = address(artifact.path, base)
    where = posixpath.basename(given) if _is_full(given) else given
    file = parsed(finding.location, base).file if finding.location else ""
    return artifact.name, artifact.version or where, file, member(artifact, finding, base)


def member(artifact: Artifact, finding: Finding, base: str) -> str:
    """The object that the finding is about, from the artifact's own directory where it lies in it."""
    if not _is_full(finding.object):
        return finding.object
    own = posixpath.dirname(address(artifact.path, base)) + "/"
    told = address(finding.object, base)
    return told.removeprefix(own) if _is_full(own) and own != "/" else told


def of_finding(artifact: Artifact, finding: Finding, base: str) -> Place:
    """The line that the finding is about, else the artifact."""
    return parsed(finding.location, base) if finding.location else Place(address(artifact.path, base))


def parsed(location: str, base: str) -> Place:
    """The place that `FILE:LINE` or `FILE` names."""
    named = _FILE_AND_LINE.fullmatch(location)
    return Place(address(named["file"], base), int(named["line"])) if named else Place(address(location, base))


def troubles(failures: Iterable[Failure], base: str) -> list[Trouble]:
    """What could not be judged, with the line of the file that it stands in; `debian:13` is a host and no line."""
    found = []
    for target, message in failures:
        place = parsed(target, base)
        is_line = place.line is not None and "." in posixpath.basename(place.file)
        found.append(Trouble(cut(f"{escape(target)}: {escape(message)}"), place if is_line else None))
    return found


def _is_full(path: str) -> bool:
    return re.match(r"/|[A-Za-z]:[/\\]", path) is not None

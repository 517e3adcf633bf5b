"""Where a problem is, as SARIF spells it: nothing in it depends on where the work lies on this machine."""

from __future__ import annotations

import ntpath
import posixpath
import re
import string
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from abicheck.model.report import Artifact, Finding

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
    return f"file:///{quoted.replace('%3A', ':', 1)}" if re.match("[A-Za-z]:/", told) else quoted


def _octets(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")  # a file name in no encoding is what it was (PEP 383)
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def anchor(artifact: Artifact, finding: Finding, base: str) -> tuple[str, ...]:
    """What stays the same of the place, on whichever machine and in whatever order it is found."""
    given = address(artifact.path, base)
    where = posixpath.basename(given) if _is_full(given) else given
    file, _ = _file_and_line(artifact, finding)
    return (
        artifact.name,
        artifact.version or where,
        address(file, base) if finding.location else "",
        member(artifact, finding, base),
    )


def member(artifact: Artifact, finding: Finding, base: str) -> str:
    """The object that the finding is about, from the artifact's own directory where it lies in it."""
    if not _is_full(finding.object):
        return finding.object
    own = posixpath.dirname(address(artifact.path, base)) + "/"
    told = address(finding.object, base)
    return told.removeprefix(own) if _is_full(own) and own != "/" else told


def location(artifact: Artifact, finding: Finding, base: str) -> tuple[str, int]:
    """The URI of the file that the finding is about, and the line; code scanning shows nothing that has no line."""
    file, line = _file_and_line(artifact, finding)
    return uri(address(file, base)), line


def document(uri_of: str, line: int, name: str) -> dict[str, Any]:
    """A location, `name` being the path of the object in the artifact."""
    return {
        "physicalLocation": {"artifactLocation": {"uri": uri_of}, "region": {"startLine": line}},
        "logicalLocations": [{"name": posixpath.basename(name), "fullyQualifiedName": name, "kind": "module"}],
    }


def _file_and_line(artifact: Artifact, finding: Finding) -> tuple[str, int]:
    named = _FILE_AND_LINE.fullmatch(finding.location or "")
    if named is not None:
        return named["file"], int(named["line"])
    return finding.location or artifact.path, 1


def _is_full(path: str) -> bool:
    return path.startswith("/") or path[1:3] == ":/"

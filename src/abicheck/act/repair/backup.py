"""The backup beside an installed distribution: which bytes of which files were changed, and what stood there before.

It is written first and removed last, so that whatever interrupts a repair, the next run can finish or undo it.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from abicheck.act.repair.edits import inverse, pieces, replacing
from abicheck.errors import TargetError
from abicheck.model.repair import Edit

if TYPE_CHECKING:
    from collections.abc import Sequence

#: In the `.dist-info` directory, and listed in RECORD, so that whoever uninstalls the distribution takes it along.
FILE_NAME = "abicheck-repair.json"
_VERSION = 1
_BLOCK = 1 << 20


class FileChange(NamedTuple):
    """What changes in one file: its path below site-packages, its sha256 before and after, and the target of a symbolic link."""

    path: str
    before: str
    after: str
    edits: tuple[Edit, ...]
    link: str | None = None

    def turned(self) -> FileChange:
        """What undoes it."""
        return FileChange(self.path, self.after, self.before, tuple(inverse(self.edits)), self.link)


class Backup(NamedTuple):
    """What a repair does to an installed distribution, RECORD last. `place` is where this stands, `library` is site-packages."""

    place: str
    library: str
    files: tuple[FileChange, ...]

    def write(self) -> None:
        """Put it beside the distribution. An OSError is the caller's."""
        document = {
            "schema_version": _VERSION,
            "about": "what abicheck repair changed here; undo it with abicheck repair --undo",
            "files": [each._asdict() | {"edits": [_hex(edit) for edit in each.edits]} for each in self.files],
        }
        with replacing(self.place) as file:
            file.write(json.dumps(document, indent=1).encode() + b"\n")

    def pending(self) -> tuple[FileChange, ...]:
        """What is still to be changed. Raises `TargetError` where a file is neither as it was nor as it is to be."""
        return tuple(each for each in self.files if self._is_pending(each))

    def apply(self) -> None:
        """Bring every file to its new state. Raises `TargetError` before anything is touched; an OSError is the caller's."""
        for each in self.pending():
            self._write(each)

    def undo(self) -> None:
        """Bring every file to its old state, byte for byte, and remove this. Raises as `apply` does."""
        turned = [each.turned() for each in reversed(self.files)]
        for each in Backup(self.place, self.library, tuple(turned)).pending():
            if each.link is None or not self._relink(each):
                self._write(each)
        os.unlink(self.place)

    def refuse_read_only(self) -> None:
        """Raise `TargetError` where a directory may not be written to."""
        for directory in sorted({os.path.dirname(self._path(each)) for each in self.files}):
            if not os.access(directory, os.W_OK | os.X_OK):
                raise TargetError("may not be written to; nothing was changed: run this as its owner", directory)

    def _write(self, change: FileChange) -> None:
        path = self._path(change)
        with open(path, "rb") as source, replacing(path) as target:
            digest = sha256()
            for piece in pieces(source, change.edits):
                digest.update(piece)
                target.write(piece)
            if digest.hexdigest() != change.after:
                raise TargetError("has changed while it was read; start again", path)

    def _is_pending(self, change: FileChange) -> bool:
        """Whether the file is still to be changed. Raises `TargetError` where it is neither as before nor as after."""
        path = self._path(change)
        try:
            found = digest_of(path)
        except OSError as error:
            raise TargetError(f"{os.strerror(error.errno or 0)}; reinstall the distribution", path) from None
        if found not in (change.before, change.after):
            raise TargetError(
                f"has changed since it was repaired, so it is left as it is; reinstall, or delete {self.place}", path
            )
        return found != change.after

    def _path(self, change: FileChange) -> str:
        return os.path.join(self.library, *change.path.split("/"))

    def _relink(self, change: FileChange) -> bool:
        """Put a symbolic link back whose target is still what it was."""
        path, temporary = self._path(change), f"{self._path(change)}.{os.getpid()}.tmp"
        assert change.link is not None
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        os.symlink(change.link, temporary)
        with suppress(OSError):
            if digest_of(temporary) == change.after:
                os.replace(temporary, path)
                return True
        os.unlink(temporary)
        return False


def read_backup(info: str) -> Backup | None:
    """The backup in a `.dist-info` directory, None where there is none. Raises `TargetError` for a damaged one."""
    place = os.path.join(info, FILE_NAME)
    try:
        with open(place, encoding="utf-8") as file:
            document = json.load(file)
        if document["schema_version"] != _VERSION:
            raise TargetError("it is of a newer abicheck; use that one", place)
        return Backup(place, os.path.dirname(info), tuple(map(_file_change, document["files"])))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TargetError(f"{os.strerror(error.errno or 0)}; run this as its owner", place) from None
    except (ValueError, LookupError, TypeError):
        raise TargetError("it is damaged, so nothing can be undone by it; reinstall the distribution", place) from None


def file_change(path: str, place: str, before: str, after: str, edits: Sequence[Edit]) -> FileChange:
    """What changes in the file at `place`, whose path below site-packages is `path`."""
    link = os.readlink(place) if os.path.islink(place) else None
    return FileChange(path, before, after, tuple(edits), link)


def digest_of(path: str) -> str:
    """The sha256 of a file. An OSError is the caller's."""
    digest = sha256()
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _hex(edit: Edit) -> dict[str, Any]:
    return {"offset": edit.offset, "old": edit.old.hex(), "new": edit.new.hex()}


def _file_change(entry: dict[str, Any]) -> FileChange:
    path, link = entry["path"], entry["link"]
    if not isinstance(path, str) or re.search(r"(^|/)(\.\.)?(/|$)", path) or not isinstance(link, str | None):
        raise ValueError(path)
    edits = tuple(Edit(int(each["offset"]), bytes.fromhex(each["old"]), bytes.fromhex(each["new"])) for each in entry["edits"])
    return FileChange(path, entry["before"], entry["after"], edits, link)

"""Shared objects repaired where they are installed: what changes in a distribution, then all of it or nothing."""

from __future__ import annotations

import mmap
import os
from contextlib import suppress
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from abicheck.act.repair.backup import FILE_NAME, Backup, digest_of, file_change, read_backup
from abicheck.act.repair.edits import spliced
from abicheck.act.repair.objects import repair_object
from abicheck.act.repair.record import check_listed, new_hash, record_edits
from abicheck.errors import TargetError
from abicheck.model.repair import Edit, Repair
from abicheck.read.artifacts import metadata
from abicheck.read.artifacts.installed import open_installed
from abicheck.read.artifacts.layout import directories_of
from abicheck.read.artifacts.listing import read_file
from abicheck.read.files import FactStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abicheck.act.repair.backup import FileChange
    from abicheck.model.artifact import Distribution, Scheme
    from abicheck.model.repair import Change, RepairState
    from abicheck.read.artifacts.installed import Installed

#: What the system's own package manager looks after.
_SYSTEM = ("/usr/lib/", "/usr/lib64/")
_BLOCK = 1 << 20


def repair_installed(info: str, scheme: Scheme, *, search_path: bool = False, dry_run: bool = False) -> Repair:
    """Repair the distribution whose `.dist-info` directory is `info`, or finish a repair that was interrupted.

    All of its files are changed, or none; hard links and what symbolic links lead to keep what they have. Raises `TargetError`
    for what cannot be repaired, cannot be verified, or may not be written.
    """
    try:
        return _repair(os.path.abspath(info), scheme, search_path=search_path, dry_run=dry_run)
    except OSError as error:
        raise _failed(error, info) from None


def undo_installed(info: str, scheme: Scheme, *, dry_run: bool = False) -> Repair | None:
    """Undo the repair of a distribution byte for byte; None where there is none. `TargetError` where a file changed since."""
    backup = read_backup(os.path.abspath(info))
    if backup is None:
        return None
    distribution = _open(info, scheme).distribution
    try:
        if not dry_run:
            backup.refuse_read_only()
            backup.undo()
    except OSError as error:
        raise _failed(error, info) from None
    return _result(distribution, "undoable" if dry_run else "undone", files=backup.files)


def _repair(info: str, scheme: Scheme, *, search_path: bool, dry_run: bool) -> Repair:
    package, backup = _open(info, scheme), read_backup(info)
    state: RepairState = "repairable" if dry_run else "repaired"
    if backup is not None and backup.pending():
        if not dry_run:
            backup.refuse_read_only()
            backup.apply()
        return _result(package.distribution, state, files=backup.files, backup=backup)
    changes, files = _plan(package, info, search_path=search_path)
    if not files:
        return _result(package.distribution, "nothing-to-do", backup=backup)
    if backup is not None:
        raise TargetError("was repaired before, of something else; undo that first (abicheck repair --undo)", info)
    backup = Backup(os.path.join(info, FILE_NAME), os.path.dirname(info), files)
    if not dry_run:
        backup.refuse_read_only()
        try:
            backup.write()
            backup.apply()
        except BaseException:
            with suppress(Exception):  # the next run finishes or undoes what this one cannot
                backup.undo()
            raise
    return _result(package.distribution, state, changes, files, backup)


def _open(info: str, scheme: Scheme) -> Installed:
    """The distribution where it lies."""
    here = scheme._replace(library=os.path.dirname(os.path.abspath(info)))
    return open_installed(info, here=here, there=here, store=FactStore())


def _plan(package: Installed, info: str, *, search_path: bool) -> tuple[tuple[Change, ...], tuple[FileChange, ...]]:
    """What is to change in its objects, and in all files with RECORD as the last; nothing where nothing needs it."""
    library = os.path.dirname(info)
    record = read_file(os.path.join(info, "RECORD"))
    spelled = partial(_spelled, library)
    rows = {spelled(path): row for path, row in metadata.record(record or b"").items()}
    inside = directories_of(f"/{spelled(place)}" for place in package.distribution.files)
    directories = {each[1:] for each in inside} if search_path else None
    changes: list[Change] = []
    files: list[FileChange] = []
    hashes: dict[str, tuple[str, int]] = {}
    for place in _objects(package, library):
        path = spelled(place)
        with open(place, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) as content:
            found = repair_object(content, path, directories)
            if found:
                _refuse(place, library)
                row = rows.get(path)
                check_listed(path, row and row.hash, _blocks(place))
                hashes[path] = new_hash(row.hash if row else "", content), len(content)
                edits = [change.edit for change in found]
                files.append(file_change(path, place, digest_of(place), sha256(content).hexdigest(), edits))
                changes += found
    if record is not None and files:
        _refuse(os.path.join(info, "RECORD"), library)
        files.append(_record_change(record, info, record_edits(record, hashes, spelled)))
    return tuple(changes), tuple(files)


def _objects(package: Installed, library: str) -> Iterator[str]:
    """Its native code in site-packages; what a symbolic link leads to comes under its own name, if it is there."""
    places = [place for place in package.distribution.binaries if place.startswith(library + os.sep)]
    real = {os.path.realpath(place) for place in places if not os.path.islink(place)}
    return (place for place in places if not os.path.islink(place) or os.path.realpath(place) not in real)


def _record_change(record: bytes, info: str, edits: list[Edit]) -> FileChange:
    """RECORD with the new hashes, and with the backup as its last line."""
    listed = f"{os.path.basename(info)}/{FILE_NAME},,\n".encode()
    edits.append(Edit(len(record), b"", listed if record.endswith(b"\n") or not record else b"\n" + listed))
    before, after = (sha256(content).hexdigest() for content in (record, spliced(record, edits)))
    return file_change(f"{os.path.basename(info)}/RECORD", os.path.join(info, "RECORD"), before, after, edits)


def _refuse(place: str, library: str) -> None:
    """Raise for what belongs to somebody else than the environment."""
    root = os.path.realpath(library) + os.sep
    if root.startswith(_SYSTEM):
        raise TargetError("belongs to the system's package manager; install the distribution in a virtual environment", place)
    if not (os.path.realpath(os.path.dirname(place)) + os.sep).startswith(root):
        raise TargetError("lies behind a link outside of site-packages; repair it where it is", place)


def _spelled(library: str, path: str) -> str:
    """A path of RECORD, or one on this machine, as it is below site-packages."""
    return os.path.relpath(os.path.join(library, path), library).replace(os.sep, "/")


def _blocks(place: str) -> Iterator[bytes]:
    with open(place, "rb") as file:
        while block := file.read(_BLOCK):
            yield block


def _result(
    distribution: Distribution,
    state: RepairState,
    changes: tuple[Change, ...] = (),
    files: Sequence[FileChange] = (),
    backup: Backup | None = None,
) -> Repair:
    return Repair(
        name=distribution.name,
        version=distribution.version,
        kind="distribution",
        path=distribution.place,
        state=state,
        objects=len(distribution.binaries),
        changes=changes,
        files=tuple(each.path for each in files),
        backup=backup and backup.place,
    )


def _failed(error: OSError, info: str) -> TargetError:
    reason = os.strerror(error.errno or 0)
    where = os.fsdecode(error.filename) if error.filename else info
    return TargetError(f"{reason}; nothing was changed: run this as the owner of the environment, or free some space", where)

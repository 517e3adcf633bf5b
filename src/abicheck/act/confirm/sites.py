"""Site-packages directories made of wheels: each wheel is unpacked once, and a directory is its files linked together."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zipfile
from typing import TYPE_CHECKING

from abicheck.act.exec_stack import clear_exec_stack
from abicheck.errors import AbicheckError, PackageIndexError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from abicheck.model.confirm import Remedy
    from abicheck.model.index import Wheel

#: Below the `.data` directory of a wheel, what belongs into site-packages (PEP 427); scripts and headers are not for an import.
_LIBRARIES = ("purelib", "platlib")


def make_site(wheels: Sequence[Wheel], directory: str, remedy: Remedy | None = None) -> str:
    """The site-packages directory with these wheels, made below `directory` if it is not there; it appears when it is whole.

    Everybody may read it, since those who do in a container are nobody here. Raises `AbicheckError` when it cannot be written.
    """
    key = repr((sorted(wheel.sha256 for wheel in wheels), remedy))
    site = os.path.join(directory, "sites", hashlib.blake2b(key.encode(), digest_size=12).hexdigest())

    def fill(work: str) -> None:
        for wheel in wheels:
            _link(_unpacked(wheel, directory), work)
        if remedy == "clear-exec-stack":
            _clear_stacks(work)

    return appear(site, fill)


def _unpacked(wheel: Wheel, directory: str) -> str:
    """The wheel's files as they lie in site-packages."""

    def fill(work: str) -> None:
        with zipfile.ZipFile(wheel.path) as archive:
            archive.extractall(work)
        for name in os.listdir(work):
            if name.endswith(".data"):
                for scheme in _LIBRARIES:
                    source = os.path.join(work, name, scheme)
                    if os.path.isdir(source):
                        shutil.copytree(source, work, dirs_exist_ok=True)
                shutil.rmtree(os.path.join(work, name))

    return appear(os.path.join(directory, "unpacked", wheel.sha256), fill)


def appear(path: str, fill: Callable[[str], None]) -> str:
    """Make the directory `path` by filling another one and renaming it, unless it is there."""
    if os.path.isdir(path):
        return path
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".", dir=os.path.dirname(path)) as temporary:
            work = os.path.join(temporary, "work")
            os.mkdir(work, 0o755)
            fill(work)
            _open_to_all(work)
            try:
                os.rename(work, path)
            except OSError:
                if not os.path.isdir(path):  # else another process was faster
                    raise
    except (OSError, zipfile.BadZipFile) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        message = f"cannot unpack there ({reason}); free some space, or set ABICHECK_CACHE to another directory"
        raise PackageIndexError(message, path) from error
    return path


def _open_to_all(directory: str) -> None:
    """Let everybody read and search what lies in it, whatever this process's umask takes away."""
    for folder, _, names in os.walk(directory):
        os.chmod(folder, 0o755)  # noqa: S103 -- wheels are public
        for name in names:
            path = os.path.join(folder, name)
            mode = os.stat(path).st_mode
            if mode & 0o444 != 0o444:
                os.chmod(path, mode | 0o444)


def _link(source: str, target: str) -> None:
    """Put every file of one directory into another by hard links; of two of one name the first stays."""
    for folder, _, names in os.walk(source):
        place = os.path.join(target, os.path.relpath(folder, source))
        os.makedirs(place, mode=0o755, exist_ok=True)
        for name in names:
            final = os.path.join(place, name)
            if not os.path.exists(final):
                os.link(os.path.join(folder, name), final)


def _clear_stacks(site: str) -> None:
    """Clear the executable flag of PT_GNU_STACK in every shared object that has it, in copies: what is linked stays as it is."""
    cleared = 0
    for folder, _, names in os.walk(site):
        for name in names:
            path = os.path.join(folder, name)
            if ".so" in name:
                cleared += clear_exec_stack(path)
    if not cleared:
        raise AbicheckError("no shared object in it asks for an executable stack; leave out the remedy", site)

"""Bytecode that the first process with some wheels has made, for those after it, which would compile the same again.

A container writes to nothing that outlives it, and roots made of packages come without bytecode. It is kept for one standard
library and one site: Python itself compares only times and sizes of sources, which are alike in roots of different days.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import zipfile
from functools import lru_cache
from typing import NamedTuple

from abicheck.act.confirm.sites import appear
from abicheck.errors import AbicheckError

#: The most that is taken over, in bytes: what a container can hold in its /tmp.
MOST = 256 << 20


class Bytecode(NamedTuple):
    """A directory for `-X pycache_prefix`, and whether it is there yet."""

    path: str
    made: bool


def bytecode_of(directory: str, root: str, python: str, site: str) -> Bytecode | None:
    """That of a site below `directory` for the interpreter `python` in `root`; None where its standard library is elsewhere."""
    library = os.path.join(os.path.dirname(os.path.dirname(python)), "lib", os.path.basename(python))
    digest = _digest(root + library)
    if digest is None:
        return None
    path = os.path.join(directory, "bytecode", f"{os.path.basename(site)}-{digest}")
    return Bytecode(path, os.path.isdir(path))


@lru_cache
def _digest(library: str) -> str | None:
    """A short name for the sources of a standard library."""
    digest = hashlib.blake2b(digest_size=8)
    found = False
    for folder, folders, names in os.walk(library):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            if name.endswith(".py") and os.path.isfile(path):
                with open(path, "rb") as file:
                    digest.update(f"{os.path.relpath(path, library)}\0".encode("utf-8", "surrogateescape") + file.read())
                found = True
    return digest.hexdigest() if found else None


def keep(bytecode: Bytecode, archive: str) -> None:
    """Unpack what the probe sends. Raises `AbicheckError` when it cannot be written."""

    def fill(work: str) -> None:
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(archive))) as packed:
            if sum(member.file_size for member in packed.infolist()) > MOST:
                raise AbicheckError(f"more than {MOST >> 20} MiB of bytecode; is its image to be trusted?", bytecode.path)
            packed.extractall(work)

    appear(bytecode.path, fill)

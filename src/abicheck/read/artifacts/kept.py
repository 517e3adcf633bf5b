"""The facts of wheels that were read before: for a grid, which asks the same wheels again on every host that there is.

Of each wheel there is a list of its ELF files, trusted as long as the wheel is the same file (device, inode, size, times); the
facts of a file are stored once, under the SHA-256 of its content, for all wheels that have it. What cannot be read (damaged, of
another version of abicheck or Python) is as good as absent.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import pickle
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from abicheck.model.artifact import GuardedImport, Preload, Sources
from abicheck.model.elf import Malformed, SharedObject
from abicheck.read.artifacts.contents import Binary, read_binary
from abicheck.read.elf.references import LazyReferences
from abicheck.read.verdicts import code_state

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abicheck.model.files import FileId

_DIGEST = 32
#: What reading and unpacking raises where nothing was kept, or something else than what was looked for.
_ABSENT = (OSError, ValueError, TypeError, AttributeError)


class Kept:
    """Facts below `directory`, as the abicheck of that `version` reads them."""

    def __init__(self, directory: str, version: str) -> None:
        self._directory = os.path.join(directory, "facts")
        self._state = f"{code_state(version, 'model', 'read')} {sys.version}".encode()
        self._binaries: dict[str, Binary] = {}
        self._digests: dict[int, str] = {}

    def binaries(self, wheel: FileId) -> dict[int, Binary] | None:
        """The ELF files of a wheel by their number in the archive; None where they are to be read."""
        with contextlib.suppress(*_ABSENT):
            document = json.loads(self._read(self._name(wheel, "files")))
            return {int(number): self._binary(digest) for number, digest in document.items()}
        return None

    def keep(self, content: Any) -> Binary:
        """The ELF file of this content, kept; read at most once, whatever the number of wheels that have it."""
        digest = hashlib.sha256(content).hexdigest()
        try:
            found = self._binary(digest)
        except _ABSENT:
            found = self._binaries[digest] = read_binary(content)
            self._write(self._of(digest), _pickled(found))
        self._digests[id(found)] = digest
        return found

    def keep_binaries(self, wheel: FileId, binaries: Mapping[int, Binary]) -> None:
        """Keep which ELF files a wheel has, all of which were kept."""
        listed = {number: self._digests[id(binary)] for number, binary in binaries.items()}
        self._write(self._name(wheel, "files"), json.dumps(listed).encode())

    def sources(self, wheel: FileId) -> Sources | None:
        """What the Python code of a wheel does, if that was kept."""
        with contextlib.suppress(*_ABSENT):
            preloads, guarded = json.loads(self._read(self._name(wheel, "sources")))
            return Sources(tuple(Preload(*each) for each in preloads), tuple(GuardedImport(*each) for each in guarded))
        return None

    def keep_sources(self, wheel: FileId, sources: Sources) -> None:
        """Keep what the Python code of a wheel does."""
        self._write(self._name(wheel, "sources"), json.dumps(sources).encode())

    def _binary(self, digest: str) -> Binary:
        """The file of that content. Raises one of `_ABSENT` where it was not kept."""
        found = self._binaries.get(digest)
        if found is None:
            found = self._binaries[digest] = _unpickled_binary(self._read(self._of(digest)))
            self._digests[id(found)] = digest
        return found

    def _of(self, digest: str) -> str:
        return self._named(digest.encode())

    def _name(self, wheel: FileId, what: str) -> str:
        return self._named(f"{tuple(wheel)} {what}".encode())

    def _named(self, key: bytes) -> str:
        return os.path.join(self._directory, hashlib.blake2b(key + b"\0" + self._state, digest_size=16).hexdigest())

    def _read(self, path: str) -> bytes:
        with open(path, "rb") as file:
            data = file.read()
        payload = data[_DIGEST:]
        if hashlib.blake2b(payload, digest_size=_DIGEST).digest() != data[:_DIGEST]:
            raise ValueError(path)
        return payload

    def _write(self, path: str, payload: bytes) -> None:
        """Write under another name and rename; where that fails, the wheel is read again the next time."""
        with contextlib.suppress(OSError):
            os.makedirs(self._directory, mode=0o700, exist_ok=True)
            temporary = f"{path}.{os.getpid()}.{threading.get_ident()}"
            with open(temporary, "wb") as file:
                file.write(hashlib.blake2b(payload, digest_size=_DIGEST).digest() + payload)
            os.replace(temporary, path)


class _Unpickler(pickle.Unpickler):
    """Makes nothing but values of the model and the tables that a reader left in them (Python's docs, "Restricting globals").

    Only classes, and only where they are defined: what a module has imported, and `os.system` by a dotted name, is out of reach.
    """

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith(("abicheck.model.", "abicheck.read.elf.")) and "." not in name:
            found = super().find_class(module, name)
            if isinstance(found, type) and found.__module__ == module:
                return found
        raise pickle.UnpicklingError(f"{module}.{name}")


def _pickled(binary: Binary) -> bytes:
    """A binary as bytes, its references by themselves: they are seldom asked for, and as long to unpickle as all else."""
    facts, references = binary.facts, b""
    if isinstance(facts, SharedObject) and facts.demand is not None:
        references = pickle.dumps(tuple(facts.references), protocol=5)
        facts = facts._replace(references=())
    return pickle.dumps((facts, binary.opened, references), protocol=5)


def _unpickled_binary(payload: bytes) -> Binary:
    facts, opened, references = _unpickled(payload)
    if not isinstance(facts, (SharedObject, Malformed)):
        raise TypeError(facts)
    if isinstance(facts, SharedObject) and references:
        facts = facts._replace(references=LazyReferences(partial(_unpickled, references)))
    return Binary(facts, opened)


def _unpickled(payload: bytes) -> Any:
    try:
        return _Unpickler(io.BytesIO(payload)).load()
    except (pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, TypeError) as error:
        raise ValueError(str(error)) from None

"""The file system of the machine that abicheck runs on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from abicheck.read.files.store import open_errno, opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abicheck.model.elf import ElfFile
    from abicheck.model.files import FileId
    from abicheck.read.files.store import FactStore


class Disk:
    """The `Files` of the machine that abicheck runs on; every answer is remembered for the run."""

    def __init__(self, store: FactStore) -> None:
        self._store = store
        self._answers: dict[str, FileId | int] = {}
        self._paths: dict[FileId, str] = {}

    def stat(self, path: str) -> FileId | int:
        """The file that `open` would lead to, or its errno."""
        answer = self._answers.get(path)
        if answer is None:
            try:
                answer = opened(path, os.stat(path))
            except (OSError, ValueError) as error:
                answer = open_errno(error)
            if not isinstance(answer, int):
                self._paths.setdefault(answer, path)
            self._answers[path] = answer
        return answer

    def facts(self, file: FileId) -> ElfFile:
        """The facts of a file that `stat` returned."""
        return self._store.facts(file, self._paths[file])

    def resolve(self, path: str) -> str:
        """`path` without symbolic links; `path` itself where it leads nowhere."""
        try:
            return os.path.realpath(path, strict=True)
        except (OSError, ValueError):
            return path

    def read(self, path: str, limit: int = -1) -> bytes | None:
        """The first `limit` bytes of a file, or all; None where it cannot be read."""
        if isinstance(self.stat(path), int):
            return None
        try:
            with open(path, "rb") as file:
                return file.read(limit)
        except OSError:
            return None

    def names(self, path: str) -> Sequence[str]:
        """The entries of a directory; none where there is no such directory."""
        return os.listdir(path) if os.path.isdir(path) else ()

    def locate(self, path: str) -> str | None:
        """Where the file `path` lies on this machine, None where it leads nowhere."""
        return None if isinstance(self.stat(path), int) else path

"""What a judgement asked of a file system, so that a stored verdict can be trusted only while all answers stay the same."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abicheck.model.elf import ElfFile
    from abicheck.model.files import FileId, Files

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Trace:
    """Questions and answers: what each path led to, and what links it resolved to."""

    __slots__ = ("opened", "resolved")

    def __init__(self, opened: Mapping[str, FileId | int] = _NOTHING, resolved: Mapping[str, str] = _NOTHING) -> None:
        self.opened = dict(opened)
        self.resolved = dict(resolved)


class Traced:
    """`files`, with every question about names written down in `trace`.

    The facts of a file need no question of their own: they follow from its identity and times, which `stat` gave.
    """

    def __init__(self, files: Files, trace: Trace) -> None:
        self._files = files
        self._trace = trace

    def stat(self, path: str) -> FileId | int:
        """The file that `open` would lead to, or its errno."""
        answer = self._trace.opened[path] = self._files.stat(path)
        return answer

    def facts(self, file: FileId) -> ElfFile:
        """The facts of a file that `stat` returned."""
        return self._files.facts(file)

    def resolve(self, path: str) -> str:
        """`path` without symbolic links; `path` itself where it leads nowhere."""
        answer = self._trace.resolved[path] = self._files.resolve(path)
        return answer

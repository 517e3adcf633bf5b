"""The target Python where the host lacks it, as a layer of its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from abicheck.judge.interpreter import vouched_interpreter
from abicheck.model.files import FileId
from abicheck.read.files import Overlay

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abicheck.model.artifact import Layer
    from abicheck.model.elf import ElfFile
    from abicheck.model.host import Host

#: A device that no file system has.
_NOWHERE = -2


class _AbsentPython(NamedTuple):
    path: str
    program: ElfFile

    def entries(self) -> Mapping[str, FileId]:
        return {self.path: FileId(_NOWHERE, 1, 0, 0, 0)}

    def facts(self, file: FileId) -> ElfFile:  # noqa: ARG002 -- there is but one
        return self.program


def absent_python(host: Host) -> Layer:
    """The program at the path of the host's Python, as the loader would see it."""
    assert host.python is not None
    return _AbsentPython(host.python.path, vouched_interpreter(host))


def with_python(host: Host) -> Host:
    """The host with its Python among its files, also where it has not got it."""
    if host.python is None or host.python.at_hand:
        return host
    return host._replace(files=Overlay(host.files, absent_python(host)))

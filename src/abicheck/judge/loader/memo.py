"""What was found out during loads and need not be found out again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from abicheck.model.elf import SharedObject
    from abicheck.model.process import Process
    from abicheck.model.symbols import Version


class Index(NamedTuple):
    """By which names and files the objects of a process are found, and what each of them needs directly."""

    process: Process
    names: Mapping[str, int]
    files: Mapping[tuple[int, int], int]
    soname_faults: Sequence[int]
    direct: dict[int, tuple[int, ...]]


class Memo:
    """What was found out about files and need not be found out again; it never changes an answer.

    `sound` holds the files that passed all checks that depend on file and host alone, `protected` those whose PT_GNU_RELRO
    did, `versioned` each file with the providers that were seen to define all the versions it needs, `defined` the versions that
    each surely defines. `bound` holds for each
    file the sets of files that were seen to meet all of its demand, and `definers` for each version the files that were seen to
    define these names of it. `indices` are those of processes. All are keyed by identity; `sound` keeps the facts alive, and an
    index its process. One memo serves one host.
    """

    __slots__ = ("bound", "defined", "definers", "indices", "protected", "sound", "versioned")

    def __init__(self) -> None:
        self.sound: dict[int, SharedObject] = {}
        self.protected: set[int] = set()
        self.versioned: set[tuple[int, ...]] = set()
        self.defined: dict[int, frozenset[tuple[int, str]]] = {}
        self.bound: dict[int, list[frozenset[int]]] = {}
        self.definers: dict[Version | None, dict[int, set[str]]] = {}
        self.indices: dict[int, Index] = {}

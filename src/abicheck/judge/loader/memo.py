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
    did, `versioned` each file with the providers that were seen to define all the versions it needs. `bound` holds for each file
    the sets of files that were seen to meet all of its demand. `indices` are those of processes. All are keyed by identity;
    `sound` keeps the facts alive, and an index its process. One memo serves one host.

    What follows from the facts of files alone is shared with the memo `beside`, that of another host, where both last as long:
    `defined` are the versions that each surely defines, and `definers` for each version (and whether an exact one goes first)
    the files that were seen to define these names of it.
    """

    __slots__ = ("bound", "defined", "definers", "indices", "protected", "sound", "versioned")

    def __init__(self, beside: Memo | None = None) -> None:
        self.sound: dict[int, SharedObject] = {}
        self.protected: set[int] = set()
        self.versioned: set[tuple[int, ...]] = set()
        self.bound: dict[int, list[frozenset[int]]] = {}
        self.indices: dict[int, Index] = {}
        self.defined: dict[int, frozenset[tuple[int, str]]] = beside.defined if beside else {}
        self.definers: dict[tuple[Version | None, bool], dict[int, set[str]]] = beside.definers if beside else {}

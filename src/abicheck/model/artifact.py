"""Something to deploy: a wheel or an installed distribution, before any of it is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abicheck.model.elf import ElfFile
    from abicheck.model.files import FileId

DistributionKind: TypeAlias = Literal[
    "wheel",
    "distribution",  # installed
    "directory",  # binaries below a directory, without metadata
    "files",  # binaries given one by one
]

ProblemKind: TypeAlias = Literal[
    "not-in-record",  # a file that the archive or the directory holds and RECORD does not list
    "missing",  # RECORD lists it, and it is not there
    "size",  # another size than RECORD says
    "hash",  # another hash than RECORD says (looked at only on request)
    "no-record",  # there is no RECORD at all
    "duplicate",  # two members of one name: which of them counts depends on the installer
    "header-mismatch",  # the local header of a member names another file or size than the central directory
]


class Scheme(NamedTuple):
    """Where an installer puts things on the host, as absolute paths without a trailing slash (`sysconfig`'s install scheme).

    `library` is purelib and platlib in one (they are the same directory in every CPython on Linux that pip installs into).
    """

    library: str
    scripts: str
    data: str


class Problem(NamedTuple):
    """What is wrong with the packaging of one file: its path as RECORD or the archive spells it, and the rest of the sentence."""

    kind: ProblemKind
    path: str
    detail: str


class Distribution(NamedTuple):
    """What is known of one distribution without reading its code.

    `name` is normalized (PEP 503), `given` is what the user wrote, `place` where it lies on this machine: the wheel, or the
    `.dist-info` directory. `files` are the paths on the host of everything that is (or would be) installed, `binaries` those of
    them that are ELF files; both sorted. `requires` are the Requires-Dist lines as they stand, `tags` the wheel's tags.
    `imports` are the modules at the top of it: names of packages and modules that Python code can import. `yanked` is the reason
    for which its maintainers took the release back on the index that it came from, "" where they gave none (PEP 592).
    """

    kind: DistributionKind
    name: str
    version: str
    given: str
    place: str
    scheme: Scheme
    files: tuple[str, ...]
    binaries: tuple[str, ...]
    imports: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    requires_python: str | None = None
    tags: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    sha256: str | None = None
    yanked: str | None = None


class Preload(NamedTuple):
    """A place in the Python code of a distribution that opens libraries itself on Linux: by `name`, "" where it is computed."""

    name: str
    path: str
    line: int


class GuardedImport(NamedTuple):
    """An import whose failure the code swallows: `module` as the code names it (relative ones with their dots resolved)."""

    module: str
    path: str
    line: int


class Sources(NamedTuple):
    """What the Python code of a distribution does that a loader cannot see."""

    preloads: tuple[Preload, ...] = ()
    guarded: tuple[GuardedImport, ...] = ()


class Layer(Protocol):
    """Files that come on top of those that a host has."""

    def entries(self) -> Mapping[str, FileId]:
        """The files that a host does not have by itself, by their path there; empty for what is installed on it."""

    def facts(self, file: FileId) -> ElfFile:
        """The facts of one of `entries`."""


class Package(Layer, Protocol):
    """A distribution that can be looked into. Everything is read at most once, and only when it is asked for."""

    @property
    def distribution(self) -> Distribution:
        """What is known of it."""

    def sources(self) -> Sources:
        """What its Python code does, read when it matters."""

    def opened_names(self, path: str) -> tuple[str, ...]:
        """The names of libraries that stand in the binary at `path` on the host, one that opens libraries by name."""

"""What an artifact asks of its host: the requirements card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from abicheck.model.artifact import DistributionKind
    from abicheck.model.host import Arch, LibcKind
    from abicheck.model.report import Failure, Tool, Window
    from abicheck.model.wasm import ModuleCard


class Use(NamedTuple):
    """Who needs a version: the object, and the symbols of this version that its relocations name.

    Without symbols the need stands in the object's table of versions (DT_VERNEED) alone, and the loader checks that all the same:
    no relocation names such a symbol, or other objects of the artifact define them all.
    """

    object: str
    symbols: tuple[str, ...] = ()


class Node(NamedTuple):
    """A version that is asked of a library of the host: `GLIBC_2.28` is number (2, 28) of the family `GLIBC`.

    Names without a number (`GLIBC_PRIVATE`, `GLIBC_ABI_DT_RELR`) are a family each, with the number ().
    """

    library: str
    name: str
    family: str
    number: tuple[int, ...]
    uses: tuple[Use, ...]


class HostLibrary(NamedTuple):
    """A library that the artifact does not bring: its soname, who needs it, and the versions asked of it.

    `nodes` holds the newest of each family, in C libraries also whatever is newer than the wheel's tag promises, and all of them
    where that was asked for; in each family the newest comes first.
    """

    name: str
    needed_by: tuple[str, ...]
    nodes: tuple[Node, ...]


TraitKind: TypeAlias = Literal[
    "relative-relocations",  # DT_RELR, which glibc before 2.36 does not apply
    "marker",  # a GLIBC_ABI_* version: `value` names it; without `glibc_min` it is one that no known glibc has
    "private-symbols",  # GLIBC_PRIVATE: what stands behind it may change with every build of glibc
    "alignment",  # p_align that does not fit a page, which glibc before 2.35 refuses
    "executable-stack",  # PT_GNU_STACK asks for one, or is missing where that counts as asking
    "isa-level",  # the x86-64 level in `value` (`x86-64-v3`), which glibc checks from 2.33 on
    "text-relocations",  # code is written to while it is relocated, which SELinux and the like may forbid
    "static-tls",  # relocations that take static TLS; `value`: bytes of thread-local variables in these objects
    "kernel",  # the oldest Linux in `value` (.note.ABI-tag), which glibc checks up to 2.35
    "page-size",  # pages larger than `value` bytes (at most 65536) are too large for the layout of the segments
]


class Trait(NamedTuple):
    """Something about objects that a host must put up with; `glibc_min` and `glibc_max` are what it does to the window."""

    kind: TraitKind
    objects: tuple[str, ...]
    value: str | None = None
    glibc_min: str | None = None
    glibc_max: str | None = None


class PythonNeed(NamedTuple):
    """Which Pythons it is for: from the wheel's tags, else from the file names of its extensions.

    `versions` as in `3.12` (`3.13t`: free-threaded), with `or_newer` all from the first one on; none where nothing restricts it
    or nothing tells. `tags` are the wheel's tags without the platform, `extensions` what the names of extensions say (`cp312`,
    `abi3`), `requires` is Requires-Python.
    """

    versions: tuple[str, ...] = ()
    or_newer: bool = False
    tags: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    requires: str | None = None


class Opened(NamedTuple):
    """A library that code opens by name at run time, if it comes to that: who holds the name, is it in the artifact."""

    name: str
    objects: tuple[str, ...]
    bundled: bool


class Gpu(NamedTuple):
    """What needed and opened libraries say about the GPU: major versions, as in CUDA `12`, and whether libcuda is among them."""

    cuda: tuple[str, ...] = ()
    cudnn: tuple[str, ...] = ()
    driver: bool = False
    libraries: tuple[str, ...] = ()


class Requirements(NamedTuple):
    """What the code of an artifact for one machine asks of its host, to be loaded with default settings.

    All of it is about the objects that the roots reach through what they need. `apart` are the objects that no root reaches
    (opened by name at most), with a window of their own. `libc` are the C libraries that the objects are made for, none where
    they ask for neither. `window` is None where they ask nothing of glibc because they are made for musl. `promised` is the
    lowest glibc that the wheel's platform tags stand for.
    """

    arch: Arch
    libc: tuple[LibcKind, ...]
    window: Window | None
    roots: tuple[str, ...]
    objects: tuple[str, ...]
    libraries: tuple[HostLibrary, ...]
    traits: tuple[Trait, ...]
    python: PythonNeed
    opened: tuple[Opened, ...] = ()
    gpu: Gpu = Gpu()
    promised: str | None = None
    apart: tuple[str, ...] = ()
    apart_window: Window | None = None


class Card(NamedTuple):
    """The requirements of an artifact's code for one machine: its name and version (None where it has none), and what was given.

    `passed_over` are the ELF files that no loader of that machine would take, each with the reason.
    """

    name: str
    version: str | None
    kind: DistributionKind
    path: str
    requirements: Requirements
    passed_over: tuple[tuple[str, str], ...] = ()


class CardReport(NamedTuple):
    """The cards of a run, those of WebAssembly modules apart, and what could not be read."""

    tool: Tool
    cards: tuple[Card, ...]
    errors: tuple[Failure, ...] = ()
    modules: tuple[ModuleCard, ...] = ()

    @property
    def exit_code(self) -> int:
        """4 where something could not be read, else 0."""
        return 4 if self.errors else 0

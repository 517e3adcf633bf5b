"""A machine as the dynamic loader sees it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abicheck.model.files import Files

Arch: TypeAlias = Literal["x86_64", "aarch64"]
LibcKind: TypeAlias = Literal["glibc", "musl"]
HostKind: TypeAlias = Literal["local", "rootfs", "image", "distribution", "profile", "collected"]


class Libc(NamedTuple):
    """The C library that is also the loader. `version` is (2, 41) for glibc 2.41 and (1, 2, 5) for musl 1.2.5."""

    kind: LibcKind
    version: tuple[int, ...]

    def __str__(self) -> str:
        """As in `glibc 2.41`."""
        return f"{self.kind} {'.'.join(map(str, self.version))}"


class LoaderConfig(NamedTuple):
    """What is built into a host's own loader, or configured for it.

    `path` is the loader's path in this host's file system (as PT_INTERP of its programs names it). `system_dirs` are the built-in
    directories in their order, each with a trailing slash; `lib` is what `$LIB` becomes and `platform` what `$PLATFORM` does.
    `hwcap_subdirs` are the subdirectories (each with a trailing slash, best first) that are tried in every searched directory
    before the directory itself. `cache` maps a name to the paths that ld.so.cache gives for it, best first, with those that this
    CPU or kernel cannot take left out; None where there is no valid cache. `min_kernel` is the oldest kernel that the loader
    accepts. `vendor` is who built the C library, as its banner says (`Debian`, `Ubuntu`, ...): some patch the order of checks.
    `tunables` are the names that GLIBC_TUNABLES may set there (None: not known, so those of the version): some are backported.
    `preload` are the names in /etc/ld.so.preload. `execstack_tunable_max` is the largest value that glibc.rtld.execstack takes
    (0: no such tunable).
    """

    path: str
    system_dirs: tuple[str, ...]
    lib: str = "lib"
    platform: str = ""
    hwcap_subdirs: tuple[str, ...] = ()
    cache: Mapping[str, tuple[str, ...]] | None = None
    min_kernel: tuple[int, int, int] = (3, 2, 0)
    execstack_tunable_max: int = 0
    tunables: frozenset[str] | None = None
    vendor: str = ""
    preload: tuple[str, ...] = ()


class Policy(NamedTuple):
    """What the system forbids the loader, each as the errno of the refused call (0: allowed).

    `exec_stack`: mprotect of the stack to executable (SELinux, MDWE, seccomp). `text_relocation`: mprotect of text to writable.
    `exec_mapping`: mount points below which no file may be mapped executable (noexec), each with its errno, the longest first;
    0 marks a mount below such a one that allows it.
    """

    exec_stack: int = 0
    text_relocation: int = 0
    exec_mapping: tuple[tuple[str, int], ...] = ()

    def exec_mapping_errno(self, path: str) -> int:
        """The errno of mapping the file `path`, a path without links, executable; 0 where that is allowed."""
        below = (errno for point, errno in self.exec_mapping if path.startswith(point.rstrip("/") + "/"))
        return next(below, 0)


class Interpreter(NamedTuple):
    """A Python of the host: the executable's path there, links not resolved, and its version if it could be told.

    `at_hand` is false for one that the host does not have, and that is taken to be put at `path`. `free_threaded` is for a build
    without the GIL, whose extensions bear a `t` in their suffix (PEP 703).
    """

    path: str
    version: tuple[int, int] | None = None
    at_hand: bool = True
    free_threaded: bool = False


class Assumption(NamedTuple):
    """A fact that this kind of host cannot hold and that was assumed, as `selinux`, `off`."""

    fact: str
    value: str


class Host(NamedTuple):
    """A machine as the loader sees it.

    `environment` holds only what the loader reads (LD_LIBRARY_PATH, LD_PRELOAD, LD_BIND_NOW, GLIBC_TUNABLES, ...). `kernel` is
    the running kernel's version. `isa_level` is the highest x86-64 level of the CPU (1 to 4), 0 on other machines;
    `protection_keys` tells whether it keeps memory that can only be executed from being read.
    `page_size` and `memory` (RAM and swap, which bounds one private mapping) are in bytes. `cwd` is what relative search paths
    start from. `uncertain` are the names of libraries of which it is not known whether they are there (`*`: all that are not),
    `unread` are libraries that it has and of which no file was read. With `any_python` people bring the Python that they want.
    """

    name: str
    kind: HostKind
    arch: Arch
    libc: Libc
    files: Files
    loader: LoaderConfig
    kernel: tuple[int, int, int] = (6, 1, 0)
    page_size: int = 4096
    memory: int = 1 << 34
    isa_level: int = 0
    protection_keys: bool = False
    environment: Mapping[str, str] = MappingProxyType({})
    policy: Policy = Policy()
    python: Interpreter | None = None
    cwd: str = "/"
    assumptions: tuple[Assumption, ...] = ()
    uncertain: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()
    any_python: bool = False


class KnownHost(NamedTuple):
    """A distribution or image that abicheck knows: `python` is its own, `level` the x86-64 level that it needs.

    `end_of_life` and `extended` (paid or by volunteers) are dates or empty. `sources` says of each fact where it is from; G there
    means general knowledge that was not verified.
    """

    name: str
    libc: str
    python: str | None
    arches: tuple[str, ...]
    level: int
    end_of_life: str
    extended: str
    image: str
    sources: tuple[tuple[str, str], ...]

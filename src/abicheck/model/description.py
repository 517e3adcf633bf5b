"""A host in plain values: every fact of it that decides verdicts, ready to be printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from abicheck.model.host import Arch, Assumption, HostKind, LibcKind
    from abicheck.model.report import Report, Tool

CacheState: TypeAlias = Literal[
    "valid",
    "invalid",  # it is there, and the loader ignores it
    "absent",
    "unused",  # musl knows none
]

#: What becomes of a library that asks dlopen for an executable stack.
StackRule: TypeAlias = Literal[
    "allowed",  # it loads, and every stack of the process becomes executable
    "refused",  # by the C library, whatever the system allows
    "denied",  # by the system
    "ignored",  # musl looks at no PT_GNU_STACK
]


class LibcFacts(NamedTuple):
    """The C library. `vendor` is who built it as its banner says, empty where it says nothing.

    `min_kernel` is the kernel that it was built for (None: it does not say), `markers` are its version nodes without symbols that
    tell what its loader can do (GLIBC_ABI_*).
    """

    kind: LibcKind
    version: str
    vendor: str
    min_kernel: str | None
    markers: tuple[str, ...]


class LoaderFacts(NamedTuple):
    """The loader: as in `abicheck.model.host.LoaderConfig`; `cache_names` is how many names a valid ld.so.cache knows."""

    path: str
    system_dirs: tuple[str, ...]
    lib: str
    platform: str
    hwcap_subdirs: tuple[str, ...]
    cache: CacheState
    cache_names: int
    preload: tuple[str, ...]
    tunables: tuple[str, ...]
    execstack_tunable_max: int


class MachineFacts(NamedTuple):
    """The kernel and the hardware. Sizes are in bytes; `memory` is None where the kernel does not bound a mapping.

    `isa_level` is the CPU's x86-64 level, 0 on other machines. `protection_keys` as in `abicheck.model.host.Host`.
    """

    kernel: str
    page_size: int
    memory: int | None
    isa_level: int
    protection_keys: bool


class PolicyFacts(NamedTuple):
    """What may be done: the errno's text where it may not.

    `exec_stack` is what dlopen makes of all that, `exec_stack_errno` what the system alone says. Below `noexec_mounts` nothing
    can be mapped executable, but for what lies below one of `exec_mounts`.
    """

    exec_stack: StackRule
    exec_stack_errno: str | None
    text_relocation_errno: str | None
    noexec_mounts: tuple[str, ...]
    exec_mounts: tuple[str, ...]


class PythonFacts(NamedTuple):
    """The target Python, and a process of it that has just started.

    `real_path` is its path with links resolved, `libpython` the library that holds the interpreter (None: the program itself
    does). `objects` are the paths of the libraries of the process in load order. `problem` is what its start would say if it
    failed. `static_tls_left` is in bytes, and what TLS descriptors may take of it `static_tls_optional`; both None where the C
    library keeps none for later (musl).
    """

    path: str
    real_path: str
    version: str | None
    free_threaded: bool
    libpython: str | None
    problem: str | None
    objects: tuple[str, ...]
    stack_executable: bool
    static_tls_left: int | None
    static_tls_optional: int | None


class LibraryFacts(NamedTuple):
    """A library that wheels take from the host: where the loader finds it (None: nowhere), and its newest version nodes.

    `problem` is what loading it by its name would say if that failed.
    """

    name: str
    path: str | None
    newest: tuple[str, ...]
    problem: str | None


class Difference(NamedTuple):
    """A version node of one library whose symbols are not those of the table; `explanation` is None where that is not normal."""

    library: str
    node: str
    lacks: tuple[str, ...]
    adds: tuple[str, ...]
    explanation: str | None


class SelfCheck(NamedTuple):
    """The host's C library beside the built-in table: how many `symbols` of the table its `libraries` were asked for.

    `absent` are those of the table that the host does not have.
    """

    libraries: tuple[str, ...]
    absent: tuple[str, ...]
    symbols: int
    differences: tuple[Difference, ...]


class Description(NamedTuple):
    """All that decides verdicts on one host.

    `environment` are the variables that the loader reads and that are set. `python` is None where there is none, for the reason
    `no_python`; `self_check` where there is no table for the C library.
    """

    tool: Tool
    name: str
    kind: HostKind
    arch: Arch
    libc: LibcFacts
    loader: LoaderFacts
    machine: MachineFacts
    policy: PolicyFacts
    environment: tuple[tuple[str, str], ...]
    python: PythonFacts | None
    no_python: str | None
    libraries: tuple[LibraryFacts, ...]
    assumptions: tuple[Assumption, ...]
    self_check: SelfCheck | None


class SystemFacts(NamedTuple):
    """What maintainers ask about this machine besides, which decides no verdict; None where it is not told.

    `distribution` is the PRETTY_NAME of os-release, `container` what kind of container this process runs in, `environment` what
    kind of environment its Python is of, `driver` the version of NVIDIA's kernel module.
    """

    distribution: str | None
    container: str | None
    environment: str | None
    driver: str | None


class HostReport(NamedTuple):
    """All that a maintainer needs to know of the machine on which something does not load, and what `check` says there."""

    host: Description
    system: SystemFacts
    report: Report

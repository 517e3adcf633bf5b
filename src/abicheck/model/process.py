"""A process as its loader keeps it, and what one load did to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from abicheck.model.elf import SharedObject
    from abicheck.model.files import FileId

#: How a name led to an object.
Found: TypeAlias = Literal[
    "path",  # the name holds a slash: opened as it stands
    "loaded-name",  # an object already loaded bears the name (as asked for before, or as its soname)
    "loaded-file",  # the file found is the one of an object already loaded
    "rpath",  # DT_RPATH of `Search.owner`
    "runpath",  # DT_RUNPATH of `Search.owner`
    "ld-library-path",
    "cache",  # ld.so.cache
    "system",  # a directory built into the loader (musl: its path file or built-in path)
    "preload",  # LD_PRELOAD or ld.so.preload
    "program",  # the main program
    "interpreter",  # the loader itself, named by PT_INTERP
    "built-in",  # musl: a reserved name, provided by the C library itself
]


class Attempt(NamedTuple):
    """One path that a search tried: how it came to it and why it went on (`No such file or directory`, `other machine`, ...)."""

    path: str
    found: Found
    outcome: str


class Search(NamedTuple):
    """How an object was found: `owner` is the path of the object whose RPATH or RUNPATH led there, `tried` what came before."""

    found: Found
    owner: str | None = None
    tried: tuple[Attempt, ...] = ()


#: What an object has taken of the static TLS: None (nothing), or its offset in bytes.
TlsOffset: TypeAlias = "int | None"


class LoadedObject(NamedTuple):
    """One object in a process. Other objects are named by their index in `Process.objects`.

    `path` is `l_name`, the spelling that texts use ("" for the main program); `names` are the names by which it was asked for so
    far. `origin` is the directory that `$ORIGIN` stands for. `loader` is the object that caused it to be loaded. `dependencies`
    is `l_initfini`: the object itself, then its direct dependencies or, for a root, its whole sorted closure; empty while not
    known. `searchlist` is the breadth-first closure of an object that was opened directly.
    """

    path: str
    names: tuple[str, ...]
    file: FileId | None
    facts: SharedObject
    origin: str | None
    search: Search
    kind: Literal["executable", "library", "loaded"]
    loader: int | None = None
    needed: tuple[str, ...] = ()
    dependencies: tuple[int, ...] = ()
    searchlist: tuple[int, ...] | None = None
    soname_added: bool = False
    relocated: bool = True
    tls_offset: TlsOffset = None


class StaticTls(NamedTuple):
    """The static TLS block, in bytes: `size` and `used` as in `dl_tls_static_size` (less the thread's own block) and `_used`.

    `align` is the block's alignment, `optional` what TLS descriptors may still take.
    """

    size: int
    used: int
    align: int
    optional: int


class Process(NamedTuple):
    """What is loaded. `objects` stand in load order, the main program first; `global_scope` holds indices into it."""

    objects: tuple[LoadedObject, ...]
    global_scope: tuple[int, ...]
    tls: StaticTls
    stack_executable: bool = False


#: The rule that a loader error belongs to.
ErrorKind: TypeAlias = Literal[
    "library-missing",
    "version-missing",
    "symbol-missing",
    "exec-stack-refused",
    "exec-stack-denied",
    "isa-level-too-low",
    "page-size-mismatch",
    "static-tls-exhausted",
    "wrong-machine",
    "wrong-class",
    "not-elf",
    "truncated-file",
    "malformed-file",
    "not-a-library",
    "relr-unsupported",
    "relocation-unsupported",
    "kernel-too-old",
    "unversioned-provider",
    "exec-mapping-denied",
    "text-relocation-denied",
    "inconsistent-dependencies",
]


class LoadError(NamedTuple):
    """One thing that stops the load.

    `text` is what dlerror says, or `signal: SIGBUS` when the process dies, or `exit 127: TEXT` when the loader gives up itself
    (an assertion's line number is written `*`). `object` is the path of the object that the error is about, `name` the library,
    version or symbol that is missed, `provider` the object that a version is missed in. `certain` is false where the text or
    condition is from source and not from a run.
    """

    kind: ErrorKind
    text: str
    object: str
    name: str | None = None
    evidence: tuple[str, ...] = ()
    certain: bool = True
    provider: str | None = None


class Missing(NamedTuple):
    """A fact that the host should hold and does not, and that could change the verdict."""

    fact: str
    reason: str


class LinkMap(NamedTuple):
    """What one load brought: the objects it added, in load order, and all errors, the one that the loader reports first.

    `scope` is the order in which symbols are looked up for the new objects: indices into `process.objects`, global scope first,
    then the local one. `process` is the process with the new objects in it, whether the load succeeded or not.
    """

    name: str
    objects: tuple[LoadedObject, ...]
    errors: tuple[LoadError, ...]
    missing: tuple[Missing, ...]
    scope: tuple[int, ...]
    process: Process
    references: int = 0

    @property
    def predicted(self) -> str | None:
        """The text of the first error, None when it loads."""
        return self.errors[0].text if self.errors else None


class Binding(NamedTuple):
    """What one reference bound to: `provider` is None where nothing in the scope defines the symbol."""

    referrer: str
    symbol: str
    version: str | None
    weak: bool
    provider: str | None
    provider_version: str | None
    searched: tuple[str, ...]

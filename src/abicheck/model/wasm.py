"""WebAssembly: what a module asks for, and what a runtime offers."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Bytes of one page of memory.
PAGE = 1 << 16

ExternKind: TypeAlias = Literal["function", "table", "memory", "global", "tag"]

DefectKind: TypeAlias = Literal[
    "empty",
    "pointer",  # a text of Git LFS that stands for the file
    "other-file",  # it does not begin as a module does: a page of HTML, an archive, another version of the format
    "truncated",  # a section promises more than there is
    "malformed",  # something inside contradicts itself
]

UseForm: TypeAlias = Literal["instruction", "type", "limits", "section", "global", "signature"]


class Limits(NamedTuple):
    """The size of a memory (in pages of 64 KiB) or of a table (in elements); `maximum` None: as large as the runtime allows.

    `address64` is for one that 64-bit addresses lead into.
    """

    initial: int
    maximum: int | None = None
    shared: bool = False
    address64: bool = False


class Extern(NamedTuple):
    """Something that a module imports or exports: `module` is None for an export.

    What an import must be is known: `types` are the results of a function, the elements of a table, the value of a global or the
    parameters of a tag, each by its name in the text format; `limits` are those of a memory or table.
    """

    kind: ExternKind
    name: str
    module: str | None = None
    types: tuple[str, ...] = ()
    limits: Limits | None = None
    mutable: bool = False


class Use(NamedTuple):
    """The first place in a module that needs a feature of the table of runtimes.

    `offset` is in bytes, `form` what stands there, `function` the index of the function whose code it is in (None: in none).
    """

    feature: str
    offset: int
    form: UseForm
    function: int | None = None


class Module(NamedTuple):
    """The facts of one module.

    `memories` and `tables` are the imported ones, then its own. `uses` are the features without which an engine rejects it, each
    once. `unknown` describes what no feature of the table explains (an instruction of a newer proposal), None where there is
    none. `producers` (of fields such as `language`), `target_features` and `name` are what custom sections say, if there are any.
    """

    size: int
    imports: tuple[Extern, ...] = ()
    exports: tuple[Extern, ...] = ()
    memories: tuple[Limits, ...] = ()
    tables: tuple[Limits, ...] = ()
    uses: tuple[Use, ...] = ()
    unknown: str | None = None
    producers: tuple[tuple[str, tuple[str, ...]], ...] = ()
    target_features: tuple[str, ...] = ()
    name: str | None = None


class Damaged(NamedTuple):
    """What should be a module and is none: `detail` says how, in a sentence.

    `text` is what V8 says of it behind the name of the function that was called, and `older_text` what V8 said before it told
    the lengths of sections; None where that is not known. `uses` are those of features that stand before the damage: an engine
    without one of them may complain about that first.
    """

    kind: DefectKind
    detail: str
    text: str | None = None
    older_text: str | None = None
    uses: tuple[Use, ...] = ()


#: What was found in a file.
WasmFile: TypeAlias = "Module | Damaged"


class Feature(NamedTuple):
    """A feature of the table: `title` in words, `build` the option with which a compiler does without it.

    Where one is missing that is not `loading`, the module loads all the same, and what uses the feature fails later.
    """

    title: str
    build: str | None = None
    loading: bool = True


class Family(NamedTuple):
    """All releases of one runtime.

    `since` tells from which version it has a feature; it has none of those that are missing. `newest` is the newest version that
    the table knows. `isolated_since` is the first version that gives shared memory to isolated pages only, None for a runtime
    without pages; `unisolated` is what another page is told that hands such memory to a worker. `texts` is what the runtime says
    before `texts_until` where a feature is missing, by feature and form of the use (`simd-instruction`), and
    `section_lengths_since` the first version that tells the length of a section that is cut; all of these are there only where
    texts are known.
    """

    name: str
    title: str
    newest: tuple[int, ...]
    since: Mapping[str, tuple[int, ...]]
    isolated_since: tuple[int, ...] | None = None
    unisolated: str | None = None
    texts: Mapping[str, str] = MappingProxyType({})
    texts_until: tuple[int, ...] = ()
    section_lengths_since: tuple[int, ...] | None = None


class Runtime(NamedTuple):
    """One release of a runtime: `version` as it was given, so that `16` is any 16.x. `families` are all that the table has.

    `table` is the date of what is known. `isolated` tells whether the page is cross-origin isolated (None: not known).
    """

    name: str
    family: Family
    version: tuple[int, ...]
    features: Mapping[str, Feature]
    families: tuple[Family, ...]
    table: str
    isolated: bool | None = None

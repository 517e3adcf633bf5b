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

    @property
    def spelled(self) -> str:
        """The size of a memory: `16 MiB, at most 2,048 MiB, shared`."""
        parts = [_mebibytes(self.initial)]
        if self.maximum is not None:
            parts.append("which cannot grow" if self.maximum == self.initial else f"at most {_mebibytes(self.maximum)}")
        parts += ["shared"] if self.shared else []
        parts += ["64-bit"] if self.address64 else []
        return ", ".join(parts)


def _mebibytes(pages: int) -> str:
    number = pages * PAGE / (1 << 20)
    return f"{number:,.0f} MiB" if number == int(number) else f"{pages * PAGE >> 10:,} KiB"


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


class Glue(NamedTuple):
    """What the script around a module has to do with it, as far as that can be read from the script.

    `offers` are the objects that it instantiates modules with: by the name of each namespace the names in it, None where not all
    of them are known. `asks` are the objects that it takes for the exports of an instance: the names that it takes from each,
    those left out for which it is prepared not to be there. `files` are the files of modules that it names, `workers` the
    scripts that it starts workers with.
    """

    offers: tuple[Mapping[str, frozenset[str] | None], ...] = ()
    asks: tuple[frozenset[str], ...] = ()
    files: tuple[str, ...] = ()
    workers: tuple[str, ...] = ()


#: What was found in a file.
WasmFile: TypeAlias = "Module | Damaged"


class Deployed(NamedTuple):
    """A module, or a script with its modules: the path that each comes from, its SHA-256, and what it is.

    `glue` is there for a script that could be read, `unread` says why it could not. `absent` are the paths of scripts for
    workers that it names and that are not there.
    """

    modules: tuple[tuple[str, str, WasmFile], ...]
    glue: Glue | None = None
    unread: str = ""
    absent: tuple[str, ...] = ()


class Served(NamedTuple):
    """What a server sends with a page, or with the script of a worker, at `url`.

    `is_secure` where browsers trust the origin (https, or this machine). `opener` and `embedder` are the tokens of
    Cross-Origin-Opener-Policy and Cross-Origin-Embedder-Policy, None where it sends none.
    """

    url: str
    is_page: bool
    is_secure: bool = True
    opener: str | None = None
    embedder: str | None = None


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
    without pages; `credentialless_since` the first for which that policy isolates a page, too, and
    `unisolated` what another page is told that hands such memory to a worker.

    What it says is there only where it is known: `texts` before `texts_until` where a feature is missing, by feature and form
    of the use (`simd-instruction`); a section that is cut with its length since `section_lengths_since`; `link_texts` of an
    import that is not given, by its kind (`namespace`: nothing of that name), and of a `worker` without its script;
    `link_places`, by the major version, is how it names a namespace, and an import, before that.

    `backported` are releases of older majors that have a feature from then on.
    """

    name: str
    title: str
    newest: tuple[int, ...]
    since: Mapping[str, tuple[int, ...]]
    isolated_since: tuple[int, ...] | None = None
    unisolated: str | None = None
    credentialless_since: tuple[int, ...] | None = None
    texts: Mapping[str, str] = MappingProxyType({})
    texts_until: tuple[int, ...] = ()
    section_lengths_since: tuple[int, ...] | None = None
    link_texts: Mapping[str, str] = MappingProxyType({})
    link_places: Mapping[str, tuple[str, str]] = MappingProxyType({})
    backported: Mapping[str, tuple[tuple[int, ...], ...]] = MappingProxyType({})

    def of_major(self, major: int) -> Family:
        """The same where `since` is what holds for the releases of one major version."""
        own = {feature: each for feature, found in self.backported.items() for each in found if each[0] == major}
        return self._replace(since={**self.since, **own})


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


class Need(NamedTuple):
    """A feature that a module uses: the first place (byte, and function if it is in one), and since when runtimes have it.

    None is for a runtime that does not yet. Without one that is not `loading`, the module loads, and fails where it is used.
    """

    feature: str
    title: str
    loading: bool
    offset: int
    function: int | None
    since: tuple[tuple[str, str | None], ...]


class ModuleCard(NamedTuple):
    """What a module asks of a runtime: the first version of each that loads it (None: none does), and what it needs.

    `path` is as it was given, `file` the file that the module was found in, `table` the date of what is known of runtimes.
    """

    name: str
    path: str
    file: str
    sha256: str
    module: Module
    floors: tuple[tuple[str, str | None], ...]
    needs: tuple[Need, ...]
    table: str

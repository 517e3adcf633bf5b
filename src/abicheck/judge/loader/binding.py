"""Which definition a reference binds to: `do_lookup_x` and `check_match` of elf/dl-lookup.c."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from abicheck.judge.loader.state import assertion, die
from abicheck.model.elf import Fault
from abicheck.model.process import LoadError
from abicheck.model.symbols import BEYOND, UNREADABLE, Reference

if TYPE_CHECKING:
    from collections.abc import Iterable

    from abicheck.judge.loader.state import Map
    from abicheck.model.host import Host
    from abicheck.model.symbols import Definition, Version

_STB_GLOBAL, _STB_WEAK, _STB_GNU_UNIQUE = 1, 2, 10
_BINDS = (_STB_GLOBAL, _STB_WEAK, _STB_GNU_UNIQUE)
_STV_INTERNAL, _STV_HIDDEN = 1, 2
#: From here on (and in the 2.41 branch) an exact version goes before the object's unversioned default (elf/dl-lookup.c).
EXACT_VERSION_FIRST = (2, 41)
#: Up to here a versioned reference that meets an unversioned file of the wanted name fails an assertion (commit bdaf500353).
_ASSERTS_VERSIONS_BEFORE = (2, 41)


def find(reference: Reference, maps: Iterable[Map], host: Host) -> tuple[Map, Definition] | None:
    """The object and definition that `reference` binds to among `maps`, or None.

    Raises `DiedError` where the loader would die.
    """
    name, version = reference.name, reference.version
    assert name is not None
    for item in maps:
        if reference.kind == "copy" and item.kind == "executable":
            continue
        candidates = item.facts.definitions.get(name)
        if not candidates:
            continue
        definition = _match(candidates, reference, version, item, host)
        if definition is None or definition.visibility in (_STV_INTERNAL, _STV_HIDDEN):
            continue
        if definition.binding in _BINDS:
            return item, definition
    return None


def defined(names: Iterable[str], version: Version | None, item: Map, host: Host) -> list[str] | None:
    """Those of `names` that any reference in `version` finds in `item`; None where one leads behind its table of versions.

    Any but those of data, which also bind to the PLT entry of an executable. Raises `DiedError` where the loader would die.
    """
    found: list[str] = []
    get = item.facts.definitions.get
    for name in names:
        candidates = get(name)
        if not candidates:
            continue
        reference = Reference(name, version, weak=False, kind="data", type=0, plt_class=True, in_plt=False)
        definition = _match(candidates, reference, version, item, host)
        if definition is None or definition.visibility in (_STV_INTERNAL, _STV_HIDDEN) or definition.binding not in _BINDS:
            continue
        if definition.version == BEYOND:
            return None
        found.append(name)
    return found


def _match(
    candidates: tuple[Definition, ...], reference: Reference, version: Version | None, item: Map, host: Host
) -> Definition | None:
    """The definition among those of one name in one object that fits the wanted version, in the order of the hash chain."""
    fallback: list[Definition] = []
    for definition in candidates:
        if definition.fault is not None:
            raise die(Fault("hash", definition.fault), item.path, "the symbol tables do not lie in the mapping")
        if reference.plt_class and definition.undefined:
            continue
        if not item.facts.versions_in_use:
            if version is not None:
                _check_unversioned(version, item, reference, host)
            return definition
        fit = _fits_any(definition) if version is None or version == BEYOND else _fits(definition, version, item, host)
        if fit == "yes":
            return definition
        if fit == "if-alone":
            fallback.append(definition)
    return fallback[0] if len(fallback) == 1 else None


_Fit: TypeAlias = Literal["yes", "if-alone", "no"]


def _fits_any(definition: Definition) -> _Fit:
    """For an object linked without versions: the base version or the first one (index 2), hidden or not; else a lone default."""
    if definition.index <= 2:
        return "yes"
    return "no" if definition.hidden else "if-alone"


def _fits(definition: Definition, version: Version, item: Map, host: Host) -> _Fit:
    """The same version by hash and name, which may be any one `BEYOND` the table; else one of no version that is not hidden."""
    own = definition.version
    if own == BEYOND:
        return "yes"
    if own is not None and own.hash == version.hash:
        if own.name == UNREADABLE:
            raise die(Fault("version-definitions", "SIGSEGV"), item.path, "a version's name does not lie in the mapping")
        if own.name == version.name:
            return "yes"
    if version.hidden or own is not None or definition.hidden:
        return "no"
    return "if-alone" if host.libc.version >= EXACT_VERSION_FIRST else "yes"


def _check_unversioned(version: Version, item: Map, reference: Reference, host: Host) -> None:
    if host.libc.version >= _ASSERTS_VERSIONS_BEFORE or version.file is None:
        return
    if version.file != item.path and version.file not in item.names:
        return
    error = LoadError(
        kind="unversioned-provider",
        text="",
        object=item.path,
        name=reference.name,
        evidence=(f"{reference.name}@{version.name} is wanted from {version.file}, but {item.path} has no symbol versions",),
    )
    raise assertion(
        "dl-lookup.c", "check_match", "version->filename == NULL || ! _dl_name_match_p (version->filename, map)", error
    )

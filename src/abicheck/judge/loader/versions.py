"""Are the versions that an object wants defined where it wants them? `_dl_check_map_versions` of elf/dl-version.c."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.judge.loader.state import assertion, die
from abicheck.model.elf import Fault
from abicheck.model.process import LoadError, Missing
from abicheck.model.symbols import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abicheck.judge.loader.memo import Memo
    from abicheck.judge.loader.state import Map, Namespace
    from abicheck.model.elf import DynamicInfo, SharedObject
    from abicheck.model.symbols import NeededVersion, VersionNeed

_VER_FLG_WEAK = 2
_RELR_MARKER = "GLIBC_ABI_DT_RELR"


def check_versions(space: Namespace, item: Map) -> None:
    """Note the errors of one object, first the one that the loader would report.

    Raises `DiedError` where the loader dies over a table. Each need is looked up by name in the loaded object that bears the
    name of the file it is wanted from, whatever file the symbol will come from in the end.
    """
    facts, dynamic = item.facts, item.facts.dynamic
    if dynamic is None or not dynamic.has_strtab:
        return
    if dynamic.has_verneed and (fault := facts.fault("version-needs")) and not facts.version_needs:
        raise die(fault, item.path, "DT_VERNEED does not lie in the mapping")
    if facts.version_needs and facts.version_needs[0].revision != 1:
        text = f"{item.path}: unsupported version {facts.version_needs[0].revision} of Verneed record"
        space.errors.append(LoadError(kind="malformed-file", text=text, object=item.path))
        return
    providers = [(need, space.named(need.file)) for need in facts.version_needs]
    key = (id(facts), *[id(provider.facts) if provider is not None else 0 for _, provider in providers])
    if key in space.memo.versioned:
        return
    before = len(space.errors)
    doubtful = _check_needs(space, item, providers)
    sound = len(space.errors) == before
    if sound:
        _read_tables(item, dynamic)
    if space.host.libc.version >= (2, 36) and (error := _relr_without_marker(item)) is not None:
        space.errors.append(error)
    elif sound and not doubtful and 0 not in key:
        space.memo.versioned.add(key)


def _check_needs(space: Namespace, item: Map, providers: Sequence[tuple[VersionNeed, Map | None]]) -> bool:
    """Every needed version against its provider. Where a library was not found, that is the error, and its versions are none.

    True where it is not known of a version whether it is there, which is noted as missing.
    """
    doubtful = False
    for need, provider in providers:
        if provider is not None:
            partial = provider.facts.partial
            defined = _surely_defined(space.memo, provider.facts)
            for version in need.versions:
                if partial is not None and version.name in partial.nodes:
                    doubtful = True
                    space.note(Missing("version", f"whether {provider.path} defines {version.name} is up to its point release"))
                elif (version.hash, version.name) not in defined and (error := _match(item, provider, version)) is not None:
                    space.errors.append(error)
        elif not space.errors and not space.incomplete:
            missing = LoadError(
                kind="inconsistent-dependencies",
                text="",
                object=item.path,
                name=need.file,
                evidence=(f"DT_VERNEED of {item.path} names {need.file}, which no DT_NEEDED loads",),
            )
            raise assertion("dl-version.c", "_dl_check_map_versions", "needed != NULL", missing)
    return doubtful


def _surely_defined(memo: Memo, facts: SharedObject) -> frozenset[tuple[int, str]]:
    """The versions, by hash and name, that a walk through sound definitions finds; none where they are not sound."""
    known = memo.defined.get(id(facts))
    if known is None:
        definitions = facts.version_definitions
        sound = all(each.revision == 1 and each.name != UNREADABLE for each in definitions)
        known = memo.defined[id(facts)] = frozenset((each.hash, each.name) for each in definitions if sound)
    return known


def _match(item: Map, provider: Map, version: NeededVersion) -> LoadError | None:
    """One needed version against the definitions of its provider (`match_symbol`)."""
    dynamic = provider.facts.dynamic
    if dynamic is None or not dynamic.has_verdef:
        return None
    for definition in provider.facts.version_definitions:
        if definition.revision != 1:
            text = f"{provider.path}: unsupported version {definition.revision} of Verdef record"
            return LoadError(kind="malformed-file", text=text, object=provider.path)
        if definition.hash == version.hash:
            if definition.name == UNREADABLE:
                raise die(
                    Fault("version-definitions", "SIGSEGV"), provider.path, "the name of a version does not lie in the mapping"
                )
            if definition.name == version.name:
                return None
    if fault := provider.facts.fault("version-definitions"):
        raise die(fault, provider.path, "DT_VERDEF does not lie in the mapping")
    if version.flags & _VER_FLG_WEAK:
        return None
    return LoadError(
        kind="version-missing",
        text=f"{provider.path}: version `{version.name}' not found (required by {item.path})",
        object=item.path,
        name=version.name,
        evidence=(f"{provider.path} defines {_range(provider)}",),
        provider=provider.path,
    )


def _range(provider: Map) -> str:
    names = [definition.name for definition in provider.facts.version_definitions if not definition.flags & 1]
    return f"{len(names)} versions, the last of them {names[-1]}" if names else "no version"


def _read_tables(item: Map, dynamic: DynamicInfo) -> None:
    """The loader builds the table of versions at the end, from the needs, the definitions and DT_VERSYM."""
    if dynamic.has_verneed and (fault := item.facts.fault("version-needs")):
        raise die(fault, item.path, "DT_VERNEED does not lie in the mapping")
    if dynamic.has_verdef and (fault := item.facts.fault("version-definitions")):
        raise die(fault, item.path, "DT_VERDEF does not lie in the mapping")
    if fault := item.facts.fault("symbol-versions"):
        raise die(fault, item.path, "DT_VERSYM does not lie in the mapping")


def _relr_without_marker(item: Map) -> LoadError | None:
    """DT_RELR must be announced by a need of GLIBC_ABI_DT_RELR where libc.so is needed (glibc 2.36)."""
    facts, dynamic = item.facts, item.facts.dynamic
    assert dynamic is not None
    if not (dynamic.has_relr and dynamic.has_verneed and any(name.startswith("libc.so.") for name in dynamic.needed)):
        return None
    if any(version.name == _RELR_MARKER for need in facts.version_needs for version in need.versions):
        return None
    return LoadError(
        kind="relr-unsupported",
        text=f"{item.path}: DT_RELR without GLIBC_ABI_DT_RELR dependency",
        object=item.path,
    )

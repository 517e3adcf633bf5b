"""Applying an object's relocations, as far as it can fail: `_dl_relocate_object` of elf/dl-reloc.c."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from abicheck.judge.loader.binding import EXACT_VERSION_FIRST, defined, find
from abicheck.judge.loader.errno import with_errno
from abicheck.judge.loader.mapping import check_relro
from abicheck.judge.loader.state import DiedError, RefusedError, assertion, die
from abicheck.judge.loader.static_tls import take_descriptor, take_static
from abicheck.model.elf import Fault
from abicheck.model.process import LoadError, Missing
from abicheck.model.symbols import BEYOND

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from abicheck.judge.loader.state import Map, Namespace
    from abicheck.model.elf import DynamicInfo
    from abicheck.model.host import Host
    from abicheck.model.symbols import Definition, Demand, Reference, Version

#: Up to glibc 2.34 the string table is taken whether or not a relocation needs it.
_STRTAB_TAKEN_LATE = (2, 35)
_KNOWS_RELR = (2, 36)
_RELATIVE_ASSERTION = (
    "../sysdeps/x86_64/dl-machine.h",
    "elf_machine_rela_relative",
    "ELFW(R_TYPE) (reloc->r_info) == R_X86_64_RELATIVE",
)
_DT_PLTGOT = 3
_NEEDS_TLS = ("tls-static", "tls-descriptor")
#: Reference kinds that may end in something else than "found" or "undefined symbol".
_SPECIAL = frozenset({*_NEEDS_TLS, "size", "unknown", "irelative"})


class Scope(NamedTuple):
    """Where symbols are looked up: `maps` in their order, `present` being the identities of their facts.

    `unversioned` holds the names of those without versions. `erratic` tells that some of them has damaged tables, through which
    a lookup of any name may lead astray.
    """

    maps: list[Map]
    present: frozenset[int]
    unversioned: frozenset[str]
    erratic: bool


def scope_of(maps: list[Map]) -> Scope:
    """The scope that looks in `maps` one after the other."""
    unversioned = frozenset(name for item in maps if not item.facts.versions_in_use for name in item.names)
    erratic = not all(getattr(item.facts.definitions, "is_whole", True) for item in maps)
    return Scope(maps, frozenset([id(item.facts) for item in maps]), unversioned, erratic)


def relocate(space: Namespace, item: Map, scope: Scope, *, lazy: bool = False) -> None:
    """Bind all references of `item` in `scope` and note its errors; raises `DiedError` where the process dies.

    `lazy` leaves the references of the PLT for later (they are still judged when the object says BIND_NOW).
    """
    facts = item.facts
    dynamic = facts.dynamic
    item.relocated = True
    if dynamic is None:
        return
    lazy = lazy and not dynamic.bind_now
    errno = space.host.policy.text_relocation
    if dynamic.textrel and errno:
        text = with_errno(f"{item.path}: cannot make segment writable for relocation", errno)
        space.errors.append(LoadError(kind="text-relocation-denied", text=text, object=item.path))
        return
    if space.host.libc.version >= _KNOWS_RELR and (fault := facts.fault("relr")):
        raise die(fault, item.path, "DT_RELR or its targets do not lie in writable mapped memory")
    _check_tables(item, dynamic, space.host.libc.version)
    if lazy and dynamic.has_jmprel and _DT_PLTGOT not in dynamic.tags:
        raise die(Fault("relocations", "SIGSEGV"), item.path, "lazy binding needs DT_PLTGOT, which is missing")
    if dynamic.symbolic:
        # It may decide which object's static TLS is taken.
        scope = scope._replace(maps=[item, *scope.maps])
    space.references += len(facts.references) if facts.demand is None else facts.demand.symbol_count
    before = len(space.errors)
    # Where all that is demanded is there, only special references can fail; else each is looked up, in its order.
    if facts.demand is not None and _is_met(item, facts.demand, scope, space):
        _bind(space, item, [each for each in facts.demand.special if not _is_plain(each)], scope, lazy=lazy)
    else:
        _bind(space, item, facts.references, scope, lazy=lazy)
    bound = len(space.errors) == before
    if bound and facts.bad_relative_count:
        # DT_RELACOUNT promises that many R_*_RELATIVE at the start of the table.
        raise assertion(*_RELATIVE_ASSERTION, LoadError(kind="malformed-file", text="", object=item.path))
    if bound and (fault := facts.fault("relocations")):
        raise die(fault, item.path, "a relocation table or its target does not lie in writable mapped memory")
    if id(facts) not in space.memo.protected:
        try:
            if missing := check_relro(facts, space.host, item.path):
                space.missing.append(missing)
            else:
                space.memo.protected.add(id(facts))
        except RefusedError as refused:
            space.errors.append(refused.error)


def _check_tables(item: Map, dynamic: DynamicInfo, version: tuple[int, ...]) -> None:
    """What the loader takes from PT_DYNAMIC before it looks at any relocation."""
    if not dynamic.has_symtab:
        raise die(Fault("relocations", "SIGSEGV"), item.path, "DT_SYMTAB is missing")
    if not dynamic.has_strtab and version < _STRTAB_TAKEN_LATE:
        raise die(Fault("relocations", "SIGSEGV"), item.path, "DT_STRTAB is missing")
    if dynamic.null_rela and version < _KNOWS_RELR:
        # Only with DT_RELR may DT_RELA be 0; before that the ELF header is taken for relocations: the first of them, at the
        # padding of e_ident, is one of type 0 (none), the second has e_phoff for its type.
        malformed = LoadError(kind="malformed-file", text="", object=item.path, evidence=("DT_RELA is 0",))
        if dynamic.relacount:
            raise assertion(*_RELATIVE_ASSERTION, malformed)
        if dynamic.null_rela > 1:
            raise DiedError(malformed._replace(text=f"{item.path}: unexpected reloc type 0x40", certain=False))


def check_relr(space: Namespace, items: Iterable[Map]) -> None:
    """Before glibc 2.36 DT_RELR is not known: the relative relocations stay undone, and the objects' pointers are wrong.

    The process dies once they are used, after all else of the load.
    """
    for item in items if space.host.libc.version < _KNOWS_RELR else ():
        dynamic = item.facts.dynamic
        if dynamic is not None and dynamic.has_relr and dynamic.relr_entry:
            space.errors.append(
                LoadError(
                    kind="relr-unsupported",
                    text="signal: SIGSEGV",
                    object=item.path,
                    evidence=("DT_RELR is ignored before glibc 2.36, so pointers in its data stay unrelocated",),
                    certain=False,
                )
            )


def _is_met(item: Map, demand: Demand, scope: Scope, space: Namespace) -> bool:
    """Tell whether every symbol that `item` demands is surely found in `scope`, whatever the order of the relocations.

    A reference that finds a definition somewhere in the scope is satisfied, whatever else is in it, so files that once satisfied
    all references of another do so again. The exceptions are damaged tables, and an unversioned file of a wanted name (an
    assertion up to glibc 2.40).
    """
    facts = item.facts
    if scope.erratic or (scope.unversioned and any(need.file in scope.unversioned for need in facts.version_needs)):
        return False
    memo, present, exact_first = space.memo, scope.present, space.host.libc.version >= EXACT_VERSION_FIRST
    if any(providers <= present for providers in memo.bound.get(id(facts), ())):
        return True
    providers: set[int] = set()
    for version, names in _demanded(demand).items():
        definers = memo.definers.setdefault((version, exact_first), {})
        left: AbstractSet[str] = names
        for identity in definers.keys() & present:
            if not definers[identity].isdisjoint(left):
                left = left - definers[identity]
                providers.add(identity)
        likely = _likely(item, version, scope, space) if left else ()
        while left:
            # What defines one is likely to define many: whoever has the next is asked for all that is left.
            other = _provider(next(iter(left)), version, likely, space.host)
            found = defined(left, version, other, space.host) if other is not None else None
            if other is None or not found:
                return False
            definers.setdefault(id(other.facts), set()).update(found)
            providers.add(id(other.facts))
            left = left - set(found)
    memo.bound.setdefault(id(facts), []).append(frozenset(providers))
    return True


def _is_plain(reference: Reference) -> bool:
    """Whether the reference, which an object holds as a special one, is met by any definition as others are."""
    return reference.kind == "tls-dynamic" and not reference.weak and reference.name is not None and reference.version != BEYOND


def _demanded(demand: Demand) -> dict[Version | None, frozenset[str]]:
    """The names, by version, that some object of the scope must define."""
    symbols = dict(demand.symbols)
    for reference in demand.special:
        if _is_plain(reference) and reference.name is not None:
            symbols[reference.version] = symbols.get(reference.version, frozenset()) | {reference.name}
    return symbols


def _provider(name: str, version: Version | None, maps: Iterable[Map], host: Host) -> Map | None:
    """The first of `maps` that defines `name` in `version`, or that leads a lookup astray."""
    return next((other for other in maps if defined((name,), version, other, host) != []), None)


def _likely(item: Map, version: Version | None, scope: Scope, space: Namespace) -> list[Map]:
    """The objects of the scope, first those that are likely to have what `item` wants in `version`: the order is all one here.

    Thread-local data is often its own.
    """
    dynamic = item.facts.dynamic
    asked = space.named(version.file) if version is not None and version.file is not None else scope.maps[0]
    needed = map(space.by_name.get, dynamic.needed if dynamic is not None else ())
    first = [other for other in (asked, item, *needed) if other is not None and id(other.facts) in scope.present]
    return list(dict.fromkeys([*first, *scope.maps]))


def _bind(space: Namespace, item: Map, references: Sequence[Reference], scope: Scope, *, lazy: bool) -> None:
    """Note the errors of `references` in their order."""
    for reference in references:
        if reference.kind in _SPECIAL or (lazy and reference.in_plt):
            _bind_special(space, item, reference, scope, lazy=lazy)
        elif reference.name is not None and _look_up(space, item, reference, scope) is None and not reference.weak:
            _note_undefined(space, item, reference, scope)


def _look_up(space: Namespace, item: Map, reference: Reference, scope: Scope) -> tuple[Map, Definition] | None:
    """What `reference` binds to; where that depends on memory behind a table of versions, that is noted as missing.

    The loader may find any version there, or none, or die of it.
    """
    hit = find(reference, scope.maps, space.host)
    astray = hit[0] if hit is not None and hit[1].version == BEYOND and reference.version != BEYOND else item
    if reference.version == BEYOND or (reference.version is not None and astray is not item):
        space.note(Missing("memory", f"a version is looked up behind the end of those that {astray.path} has"))
    return hit


def _bind_special(space: Namespace, item: Map, reference: Reference, scope: Scope, *, lazy: bool) -> None:
    """Bind a reference whose relocation may fail in other ways than by an undefined symbol, or that may be left for later."""
    if lazy and reference.in_plt and reference.kind == "plt":
        return
    hit = None
    if reference.name is not None:
        hit = _look_up(space, item, reference, scope)
        if hit is None and not reference.weak:
            _note_undefined(space, item, reference, scope)
            return
    try:
        _apply(space, item, reference, hit[0] if hit else item if reference.name is None else None)
    except RefusedError as refused:
        space.errors.append(refused.error)


def _apply(space: Namespace, item: Map, reference: Reference, provider: Map | None) -> None:
    """A relocation that does more than store an address. `provider` is None for an undefined weak symbol."""
    if reference.kind == "tls-static" and provider is not None:
        take_static(space, provider)
    elif reference.kind == "tls-descriptor" and provider is not None:
        take_descriptor(space, provider)
    elif reference.kind == "size" and provider is None:
        raise die(
            Fault("relocations", "SIGSEGV"), item.path, f"the size of {reference.name} is asked for, which is weak and undefined"
        )
    elif reference.kind == "unknown":
        digits = f"{reference.type:02x}" if reference.type <= 0xFF else f"{reference.type:08x}"
        text = f"{item.path}: unexpected reloc type 0x{digits}"
        raise RefusedError(LoadError(kind="relocation-unsupported", text=text, object=item.path, name=reference.name))


def _note_undefined(space: Namespace, item: Map, reference: Reference, scope: Scope) -> None:
    """Nothing that is known defines the symbol: an error, but for libraries of which only a part is known."""
    version = reference.version
    asked = space.named(version.file) if version is not None and version.file is not None else None
    for other in [*([asked] if asked is not None else []), *scope.maps] if version is not None else ():
        partial = other.facts.partial
        if partial is None or version is None:
            continue
        if version.name in partial.nodes or version.name in partial.symbols:
            space.note(Missing("symbol", f"whether {other.path} defines {reference.name} in {version.name}"))
            return
        if partial.by_node and any(each.name == version.name for each in other.facts.version_definitions):
            return
    error = _undefined(item, reference)
    guessed = any(other.facts.partial is not None and other.facts.partial.by_node for other in scope.maps)
    space.errors.append(error._replace(certain=error.certain and not guessed))


def _undefined(item: Map, reference: Reference) -> LoadError:
    version = f", version {reference.version.name}" if reference.version not in (None, BEYOND) else ""
    return LoadError(
        kind="symbol-missing",
        text=f"{item.path}: undefined symbol: {reference.name}{version}",
        object=item.path,
        name=reference.name,
        certain=reference.version != BEYOND,
    )

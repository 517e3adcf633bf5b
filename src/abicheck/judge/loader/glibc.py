"""glibc's dlopen and program start-up, step by step (elf/dl-open.c, elf/rtld.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.judge.loader.closure import map_dependencies, relocation_order, sort_maps
from abicheck.judge.loader.relocation import check_relr, relocate, scope_of
from abicheck.judge.loader.search import map_object
from abicheck.judge.loader.state import Map, Namespace, RefusedError, UnknownError
from abicheck.judge.loader.versions import check_versions
from abicheck.model.process import LoadError

if TYPE_CHECKING:
    from abicheck.judge.loader.memo import Memo
    from abicheck.model.host import Host
    from abicheck.model.process import LinkMap, Process


def dlopen(
    process: Process, name: str, host: Host, memo: Memo, *, lazy: bool, make_global: bool, caller: int = 0
) -> tuple[LinkMap, Process]:
    """What `dlopen (name, …)` does to `process`. When it fails, little of that lasts."""
    space = Namespace(host, process, memo)
    scope: list[Map] = space.global_scope
    try:
        root = map_object(space, name, None, searches_for=space.maps[caller])
        scope = _open_new(space, root, lazy=lazy) if root.searchlist is None else space.global_scope + root.searchlist
        if make_global and not space.errors and root.searchlist is not None:
            space.global_scope += [item for item in root.searchlist if item not in space.global_scope]
    except RefusedError as refused:
        space.refuse(refused.error)
    except UnknownError as unknown:
        space.missing.append(unknown.missing)
        return space.freeze(name, scope)[0], space.after_failure(process)
    link_map, after = space.freeze(name, scope)
    return link_map, space.after_failure(process) if space.errors else after


def _open_new(space: Namespace, root: Map, *, lazy: bool) -> list[Map]:
    """Load the closure of `root`, check it and relocate it; gives the scope of its symbols. Errors gather in `space`."""
    order = map_dependencies(space, root)
    root.searchlist = order
    complete = not space.errors and not space.incomplete
    for item in order:
        if not item.checked:
            item.checked = True
            check_versions(space, item)
    # The global scope goes before the local one; an object in both is found in the first.
    scope = space.global_scope + [item for item in order if item not in space.global_scope]
    root.dependencies = sort_maps(space, root, order)
    _check_isa(space, root.dependencies)
    if complete:
        # Undefined symbols of a library that was not found are its consequences, not errors of their own.
        within = scope_of(scope)
        fresh = [item for item in reversed(relocation_order(space, root, order)) if not item.relocated]
        for item in fresh:
            relocate(space, item, within, lazy=lazy)
        check_relr(space, fresh)
    return scope


def _check_isa(space: Namespace, order: list[Map]) -> None:
    """The x86-64 level that an object says it needs (GNU_PROPERTY_X86_ISA_1_NEEDED, sysdeps/x86/dl-prop.h, glibc 2.33)."""
    host = space.host
    if host.arch != "x86_64" or host.libc.version < (2, 33):
        return
    offered = (1 << host.isa_level) - 1
    for item in reversed(order):
        needed = item.facts.properties.x86_isa_needed
        if not item.relocated and needed & ~offered:
            space.errors.append(
                LoadError(
                    kind="isa-level-too-low",
                    text=f"{item.path}: CPU ISA level is lower than required",
                    object=item.path,
                    evidence=(f"it needs x86-64-v{needed.bit_length()}, the CPU offers x86-64-v{host.isa_level}",),
                )
            )

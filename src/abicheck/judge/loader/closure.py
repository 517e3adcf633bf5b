"""The dependencies of an object, breadth first, and their order for relocation (elf/dl-deps.c, elf/dl-sort-maps.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.judge.loader.search import expand, map_object
from abicheck.judge.loader.state import DiedError, RefusedError, die
from abicheck.judge.loader.tunables import tunable
from abicheck.model.process import Missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from abicheck.judge.loader.state import Map, Namespace


def map_dependencies(space: Namespace, root: Map, preloads: Sequence[Map] = (), *, at_start: bool = False) -> list[Map]:
    """Map all that `root` needs, and give the breadth-first list (`_dl_map_object_deps`).

    A dependency that can't be mapped is noted in `space.errors`, and the walk goes on so that all of them are found: the
    loader itself stops at the first. A process that dies ends the walk.
    """
    order: list[Map] = [root, *preloads]
    seen = {id(item) for item in order}
    for item in order:
        # An object that an earlier load brought has its list of dependencies; its direct ones still are walked.
        fresh = item is not root and not item.dependencies
        needed = _needed(space, item, at_start=at_start)
        for dependency in needed:
            if id(dependency) not in seen:
                seen.add(id(dependency))
                order.append(dependency)
        if fresh and item.facts.dynamic is not None:
            item.dependencies = [item, *needed]
    return order


def _needed(space: Namespace, item: Map, *, at_start: bool) -> list[Map]:
    dynamic = item.facts.dynamic
    if dynamic is None:
        return []
    if fault := item.facts.fault("needed"):
        raise die(fault, item.path, "DT_NEEDED cannot be read: its string table is not mapped")
    if dynamic.filters or dynamic.auxiliaries:
        names = ", ".join((*dynamic.filters, *dynamic.auxiliaries))
        space.missing.append(Missing("filter", f"{item.path} is a filter of {names}: such objects are not simulated"))
    found: list[Map] = []
    for name in dynamic.needed:
        try:
            # DT_NEEDED may hold tokens; one without a value leaves the name empty (expand_dst in elf/dl-deps.c).
            expanded = expand(name, item.origin, space.host)
            found.append(map_object(space, expanded or "", item, at_start=at_start))
        except DiedError:
            raise
        except RefusedError as refused:
            space.errors.append(refused.error)
    return found


def sort_maps(space: Namespace, order: list[Map]) -> list[Map]:
    """`order` with every object before the ones it depends on, the first one staying first (`_dl_sort_maps`)."""
    version = space.host.libc.version
    original = version < (2, 35) or tunable(space.host, "glibc.rtld.dynamic_sort", 2, (1, 2)) == 1
    return _sort_original(order) if original else _sort_depth_first(order)


def _sort_original(order: list[Map]) -> list[Map]:
    """The algorithm up to glibc 2.34: move an object behind the last one that depends on it."""
    maps = order[1:]
    count = len(maps)
    if count <= 1:
        return order
    seen = [0] * count
    i = 0
    while True:
        seen[i] += 1
        this = maps[i]
        k = count - 1
        while k > i and this not in maps[k].dependencies:
            k -= 1
        if k > i:
            maps.insert(k, maps.pop(i))
            if seen[i + 1] <= count - i:
                seen.insert(k, seen.pop(i))
                continue
        # Either nothing after it depends on it, or a cycle keeps it moving: go on with the next position.
        i += 1
        if i == count:
            return [order[0], *maps]
        seen[i:] = [0] * (count - i)


def _sort_depth_first(order: list[Map]) -> list[Map]:
    """The algorithm since glibc 2.35: reverse postorder, starting from the back of the list."""
    inside = {id(item) for item in order}
    visited: set[int] = set()
    postorder: list[Map] = []

    def visit(item: Map) -> None:
        visited.add(id(item))
        for dependency in item.dependencies:
            if id(dependency) not in visited and dependency.kind != "executable":
                visit(dependency)
        postorder.append(item)

    for item in reversed(order):
        if id(item) not in visited:
            visit(item)
    result = [item for item in reversed(postorder) if id(item) in inside]
    result.remove(order[0])
    return [order[0], *result]


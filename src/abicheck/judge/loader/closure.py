"""The dependencies of an object, breadth first, and their order for relocation (elf/dl-deps.c, elf/dl-sort-maps.c)."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING

from abicheck.judge.loader.search import expand, map_object
from abicheck.judge.loader.state import DiedError, RefusedError, assertion, die
from abicheck.judge.loader.tunables import tunable
from abicheck.model.process import LoadError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from abicheck.judge.loader.state import Map, Namespace
    from abicheck.model.elf import DynamicInfo

_DT_NEEDED, _DT_AUXILIARY, _DT_FILTER = 1, 0x7FFFFFFD, 0x7FFFFFFF
#: Before it an object that is a filter itself could not be opened directly (bug 16272, commit eb447b7b4b).
_ROOT_NEED_NOT_BE_FIRST = (2, 32)


def map_dependencies(space: Namespace, root: Map, preloads: Sequence[Map] = (), *, at_start: bool = False) -> list[Map]:
    """Map all that `root` needs, and give the breadth-first list (`_dl_map_object_deps`).

    A dependency that can't be mapped is noted in `space.errors`, and the walk goes on so that all of them are found: the
    loader itself stops at the first. A process that dies ends the walk.
    """
    order: list[Map] = [root, *preloads]
    seen = {id(item) for item in order}
    done: set[int] = set()
    misplaced = False
    position = 0
    while position < len(order):
        item = order[position]
        position += 1
        if id(item) in done:
            continue
        done.add(id(item))
        # An object that an earlier load brought has its list of dependencies; its direct ones still are walked.
        fresh = item is not root and not item.dependencies
        direct = [item]
        for dependency, is_filtee in _known(space, item) or _direct(space, item, at_start=at_start):
            direct.append(dependency)
            if is_filtee:
                _insert_before(order, dependency, item)
                position = 0
                misplaced |= order[0] is not root and not space.errors
            elif id(dependency) not in seen:
                order.append(dependency)
            seen.add(id(dependency))
        if fresh and item.facts.dynamic is not None:
            item.dependencies = direct
        elif item.index < space.first_new:
            _remember(space, item, direct)
    if misplaced and space.host.libc.version < _ROOT_NEED_NOT_BE_FIRST:
        # That comes up before any later error is reported.
        space.errors.clear()
        filtered = LoadError(kind="malformed-file", text="", object=root.path, evidence=("it is a filter",))
        raise assertion("dl-deps.c", "_dl_map_object_deps", "map->l_searchlist.r_list[0] == map", filtered)
    return order


def _known(space: Namespace, item: Map) -> list[tuple[Map, bool]]:
    """What an earlier load in the same process found to be the direct dependencies of an object of that process."""
    known = space.direct.get(item.index, ()) if item.index < space.first_new else ()
    return [(space.maps[index], False) for index in known]


def _remember(space: Namespace, item: Map, direct: list[Map]) -> None:
    """Note the direct dependencies of an object of the process, where all are part of it and looking them up changed nothing."""
    dynamic = item.facts.dynamic
    whole = dynamic is not None and not (dynamic.filters or dynamic.auxiliaries) and len(direct) == len(dynamic.needed) + 1
    if whole and all(other.frozen is not None and other.frozen[1] == other.state() for other in direct):
        space.direct[item.index] = tuple(other.index for other in direct[1:])


def _direct(space: Namespace, item: Map, *, at_start: bool) -> Iterator[tuple[Map, bool]]:
    """What the entries of `item` name, in their order, and whether it is a filtee: what goes before the object itself.

    What DT_NEEDED and DT_FILTER name must be there, what DT_AUXILIARY names may be.
    """
    for tag, name in _entries(item.facts.dynamic):
        # Most is loaded already, and few names hold a token, so both are looked at here.
        dependency = space.lookup(name) if "$" not in name else None
        if dependency is None:
            dependency = _map_needed(space, item, name, at_start=at_start, optional=tag == _DT_AUXILIARY)
        if dependency is not None:
            yield dependency, tag != _DT_NEEDED
    if fault := item.facts.fault("needed"):
        raise die(fault, item.path, "DT_NEEDED cannot be read: its string table is not mapped")


def _entries(dynamic: DynamicInfo | None) -> Iterable[tuple[int, str]]:
    """The entries that name other objects, by tag and name, in their order."""
    if dynamic is None:
        return ()
    if not (dynamic.filters or dynamic.auxiliaries):
        return zip(repeat(_DT_NEEDED), dynamic.needed)
    return _mixed_entries(dynamic)


def _mixed_entries(dynamic: DynamicInfo) -> Iterator[tuple[int, str]]:
    """The entries of an object that is a filter, too."""
    names = {_DT_NEEDED: iter(dynamic.needed), _DT_FILTER: iter(dynamic.filters), _DT_AUXILIARY: iter(dynamic.auxiliaries)}
    for tag in dynamic.tags:
        name = next(names[tag], None) if tag in names else None
        if name is not None:
            yield tag, name
    for tag, rest in names.items():
        yield from ((tag, name) for name in rest)


def _map_needed(space: Namespace, item: Map, name: str, *, at_start: bool, optional: bool = False) -> Map | None:
    """The object that one entry of `item` names, or None with the error noted (not if it is `optional`)."""
    try:
        # The name may hold tokens; one without a value leaves it empty (expand_dst in elf/dl-deps.c).
        return map_object(space, expand(name, item.origin, space.host) or "", item, at_start=at_start)
    except DiedError:
        raise
    except RefusedError as refused:
        if not optional:
            space.refuse(refused.error)
        return None


def _insert_before(order: list[Map], filtee: Map, item: Map) -> None:
    """Let symbols be looked up in `filtee` before `item`: an earlier place stands, a later one is given up."""
    if filtee is item or filtee in order[: order.index(item)]:
        return
    if filtee in order:
        order.remove(filtee)
    order.insert(order.index(item), filtee)


def sort_maps(space: Namespace, root: Map, order: list[Map]) -> list[Map]:
    """`order` with every object before the ones it depends on, and `root` first of all (`_dl_sort_maps`)."""
    others = [item for item in order if item is not root]
    version = space.host.libc.version
    original = version < (2, 35) or tunable(space.host, "glibc.rtld.dynamic_sort", 2, (1, 2)) == 1
    return [root, *_sort_original(others)] if original else _sort_depth_first([root, *others])


def relocation_order(space: Namespace, root: Map, order: list[Map]) -> list[Map]:
    """The objects of a load, what is relocated last first: as `sort_maps` has them (`dl_open_worker_begin` in elf/dl-open.c).

    Up to glibc 2.31 the new ones are sorted once more, and in a circle of dependencies `root` need not stay first.
    """
    if space.host.libc.version >= _ROOT_NEED_NOT_BE_FIRST:
        return root.dependencies
    return _sort_original([item for item in order if not item.relocated])


def _sort_original(order: list[Map]) -> list[Map]:
    """The algorithm up to glibc 2.34: move an object behind the last one that depends on it."""
    maps = list(order)
    count = len(maps)
    if count <= 1:
        return maps
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
            return maps
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

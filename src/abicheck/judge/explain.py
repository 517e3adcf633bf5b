"""Why a symbol binds as it does: which objects of a load refer to it, what each reference meets, and what was searched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.judge.loader import binding
from abicheck.judge.loader.memo import Memo
from abicheck.judge.loader.musl import relocation as musl
from abicheck.judge.loader.state import DiedError, Namespace
from abicheck.model.process import Binding

if TYPE_CHECKING:
    from abicheck.judge.loader.state import Map
    from abicheck.model.host import Host
    from abicheck.model.process import LinkMap
    from abicheck.model.symbols import Definition, Reference


def explain(link_map: LinkMap, host: Host, symbol: str) -> tuple[Binding, ...]:
    """What each reference to `symbol` in the objects that were loaded binds to; equal ones of one object are given once."""
    space = Namespace(host, link_map.process, Memo())
    scope = [space.maps[index] for index in link_map.scope]
    fresh = space.maps[len(space.maps) - len(link_map.objects) :]
    return tuple(
        dict.fromkeys(
            _bound(item, reference, scope, host)
            for item in fresh
            for reference in item.facts.references
            if reference.name == symbol
        )
    )


def _bound(item: Map, reference: Reference, scope: list[Map], host: Host) -> Binding:
    provider, definition = _find(reference, scope, host)
    searched = scope if provider is None else scope[: scope.index(provider) + 1]
    assert reference.name is not None
    return Binding(
        referrer=item.path,
        symbol=reference.name,
        version=None if reference.version is None else reference.version.name,
        weak=reference.weak,
        provider=None if provider is None else provider.path,
        provider_version=None if definition is None or definition.version is None else definition.version.name,
        searched=tuple(other.path for other in searched),
    )


def _find(reference: Reference, scope: list[Map], host: Host) -> tuple[Map | None, Definition | None]:
    assert reference.name is not None
    try:
        if host.libc.kind == "musl":
            return musl.find(reference.name, scope, defined=reference.plt_class), None
        return binding.find(reference, scope, host) or (None, None)
    except DiedError:  # the link map says that and how the loader dies
        return None, None

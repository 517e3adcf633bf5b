"""Whether the pins of a requirements.txt that is kept by hand allow one another: where they do not, pip installs none of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.judge.pins import admit, find_pins
from abicheck.model.index import Wheel
from abicheck.model.pins import Together
from abicheck.model.report import Failure
from abicheck.read.index.metadata import requires_of
from abicheck.read.index.tags import markers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from abicheck.model.index import Target
    from abicheck.model.lock import Lock, Selection
    from abicheck.read.index.store import Store

#: A longer file, as one with hashes, was made by a tool that saw to it; and an index takes half a second for each line.
_MOST_LINES = 20


def disagreements(lock: Lock, selection: Selection, changed: Collection[str], target: Target, store: Store) -> Iterator[Failure]:
    """The pins that what is pinned beside them does not allow, where one of both is `changed`."""
    packages = selection.packages
    if lock.format != "requirements" or len(packages) > _MOST_LINES or any(each.hashes for each in packages):
        return
    pinned = {each.name: each.version for each in packages if each.version}
    places = {each.name: each.place for each in packages}
    members = tuple(Wheel(name, pinned[name], "", "", lines) for name, lines in requires_of(pinned, target, store).items())
    together = Together(members, packages, markers(target), places)
    for name, version in pinned.items():
        for pin in find_pins(name, together):
            if pin.by and not {name, pin.by}.isdisjoint(changed) and not admit([pin], version):
                said = f"{pin.by} {pin.version} requires {name}{pin.specifier} ({pin.place}), and {name} {version} is pinned"
                yield Failure(places[name], f"{said}, which pip refuses; pin versions that agree")

"""What the rules look at that see more than one load: one distribution in its environment."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from abicheck.judge.loader.verify import MACHINES
from abicheck.judge.rules.subject import Subject
from abicheck.model.artifact import Sources
from abicheck.model.elf import SharedObject

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from abicheck.model.artifact import Distribution
    from abicheck.model.elf import ElfFile
    from abicheck.model.host import Host
    from abicheck.model.process import LinkMap
    from abicheck.model.report import RootKind, Window


class Target(NamedTuple):
    """The Python that is to import the extensions; `version` is None where it could not be told."""

    version: tuple[int, int] | None = None
    free_threaded: bool = False


class Load(NamedTuple):
    """One root that was loaded: its path on the host, its distribution's name, and what the load did."""

    distribution: str
    path: str
    kind: RootKind
    link_map: LinkMap


class Opened(NamedTuple):
    """A library that code opens by name while it runs: `opener` is the path of the object that does it, for `capability`."""

    name: str
    opener: str
    capability: str
    link_map: LinkMap


class NoWheel(NamedTuple):
    """The host's own Python, for which there is no wheel, and the newest Python that has one, each as in `3.13`.

    `name` is the distribution (None: the one that was asked for), `together` the newest Python for which all of its lock has one.
    """

    default: str
    newest: str
    name: str | None = None
    together: str | None = None


class Reached(NamedTuple):
    """What all loads of an environment brought: the OpenMP runtimes, and by soname the files where one soname led to several."""

    openmp: frozenset[str] = frozenset()
    several: Mapping[str, Mapping[str, SharedObject]] = MappingProxyType({})


class Context(NamedTuple):
    """One distribution, which the findings are about, and what its environment holds beside it.

    `loads` are those of all distributions of the environment, and `reached` sums them up. `facts` finds every binary by its path
    on the host (it may read lazily), `sources` and `opened` are the distribution's own. `no_wheel` is there where the host's own
    Python was passed over.
    """

    host: Host
    distribution: Distribution
    facts: Mapping[str, ElfFile]
    loads: tuple[Load, ...] = ()
    others: tuple[Distribution, ...] = ()
    python: Target = Target()
    sources: Sources = Sources()
    opened: tuple[Opened, ...] = ()
    no_wheel: NoWheel | None = None
    window: Window | None = None
    reached: Reached = Reached()

    @property
    def subject(self) -> Subject:
        """What findings are told with."""
        return Subject(self.host, (self.distribution, *self.others), self.window)

    @property
    def own_loads(self) -> Iterator[Load]:
        """The loads of the distribution's own roots."""
        return (load for load in self.loads if load.distribution == self.distribution.name)

    def own_objects(self) -> set[str]:
        """The paths of all that the loads of the distribution's own roots brought."""
        return {item.path for load in self.own_loads for item in load.link_map.objects}

    def objects(self) -> Iterator[tuple[str, SharedObject]]:
        """The distribution's own objects for the host's machine, by path."""
        machine = MACHINES[self.host.arch]
        for path in self.distribution.binaries:
            facts = self.facts.get(path)
            if isinstance(facts, SharedObject) and not facts.foreign and facts.header.machine == machine:
                yield path, facts

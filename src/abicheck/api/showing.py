"""`show`: what binaries ask of a host, as requirements cards."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from abicheck import __version__
from abicheck.api.kinds import kind_of
from abicheck.api.options import Options
from abicheck.api.selection import Selector, environment_of, is_environment
from abicheck.errors import HostError, PackageIndexError, TargetError
from abicheck.judge.requirements import ARCHES, choose_roots, gather, opens_by_name, python_need, unfit
from abicheck.model.artifact import Scheme
from abicheck.model.elf import SharedObject
from abicheck.model.report import Failure, Tool
from abicheck.model.requirements import Card, CardReport
from abicheck.read.artifacts.wheel import open_wheel
from abicheck.read.files import Disk, FactStore, Overlay
from abicheck.read.hosts import Wanted, open_host
from abicheck.read.loose import open_directory, open_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abicheck.model.artifact import Package
    from abicheck.model.elf import ElfFile
    from abicheck.model.wasm import ModuleCard

#: Where a wheel's files are said to be, which is left out of what is shown.
_ANYWHERE = Scheme("/site-packages", "/bin", "")


def show(targets: Sequence[str], *, every: bool = False, python: str | None = None, options: Options | None = None) -> CardReport:
    """Say for each target what it asks of a host: a card for each machine that it has code for.

    Files that are no wheels form one artifact together; WebAssembly modules have cards of their own. With `every` all needed
    versions are listed, not only the newest of each library. `python` and `options` choose the wheel of a requirement and the
    environment of an installed distribution, as for `check`; what they require is not looked at. What cannot be read is listed in
    `CardReport.errors`.
    """
    finder = Finder(python, (options or Options())._replace(dependencies=False))
    cards: list[Card] = []
    modules: list[ModuleCard] = []
    errors: list[Failure] = []
    for together in _artifacts(targets):
        with _noting_errors(together[0], errors):
            if kind_of(together[0]) == "module":
                modules += _module_cards(together[0])
                continue
            for package in finder.packages(together):
                cards += cards_of(package, every=every)
    return CardReport(Tool("abicheck", __version__), tuple(cards), tuple(errors), tuple(modules))


def _module_cards(target: str) -> Iterator[ModuleCard]:
    from abicheck.api.modules import module_cards  # noqa: PLC0415 -- few targets are one

    return module_cards(target)


@contextmanager
def _noting_errors(target: str, errors: list[Failure]) -> Iterator[None]:
    """What cannot be read is listed, and the rest goes on."""
    try:
        yield
    except (HostError, TargetError, PackageIndexError) as error:
        errors.append(Failure(error.subject or target, error.message))


def _artifacts(targets: Sequence[str]) -> list[list[str]]:
    """The targets, those that belong together in one list."""
    files = [target for target in targets if kind_of(target) == "file"]
    return [[target] for target in targets if target not in files] + ([files] if files else [])


class Finder:
    """Opens what targets mean; this machine is asked only where one is a requirement or the name of something installed."""

    def __init__(self, python: str | None, options: Options) -> None:
        self._python = python
        self._options = options
        self._selector: Selector | None = None

    def packages(self, targets: list[str]) -> Sequence[Package]:
        """The packages of one artifact, most often one."""
        kind = kind_of(targets[0])
        if kind == "lock":
            raise TargetError("a lock file, which has no card; give one of its packages, or judge it with check", targets[0])
        if kind == "file":
            return [open_files(targets)]
        if kind == "wheel":
            return [open_wheel(targets[0], _ANYWHERE, targets[0])]
        if kind == "environment" and not is_environment(targets[0]):
            return [open_directory(targets[0])]
        chosen = self._here().choose(kind, targets[0])
        if chosen.refused:
            raise TargetError(f"{chosen.refused[0][1].text}; name another Python with --python", targets[0])
        return [package for package in chosen.packages if package.distribution.binaries or kind != "environment"]

    def _here(self) -> Selector:
        """The selector of this machine with its Python, or with the one that was asked for."""
        if self._selector is None:
            store = FactStore()
            environment = environment_of(self._options.environment)
            wanted = Wanted(self._python or environment.python, may_lack=True)
            self._selector = Selector(open_host("local", python=wanted, store=store), self._options, store, environment)
        return self._selector


def cards_of(package: Package, *, every: bool = False) -> Iterator[Card]:
    """The cards of a package; paths are told from where it is (or would be) installed."""
    distribution = package.distribution
    found = _binaries(package)
    places = _places(package)
    passed_over = tuple((path, reason) for path, facts in found.items() if (reason := unfit(facts)))
    objects = {path: facts for path, facts in found.items() if isinstance(facts, SharedObject) and not unfit(facts)}
    if not objects and passed_over:
        path, reason = passed_over[0]
        raise TargetError(f"{reason}; give shared objects or programs for x86_64 or aarch64", places[path])
    if not objects:
        raise TargetError("no ELF file in it: it asks nothing of the host's loader", distribution.given)
    opened = {path: package.opened_names(places[path]) for path, facts in objects.items() if opens_by_name(facts)}
    for machine in dict.fromkeys(facts.header.machine for facts in objects.values()):
        mine = {path: facts for path, facts in objects.items() if facts.header.machine == machine}
        requirements = gather(
            mine,
            tuple(mine) if distribution.kind == "files" else choose_roots(mine),
            ARCHES[machine],
            python=python_need(distribution.tags, mine, distribution.requires_python),
            platforms=distribution.tags,
            opened=opened,
            every=every,
        )
        yield Card(
            distribution.name, distribution.version or None, distribution.kind, distribution.given, requirements, passed_over
        )


def objects_of(package: Package) -> dict[str, SharedObject]:
    """The shared objects of a package that abicheck can judge, by their paths as in its cards."""
    return {path: facts for path, facts in _binaries(package).items() if isinstance(facts, SharedObject) and not unfit(facts)}


def _places(package: Package) -> dict[str, str]:
    """The path of each binary, by what it is called in a card."""
    library = package.distribution.scheme.library
    return {path.removeprefix(f"{library}/" if library else ""): path for path in package.distribution.binaries}


def _binaries(package: Package) -> dict[str, ElfFile]:
    files = Overlay(Disk(FactStore()), package)
    places = _places(package).items()
    return {path: files.facts(file) for path, place in places if not isinstance(file := files.stat(place), int)}

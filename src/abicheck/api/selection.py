"""From what was given to the distributions that are judged: names, requirements, wheels and environments."""

from __future__ import annotations

import os
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from abicheck.api.kinds import NAME
from abicheck.api.wheelhouse import wheels_for
from abicheck.errors import TargetError
from abicheck.model.artifact import Scheme
from abicheck.model.index import NotInstallable, Target, Wheel
from abicheck.model.lock import LockedPackage
from abicheck.model.names import normalized
from abicheck.read.artifacts.environment import Environment, default_scheme, find_environment, this_environment
from abicheck.read.artifacts.installed import Found, find_distributions, open_installed
from abicheck.read.artifacts.wheel import open_wheel
from abicheck.read.files import Root
from abicheck.read.index.tags import full_version, markers, tags
from abicheck.read.locks import read_lock
from abicheck.read.loose import open_directory
from abicheck.read.specifiers import read_requirement, read_specifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from packaging.requirements import Requirement

    from abicheck.api.kinds import Kind
    from abicheck.api.options import Options
    from abicheck.model.artifact import Distribution, Package
    from abicheck.model.host import Host
    from abicheck.model.report import Failure
    from abicheck.read.files import FactStore

#: What pip says of a wheel whose tags do not fit (pip/_internal/req/constructors.py).
_UNSUPPORTED = "ERROR: {} is not a supported wheel on this platform."
_OTHER_PYTHON = "ERROR: Package '{}' requires a different Python: {} not in '{}'"


class Chosen(NamedTuple):
    """What one target comes to.

    `packages` are to be judged, `beside` finds what is installed beside them (asked for only where something fails), `refused` is
    what cannot be installed, by name, and `lacking` are sentences about what should be there and is not. Of a lock, which is all
    that is installed, `places` tells where each distribution is pinned, and `failures` what is not judged. `asked` are the lines
    of a lock, or the requirement, that an index was asked for.
    """

    packages: tuple[Package, ...] = ()
    beside: Callable[[], tuple[Package, ...]] = tuple
    refused: tuple[tuple[str, NotInstallable], ...] = ()
    lacking: tuple[str, ...] = ()
    places: Mapping[str, str] = MappingProxyType({})
    failures: tuple[Failure, ...] = ()
    asked: tuple[LockedPackage, ...] = ()


def environment_of(given: str | None) -> Environment:
    """The environment that was named, else that of `$VIRTUAL_ENV`, else the one of this interpreter."""
    given = given or os.environ.get("VIRTUAL_ENV") or None
    return find_environment(given) if given else this_environment()


def is_environment(directory: str) -> bool:
    """True for a directory that holds installed distributions; any other is just a directory with files in it."""
    try:
        find_environment(directory)
    except TargetError:
        return False
    return True


class Selector:
    """Finds the distributions that targets mean on one host."""

    def __init__(self, host: Host, options: Options, store: FactStore, environment: Environment | None) -> None:
        assert host.python is not None
        self.host = host
        self._options = options
        self._store = store
        self._environment = environment
        self._installed: dict[str, Found] | None = None
        self._opened: dict[str, Package] = {}
        version = host.python.version or (3, 0)
        self.target = Target(version, host.arch, host.libc, host.python.free_threaded)
        scheme = default_scheme(host.files, host.python.path, version)
        self.scheme = scheme._replace(library=options.prefix) if options.prefix else scheme

    def choose(self, kind: Kind, given: str) -> Chosen:
        """The distributions that `given` means. Raises `TargetError` and `PackageIndexError`."""
        if kind == "wheel":
            return self._wheel(given)
        if kind == "requirement":
            return self._requirement(given)
        if kind == "environment":
            return self._whole(given)
        if kind == "lock":
            return self._lock(given)
        if kind == "wheelhouse":
            return self._wheelhouse(given)
        return self._name(given)

    def _wheel(self, given: str) -> Chosen:
        package = open_wheel(given, self.scheme, given, verify=self._options.verify_record)
        text = self._refusal(package.distribution, given)
        if text is None:
            return Chosen((package,))
        name, version = package.distribution.name, package.distribution.version
        refused = NotInstallable(f"{name}=={version}", text, version, tags=package.distribution.tags)
        return Chosen(refused=((given, refused),))

    def _refusal(self, distribution: Distribution, given: str) -> str | None:
        """What pip says of a wheel that it does not take for the target Python on this host."""
        if set(distribution.tags).isdisjoint(tags(self.target)):
            return _UNSUPPORTED.format(os.path.basename(given))
        wanted = distribution.requires_python
        if wanted is None:
            return None
        from packaging.specifiers import InvalidSpecifier  # noqa: PLC0415 -- most wheels say it in their tags

        version = full_version(self.target)
        try:
            fits = read_specifier(wanted).contains(version, prereleases=True)
        except InvalidSpecifier:  # pip passes over it, too
            return None
        spelled = ".".join(map(str, self.target.python))
        return None if fits else _OTHER_PYTHON.format(distribution.name, spelled, wanted)

    def _requirement(self, given: str) -> Chosen:
        from packaging.requirements import InvalidRequirement  # noqa: PLC0415 -- asked for where one is given

        from abicheck.read.index.closure import closure  # noqa: PLC0415 -- as above
        from abicheck.read.index.fetch import fetch  # noqa: PLC0415 -- as above
        from abicheck.read.index.store import open_store  # noqa: PLC0415 -- as above

        try:
            requirement = read_requirement(given)
        except InvalidRequirement as error:
            raise TargetError(f"no requirement ({str(error).splitlines()[0]}); write it as NAME==VERSION", given) from None
        if requirement.url:
            raise TargetError("a requirement with a URL; download the wheel and give its path", given)
        store = open_store(offline=self._options.offline)
        if self._options.dependencies:
            outcomes = [(member.name, member.outcome) for member in closure([requirement], self.target, store)]
        else:
            outcomes = [(requirement.name, fetch(requirement, self.target, store))]
        wheels = [
            open_wheel(each.path, self.scheme, given if not at else name, yanked=each.yanked)
            for at, (name, each) in _wheels(outcomes)
        ]
        refused = tuple((name, each) for name, each in outcomes if isinstance(each, NotInstallable))
        asked = LockedPackage(normalized(requirement.name), None, given, 0, extras=tuple(requirement.extras))
        return Chosen(tuple(wheels), refused=refused, asked=(asked,))

    def _lock(self, given: str) -> Chosen:
        from abicheck.api.locked import fetch_locked  # noqa: PLC0415 -- asked for where one is given
        from abicheck.read.index.store import open_store  # noqa: PLC0415 -- as above

        store = open_store(offline=self._options.offline)
        lock = read_lock(given, self._options.extras, self._options.groups)
        found = fetch_locked(lock, self.target, store, dependencies=self._options.dependencies)
        packages = found.opened(self.scheme)
        return Chosen(packages, refused=found.refused, places=found.places, failures=found.failures, asked=found.asked)

    def _wheelhouse(self, given: str) -> Chosen:
        packages: list[Package] = []
        refused: list[tuple[str, NotInstallable]] = []
        for name, found in wheels_for(given, self.target):
            chosen = self._wheel(found) if isinstance(found, str) else Chosen(refused=((name, found),))
            packages += chosen.packages
            refused += chosen.refused
        return Chosen(tuple(packages), refused=tuple(refused))

    def _whole(self, given: str) -> Chosen:
        if not is_environment(given):
            return Chosen((open_directory(given),))
        self._environment = find_environment(given)
        self._installed = None
        packages, obstacles = self._open_all(self._found().values())
        return Chosen(packages, lacking=obstacles)

    def _name(self, given: str) -> Chosen:
        written = NAME.fullmatch(given)
        if written is None:
            raise TargetError("no such file, and no name of a distribution; give a path or a name", given)
        installed = self._found()
        name = normalized(written[1])
        if name not in installed:
            where = self._environment.prefix if self._environment else "this environment"
            raise TargetError(f"not installed in {where}; for a release from the index write {given}==VERSION", given)
        wanted, lacking = self._closure(given) if self._options.dependencies else ([name], [])
        packages = tuple(self._open(installed[each], given if each == name else each) for each in wanted)
        return Chosen(packages, lambda: self._others(wanted), lacking=tuple(lacking))

    def _others(self, wanted: Sequence[str]) -> tuple[Package, ...]:
        """All else that is installed in the environment."""
        return self._open_all(found for name, found in self._found().items() if name not in wanted)[0]

    def _open_all(self, installed: Iterable[Found]) -> tuple[tuple[Package, ...], tuple[str, ...]]:
        """What can be judged of these, and a sentence about each of the others."""
        packages: list[Package] = []
        obstacles: list[str] = []
        for found in installed:
            try:
                packages.append(self._open(found, found.name))
            except TargetError as error:  # noqa: PERF203 -- few are damaged
                obstacles.append(f"{found.name}: {error.message}")
        return tuple(packages), tuple(obstacles)

    def _closure(self, given: str) -> tuple[list[str], list[str]]:
        """The installed distributions that come with one, breadth first, and sentences about those that are not there."""
        from packaging.requirements import Requirement  # noqa: PLC0415 -- costs 15 ms

        values = markers(self.target)
        seen: dict[str, set[str]] = {}
        lacking: list[str] = []
        pending = [(Requirement(given), "")]
        for wanted, asked_by in pending:
            name = normalized(wanted.name)
            fresh = {"", *wanted.extras} - seen.get(name, set())
            found = self._found().get(name)
            if found is None or found.obstacle:
                why = found.obstacle if found else "not installed"
                lacking.append(f"{asked_by} requires {wanted.name}, which is {why}" if asked_by else f"{name} is {why}")
            elif fresh:
                seen.setdefault(name, set()).update(fresh)
                lines = _requirements(self._open(found, name).distribution, lacking)
                pending.extend((each, name) for each in lines if _applies(each, values, fresh))
        return list(seen), list(dict.fromkeys(lacking))

    def _found(self) -> dict[str, Found]:
        """What is installed in the environment, by name; of two of one name that on the earlier directory of sys.path."""
        if self._installed is None:
            environment = self._environment or environment_of(self._options.environment)
            self._environment = environment
            self._installed = {}
            for library in environment.libraries:
                for found in find_distributions(library):
                    self._installed.setdefault(found.name, found)
        return self._installed

    def _open(self, found: Found, given: str) -> Package:
        """An installed distribution, at its own path where the host has that, else where the host's Python would have it."""
        known = self._opened.get(found.place)
        if known is None:
            here = self._here(found)
            there, shown = self._there(here)
            verify = self._options.verify_record
            known = open_installed(
                found.place, here=here, there=there, store=self._store, given=given, shown=shown, verify=verify
            )
            self._opened[found.place] = known
        return known

    def _here(self, found: Found) -> Scheme:
        environment = self._environment
        assert environment is not None
        return environment.scheme._replace(library=os.path.dirname(found.place))

    def _there(self, here: Scheme) -> tuple[Scheme, bool]:
        """Where the environment lies on the host, and whether the host must be shown it."""
        files = self.host.files
        if not isinstance(files, Root):
            return here, False
        inside = [files.inner(path) for path in here]
        if all(path is not None for path in inside):
            return Scheme(*[path or "" for path in inside]), False
        return self.scheme, True


def _applies(requirement: Requirement, values: Mapping[str, str], extras: Iterable[str]) -> bool:
    """Whether the marker of a line holds for one of these extras ("" for none)."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({**values, "extra": extra}) for extra in extras)


def _requirements(distribution: Distribution, lacking: list[str]) -> Iterator[Requirement]:
    """The Requires-Dist lines that can be read; sentences about the others go to `lacking`."""
    from packaging.requirements import InvalidRequirement  # noqa: PLC0415 -- costs 15 ms

    for line in distribution.requires:
        try:
            yield read_requirement(line)
        except InvalidRequirement:  # noqa: PERF203 -- few are
            lacking.append(f"{distribution.name} requires {line!r}, which no installer can read; ask its maintainers")


def _wheels(outcomes: Sequence[tuple[str, object]]) -> Iterator[tuple[int, tuple[str, Wheel]]]:
    for at, (name, outcome) in enumerate(outcomes):
        if isinstance(outcome, Wheel):
            yield at, (name, outcome)

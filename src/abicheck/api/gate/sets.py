"""Two environments, or two directories of wheels, without a host: what comes, what goes, and what they ask of any host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abicheck.api.gate.needs import ANY_GLIBC, package_needs
from abicheck.api.kinds import kind_of
from abicheck.api.selection import Selector
from abicheck.api.wheelhouse import pythons_of
from abicheck.errors import HostError, TargetError
from abicheck.judge.gate import compare_names
from abicheck.model.report import Failure
from abicheck.read.files import FactStore
from abicheck.read.hosts import Wanted, open_host

if TYPE_CHECKING:
    from abicheck.api.options import Options
    from abicheck.model.artifact import Package
    from abicheck.model.gate import Change

#: Targets that are sets of distributions.
KINDS = ("environment", "wheelhouse")


def set_needs(old: str, new: str, python: str | None, options: Options) -> tuple[list[Change], list[Failure]]:
    """What changes between two sets of distributions, by name; and what could not be read.

    Of a directory of wheels it is what pip takes for `python`, else for the newest Python for which all of `old` has wheels, on
    the newest glibc and this machine's processor.
    """
    failures: list[Failure] = []
    try:
        before, after = (_packages(each, python or _python_of(old, options), options, failures) for each in (old, new))
    except (HostError, TargetError) as error:
        return [], [Failure(error.subject, error.message)]
    versions = [{each.distribution.name: each.distribution.version for each in side} for side in (before, after)]
    return [*compare_names(*versions), *package_needs(before, after, exports=True)], failures


def _selector(python: str | None, options: Options) -> Selector:
    host = open_host("local", python=Wanted(python, may_lack=True), store=FactStore())
    newest = host._replace(libc=ANY_GLIBC) if host.libc.kind == "glibc" else host
    return Selector(newest, options, FactStore(), None)


def _python_of(directory: str, options: Options) -> str | None:
    if kind_of(directory) != "wheelhouse":
        return None
    found = pythons_of(directory, _selector(None, options).host).values()
    common = set.intersection(*map(set, found)) if found else set()
    return ".".join(map(str, max(common))) if common else None


def _packages(target: str, python: str | None, options: Options, failures: list[Failure]) -> tuple[Package, ...]:
    chosen = _selector(python, options).choose(kind_of(target), target)
    failures += [Failure(target, f"{name}: {each.text}; name another Python with --python") for name, each in chosen.refused]
    failures += [Failure(target, each) for each in chosen.lacking]
    return chosen.packages

"""`gate`: what an upgrade changes on hosts, or for any host."""

from __future__ import annotations

import posixpath
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

from abicheck import __version__
from abicheck.api.checking import check
from abicheck.api.gate.fallback import with_fallback
from abicheck.api.gate.needs import needs
from abicheck.api.ignoring import expired
from abicheck.api.kinds import kind_of
from abicheck.api.options import Options
from abicheck.api.places import places
from abicheck.api.selection import is_environment
from abicheck.api.work import Task
from abicheck.errors import HostError, PackageIndexError, TargetError, UsageError
from abicheck.judge.gate import believed, compare_results, together
from abicheck.model.gate import GateReport
from abicheck.model.report import Failure, Tool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from abicheck.api.kinds import Kind
    from abicheck.model.gate import Change, FailOn
    from abicheck.model.report import Report

#: One artifact each, of which a requirements card can be made.
_ARTIFACTS = ("requirement", "wheel", "file", "installed")
#: What is the same for all hosts is told of the artifact, once.
_OF_WINDOW = ("narrowed", "widened")


class _Found(NamedTuple):
    """What changes, of how many packages on hosts nothing is to be said, and what could not be judged."""

    changes: list[Change]
    unchanged: int
    errors: list[Failure]


def gate(
    old: str,
    new: str,
    hosts: Sequence[str] = (),
    *,
    python: str | None = None,
    fail_on: FailOn = "new",
    options: Options | None = None,
) -> GateReport:
    """Compare two artifacts, environments or lock files: the verdicts on each host, and what they ask of any host.

    `old` and `new` are targets as `check` takes them, or `git:REV:PATH` for what lies at PATH in a revision. Without hosts only
    what they ask for is compared, for which both must be one artifact, or sets of the same kind. Of two locks only what differs
    is fetched and judged, for the Python that `old` takes on the host unless `python` names another. What could not be judged is
    listed in `GateReport.errors`. Raises `UsageError` for an unknown host, and where nothing can be compared.
    """
    started = time.perf_counter()
    options = options or Options()
    with ExitStack() as stack:
        try:
            names: dict[str, str] = {}
            before, after = (_reached(each, stack, names) for each in (old, new))
        except TargetError as error:
            found = _Found([], 0, [Failure(error.subject, error.message)])
        else:
            found = _compared(before, after, hosts, python, options)
            told = [Failure(*(_shown(text, names) for text in each)) for each in found.errors]
            found = found._replace(errors=told, changes=[_placed(change, names) for change in found.changes])
    tool = Tool("abicheck", __version__)
    seconds = time.perf_counter() - started
    errors = tuple(dict.fromkeys(found.errors))
    changes = tuple(together(found.changes))
    report = GateReport(tool, old, new, tuple(hosts), changes, found.unchanged, errors, seconds, fail_on)
    return report._replace(expired=expired(options.ignores))


def _reached(given: str, stack: ExitStack, names: dict[str, str]) -> str:
    """Where a target lies as long as the stack lasts; `names` gets what to call a directory that no message is to name."""
    from abicheck.read.revision import PREFIX, revision  # noqa: PLC0415 -- few name one

    if not given.startswith(PREFIX):
        return given
    path, directory = stack.enter_context(revision(given))
    names[f"{directory}/"] = given[: given.index(":", len(PREFIX)) + 1]
    return path


def _shown(text: str, names: Mapping[str, str]) -> str:
    """A message without the directories in which revisions lie for the moment."""
    for directory, name in names.items():
        text = text.replace(directory, name)
    return text


def _placed(change: Change, names: Mapping[str, str]) -> Change:
    """A change without these directories: its line is that of the file in the repository, which alerts are to point at."""
    location = change.location
    for directory in names:
        if location and location.startswith(directory):
            location = posixpath.normpath(location.removeprefix(directory))
    return change._replace(location=location, why=tuple(_shown(each, names) for each in change.why))


def _compared(old: str, new: str, hosts: Sequence[str], python: str | None, options: Options) -> _Found:
    kinds = kind_of(old), kind_of(new)
    if kinds == ("lock", "lock"):
        return _of_locks(old, new, hosts, python, options)
    if not hosts and not all(map(_is_single, kinds, (old, new))):
        return _of_sets(old, new, python, options)
    single = not hosts or all(kind in _ARTIFACTS for kind in kinds)
    return _of_targets(old, new, hosts, python, options, single=single)


def _of_locks(old: str, new: str, hosts: Sequence[str], python: str | None, options: Options) -> _Found:
    """What differs between two locks, host by host; without hosts what the packages ask for that differ for this machine."""
    from abicheck.api.gate.locks import Comparison  # noqa: PLC0415 -- few compare locks
    from abicheck.api.wheels import Wheels  # noqa: PLC0415 -- as above
    from abicheck.read.files import FactStore  # noqa: PLC0415 -- as above
    from abicheck.read.locks import read_lock  # noqa: PLC0415 -- as above

    found = _Found([], 0, [])
    try:
        before, after = (read_lock(each, options.extras, options.groups) for each in (old, new))
    except TargetError as error:
        return _Found([], 0, [Failure(error.subject, error.message)])
    store, wheels = FactStore(), Wheels(stored=options.stored)
    with places(hosts or ("local",)) as (reached, failures):
        found.errors.extend(failures)
        for place in reached:
            try:
                comparison = Comparison((before, after), Task(place, python, {}, (), options), store, wheels)
                compared = comparison.run() if hosts else comparison.pins()
            except (HostError, TargetError, PackageIndexError) as error:
                found.errors.append(Failure(error.subject, error.message))
                continue
            told = [each for each in compared.needs if each.kind not in _OF_WINDOW or not hosts]
            changes = with_fallback(compared.changes, compared.old.results, compared.new.results, options)
            found.changes.extend(comparison.located([*changes, *told]))
            found.errors.extend((*compared.old.failures, *compared.new.failures))
            found = found._replace(unchanged=found.unchanged + compared.unchanged)
    return found


def _is_single(kind: Kind, given: str) -> bool:
    """Whether a card can be made of it: of a directory where nothing is installed in it, but lie files."""
    return kind in _ARTIFACTS or (kind == "environment" and not is_environment(given))


def _of_sets(old: str, new: str, python: str | None, options: Options) -> _Found:
    from abicheck.api.gate.sets import KINDS, set_needs  # noqa: PLC0415 -- few compare these without a host

    kinds = {kind_of(each) for each in (old, new)}
    if not kinds.issubset(KINDS):
        raise UsageError(f"{old} and {new} are compared on hosts; name one with --host")
    changes, errors = set_needs(old, new, python, options)
    return _Found(changes, 0, errors)


def _of_targets(old: str, new: str, hosts: Sequence[str], python: str | None, options: Options, *, single: bool) -> _Found:
    """The difference between what `check` says of both, each artifact alone; and between their requirements cards."""
    options = options._replace(dependencies=options.dependencies and not single)
    found = _Found([], 0, [])
    if hosts:
        before, after = (check([target], hosts, python=python, options=options) for target in (old, new))
        changes, unchanged = compare_results(before.results, after.results)
        told = believed(changes, old=not before.errors, new=not after.errors)
        found = _Found(
            list(with_fallback(told, before.results, after.results, options)), unchanged, [*before.errors, *after.errors]
        )
        python = python or _python_of(after)
    if single:
        said, failures = needs(old, new, python, options, exports=not hosts)
        # With hosts it was said there what cannot be judged; a package without native code asks for nothing.
        found.errors.extend(failures if not hosts else ())
        found.changes.extend(change for change in said if change.kind not in _OF_WINDOW or not hosts)
    return found


def _python_of(report: Report) -> str | None:
    """The Python of a wheel that was judged: its card is read."""
    found = (result.python.version for result in report.results if result.verdict != "not-installable")
    return next((version for version in found if version), None)

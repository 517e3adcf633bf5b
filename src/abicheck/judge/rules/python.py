"""Rules about the Python that is to import an extension."""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from abicheck.judge.rules.objects import wanted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from abicheck.judge.rules.context import Context, Target
    from abicheck.model.report import Finding, Severity

_NAMED = re.compile(
    r"(?P<module>[^./]+)\.(?:cpython-(?P<major>\d)(?P<minor>\d+)(?P<t>t?)-(?P<arch>[^-.]+)-[^.]+|(?P<abi3>abi3))\.so"
)
_ABI3_TAG = re.compile(r"cp(\d)(\d+)-abi3-")


class _Extension(NamedTuple):
    """An extension whose file name tells what it is for: `arch` is None for abi3, whose `version` is the lowest one."""

    path: str
    module: str
    version: tuple[int, int] | None
    free_threaded: bool
    arch: str | None

    def __str__(self) -> str:
        version = ".".join(map(str, self.version)) if self.version else "3"
        if self.arch is None:
            return f"Python {version} and newer, with the GIL"
        return f"{_kind(version, free_threaded=self.free_threaded)} on {self.arch}"

    def fits_version(self, target: Target) -> bool:
        if self.version is None or target.version is None:
            return True
        return target.version >= self.version if self.arch is None else target.version == self.version


def _kind(version: str, *, free_threaded: bool) -> str:
    return f"free-threaded Python {version}" if free_threaded else f"Python {version}"


@lru_cache(maxsize=64)
def _extensions(binaries: tuple[str, ...], tags: tuple[str, ...]) -> Mapping[str, list[_Extension]]:
    """The extensions of a distribution with a telling name, by the path of the module without its suffix."""
    floors = [(int(match[1]), int(match[2])) for tag in tags if (match := _ABI3_TAG.match(tag))]
    found: dict[str, list[_Extension]] = {}
    for path in binaries:
        match = _NAMED.fullmatch(posixpath.basename(path))
        if match is not None:
            floor = min(floors, default=None)
            version = floor if match["abi3"] else (int(match["major"]), int(match["minor"]))
            extension = _Extension(path, match["module"], version, bool(match["t"]), match["arch"])
            found.setdefault(posixpath.join(posixpath.dirname(path), match["module"]), []).append(extension)
    return found


def _unseen(context: Context) -> dict[str, _Extension]:
    """The modules that the target Python has no file for, by their path, each with the file that comes closest."""
    target = context.python
    if target.version is None:
        return {}
    unseen = {}
    binaries = context.distribution.binaries
    for module, files in _extensions(binaries, context.distribution.tags).items():
        here = [each for each in files if each.arch in (None, context.host.arch)]
        right = [each for each in here if each.fits_version(target)]
        if f"{module}.so" not in binaries and not any(each.free_threaded == target.free_threaded for each in right):
            unseen[module] = (right or here or files)[0]
    return unseen


def python_mismatch(context: Context) -> Iterator[Finding]:
    """An extension's name is for another version of Python, or for the other kind of the same version."""
    unseen = _unseen(context)
    severity: Severity = (
        "error" if len(unseen) == len(_extensions(context.distribution.binaries, context.distribution.tags)) else "warning"
    )
    version = ".".join(map(str, context.python.version or ()))
    by_kind: dict[tuple[str, str], list[_Extension]] = {}
    for extension in unseen.values():
        is_of_the_version = extension.fits_version(context.python) and extension.arch in (None, context.host.arch)
        rule = "free-threaded-mismatch" if is_of_the_version else "interpreter-mismatch"
        by_kind.setdefault((rule, str(extension)), []).append(extension)
    for (rule, needed), (first, *others) in by_kind.items():
        yield context.subject.finding(
            rule,
            first.path,
            severity=severity,
            evidence=(f"so are {len(others):,} other extensions of it",) if others else (),
            needed=needed,
            offered=_kind(version, free_threaded=context.python.free_threaded),
            python=version,
        )


def gil_reenabled(context: Context) -> Iterator[Finding]:
    """An extension for a free-threaded Python makes its module in one step, and nothing in it can say that it needs no GIL."""
    if not context.python.free_threaded:
        return
    unseen = {extension.path for extension in _unseen(context).values()}
    for path, facts in context.objects():
        module = posixpath.basename(path).partition(".")[0]
        if path in unseen or f"PyInit_{module}" not in facts.definitions:
            continue
        names = {name for _, name in wanted(facts)}
        if "PyModule_Create2" in names and names.isdisjoint(("PyUnstable_Module_SetGIL", "PyModuleDef_Init")):
            evidence = ("it refers to PyModule_Create2, and neither to PyUnstable_Module_SetGIL nor to PyModuleDef_Init",)
            yield context.subject.finding("gil-reenabled", path, evidence=evidence, confidence="likely")


def extension_silently_missing(context: Context) -> Iterator[Finding]:
    """A guarded import names an extension of the distribution that does not load, or that the target Python does not see."""
    unseen = _unseen(context)
    failed = {_module_path(load.path): load for load in context.own_loads if load.link_map.errors}
    guards: dict[str, list[str]] = {}
    for guard in context.sources.guarded:
        guards.setdefault(guard.module, []).append(f"{guard.path}:{guard.line} goes on without {guard.module}")
    for module, lines in guards.items():
        place = f"{context.distribution.scheme.library}/{module.replace('.', '/')}"
        if place in unseen:
            extension = unseen[place]
            yield context.subject.finding(
                "extension-silently-missing",
                extension.path,
                evidence=lines,
                confidence="likely",
                name=module,
                needed=str(extension),
            )
        elif place in failed:
            yield context.subject.finding(
                "extension-silently-missing",
                failed[place].path,
                evidence=(failed[place].link_map.predicted or "", *lines),
                confidence="possible",
                name=module,
            )


def _module_path(path: str) -> str:
    """The path of a module without what stands behind its name."""
    directory, _, name = path.rpartition("/")
    return f"{directory}/{name.partition('.')[0]}"


def no_wheel_for_default_python(context: Context) -> Iterator[Finding]:
    """The host's own Python was passed over, because there is no wheel for it."""
    if context.no_wheel is not None:
        place = context.distribution.name
        default, newest, _, together = context.no_wheel
        yield context.subject.finding("no-wheel-for-default-python", place, offered=default, needed=newest, others=together)

"""Rules about what a distribution says of itself."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from abicheck.judge.rules import pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.judge.rules.context import Context
    from abicheck.model.elf import SharedObject
    from abicheck.model.report import Finding

_Numbers = tuple[int, ...]

_SHOWN = 20
_PROBLEMS = {
    "not-in-record": "{} not listed",
    "missing": "{} missing",
    "size": "{} of another size",
    "hash": "{} with another hash",
    "no-record": "there is no RECORD",
    "duplicate": "{} more than once in the archive",
    "header-mismatch": "{} with contradicting headers in the archive",
}

_LEGACY = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_TAG = re.compile(r"(?P<legacy>manylinux1|manylinux2010|manylinux2014)_|manylinux_(?P<major>\d+)_(?P<minor>\d+)_")
_VERSION = re.compile(r"(GLIBC|GLIBCXX|CXXABI|GCC)_(\d+(?:\.\d+)+)")
_RELR_MARKER, _RELR_SINCE = "GLIBC_ABI_DT_RELR", (2, 36)
#: What each manylinux tag lets a wheel want from libstdc++ and libgcc: the newest GLIBCXX, CXXABI and GCC, by machine and glibc.
#: From manylinux-policy.json of auditwheel 6.8.2 (its intersection of what all distributions of that age have). Tags in between
#: count as the one before; of newer ones nothing is known.
_LIMITS: dict[str, dict[_Numbers, tuple[_Numbers, _Numbers, _Numbers]]] = {
    "x86_64": {
        (2, 5): ((3, 4, 8), (1, 3, 1), (4, 2, 0)),
        (2, 12): ((3, 4, 13), (1, 3, 3), (4, 3, 0)),
        (2, 17): ((3, 4, 19), (1, 3, 7), (4, 8, 0)),
        (2, 24): ((3, 4, 22), (1, 3, 10), (4, 8, 0)),
        (2, 27): ((3, 4, 24), (1, 3, 11), (7, 0, 0)),
        (2, 31): ((3, 4, 28), (1, 3, 12), (7, 0, 0)),
        (2, 34): ((3, 4, 29), (1, 3, 13), (7, 0, 0)),
        (2, 35): ((3, 4, 30), (1, 3, 13), (12, 0, 0)),
        (2, 39): ((3, 4, 33), (1, 3, 15), (14, 0, 0)),
    },
    "aarch64": {
        (2, 17): ((3, 4, 19), (1, 3, 7), (4, 7, 0)),
        (2, 24): ((3, 4, 22), (1, 3, 10), (4, 7, 0)),
        (2, 26): ((3, 4, 24), (1, 3, 11), (7, 0, 0)),
        (2, 31): ((3, 4, 28), (1, 3, 12), (7, 0, 0)),
        (2, 34): ((3, 4, 29), (1, 3, 13), (11, 0)),
        (2, 39): ((3, 4, 33), (1, 3, 15), (14, 0, 0)),
    },
}
_LIMITS_KNOWN_TO = (2, 41)
#: CentOS 7 for aarch64 has GLIBC_2.18 in its glibc 2.17, and the policy allows it.
_AARCH64_EXTRA: dict[_Numbers, _Numbers] = {(2, 17): (2, 18)}


def record_mismatch(context: Context) -> Iterator[Finding]:
    """The files of the distribution are not those that its RECORD lists."""
    problems = context.distribution.problems
    if not problems:
        return
    counts = Counter(problem.kind for problem in problems)
    lines = [f"{problem.path}: {problem.detail}" for problem in problems[:_SHOWN]]
    if len(problems) > _SHOWN:
        lines.append(f"and {len(problems) - _SHOWN:,} more")
    others = ", ".join(_PROBLEMS[kind].format(f"{count:,}") for kind, count in counts.items())
    name, version = context.distribution.name, context.distribution.version
    place = context.distribution.place
    yield context.subject.finding("record-mismatch", place, evidence=lines, others=others, package=name, version=version)


def yanked_release(context: Context) -> Iterator[Finding]:
    """The maintainers took the release back, and installers take it only because it is pinned."""
    name, version, reason = context.distribution.name, context.distribution.version, context.distribution.yanked
    if reason is not None:
        file = posixpath.basename(context.distribution.place)
        yield context.subject.finding("yanked-release", file, package=name, version=version, reason=reason.rstrip(". ") or None)


def no_native_code(context: Context) -> Iterator[Finding]:
    """Nothing of the distribution is for a loader."""
    distribution = context.distribution
    if not distribution.binaries and not any(context.own_loads):
        yield pages.finding("no-native-code", {"object": distribution.name})


class _Excess(NamedTuple):
    """A version that an object wants and that the tag does not promise."""

    numbers: _Numbers
    version: str
    file: str


def tag_understates(context: Context) -> Iterator[Finding]:
    """An object wants a newer version from the host than the wheel's lowest manylinux tag promises; the worst of each object."""
    promise = _promise(context.distribution.tags)
    if promise is None:
        return
    bundled = {
        name
        for path, facts in context.objects()
        for name in (path.rpartition("/")[2], facts.dynamic.soname if facts.dynamic else None)
        if name
    }
    limits = _limits(promise, context.host.arch)
    for path, facts in context.objects():
        excesses = list(_excesses(facts, limits, bundled))
        if excesses:
            # A glibc that is too old is told first: it decides on which systems pip installs the wheel.
            worst = max(excesses, key=lambda each: (each.version.startswith("GLIBC_"), each.numbers))
            offered = f"glibc {'.'.join(map(str, promise))}"
            evidence = tuple(dict.fromkeys(f"{each.version} of {each.file}" for each in excesses))
            needed = f"{worst.version} of {worst.file}"
            yield context.subject.finding("tag-understates", path, needed=needed, offered=offered, evidence=evidence)


@lru_cache(maxsize=64)
def _promise(tags: tuple[str, ...]) -> _Numbers | None:
    """The oldest glibc that any of the tags admits; None where one of them promises nothing (linux_x86_64) or there is none."""
    found = []
    for tag in tags:
        match = _TAG.match(tag.rpartition("-")[2])
        if match is None:
            return None
        found.append(_LEGACY[match["legacy"]] if match["legacy"] else (int(match["major"]), int(match["minor"])))
    return min(found, default=None)


def _limits(promise: _Numbers, arch: str) -> dict[str, _Numbers]:
    """The newest version of each kind that the tag admits."""
    limits = {"GLIBC": _AARCH64_EXTRA.get(promise, promise) if arch == "aarch64" else promise}
    rows = [row for row in _LIMITS[arch] if row <= promise <= _LIMITS_KNOWN_TO]
    if rows:
        limits |= dict(zip(("GLIBCXX", "CXXABI", "GCC"), _LIMITS[arch][max(rows)], strict=True))
    return limits


def _excesses(facts: SharedObject, limits: dict[str, _Numbers], bundled: set[str]) -> Iterator[_Excess]:
    for need in facts.version_needs:
        if need.file in bundled:
            continue
        for version in need.versions:
            parsed = _parse(version.name)
            if version.flags & 2:  # VER_FLG_WEAK: may be absent
                continue
            if version.name == _RELR_MARKER and limits["GLIBC"] < _RELR_SINCE:
                yield _Excess(_RELR_SINCE, version.name, need.file)
            elif parsed is not None and parsed[1] > limits.get(parsed[0], parsed[1]):
                yield _Excess(parsed[1], version.name, need.file)


@lru_cache(maxsize=1 << 10)
def _parse(version: str) -> tuple[str, _Numbers] | None:
    """The prefix and the numbers of a version such as `GLIBC_2.17`."""
    match = _VERSION.fullmatch(version)
    return (match[1], tuple(map(int, match[2].split(".")))) if match else None

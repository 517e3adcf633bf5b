"""Rules about what several packages bring into one process."""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from abicheck.judge.rules.context import Reached
from abicheck.judge.rules.subject import shown
from abicheck.model.elf import SharedObject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from abicheck.judge.rules.context import Context, Load
    from abicheck.model.elf import ElfFile
    from abicheck.model.report import Finding, Severity

#: GNU's, Intel's and LLVM's runtime, with the hash that auditwheel puts into the name.
_OPENMP = re.compile(r"lib(?P<runtime>gomp|iomp5|omp)(?:-[0-9a-f]{6,})?\.so[.\d]*")

#: What auditwheel puts into the name of a library that it bundles.
_HASHED = re.compile(r"-[0-9a-f]{8}[-.]")


def duplicate_openmp(context: Context) -> Iterator[Finding]:
    """Several OpenMP runtimes, told apart by soname (one of a name serves all), of which this distribution brings or uses one."""
    own = {*filter(_is_openmp, context.distribution.binaries), *filter(_is_openmp, context.own_objects())}
    beside = {path for other in context.others for path in other.binaries if _is_openmp(path)} | context.reached.openmp
    by_name: dict[str, str] = {}
    for path in (*sorted(own), *sorted(beside - own)):
        by_name.setdefault(_soname(context.facts.get(path)) or posixpath.basename(path), path)
    if own and len(by_name) > 1:
        runtimes = [match["runtime"] for path in by_name.values() if (match := _OPENMP.fullmatch(posixpath.basename(path)))]
        severity: Severity = "warning" if len(runtimes) - runtimes.count("gomp") > 1 else "note"
        yield context.subject.finding(
            "duplicate-openmp",
            min(own),
            count=str(len(by_name)),
            others=", ".join(_shown(path, context) for path in by_name.values()),
            severity=severity,
            confidence="possible",
        )


@lru_cache(maxsize=1 << 12)
def _is_openmp(path: str) -> bool:
    return _OPENMP.fullmatch(posixpath.basename(path)) is not None


def reached(loads: Iterable[Load]) -> Reached:
    """What the loads of one environment brought, seen as these rules do."""
    paths: set[str] = set()
    by_soname: dict[str, dict[str, SharedObject]] = {}
    for load in loads:
        for item in load.link_map.objects:
            paths.add(item.path)
            soname = _soname(item.facts)
            if item.search.found != "path" and soname is not None and not _HASHED.search(soname):
                by_soname.setdefault(soname, {}).setdefault(item.path, item.facts)
    several = {soname: files for soname, files in sorted(by_soname.items()) if len(files) > 1}
    return Reached(frozenset(filter(_is_openmp, paths)), several)


def _soname(facts: ElfFile | None) -> str | None:
    return facts.dynamic.soname if isinstance(facts, SharedObject) and facts.dynamic is not None else None


def _shown(path: str, context: Context) -> str:
    return shown(path, context.subject.owner(path)[0])


def duplicate_library(context: Context) -> Iterator[Finding]:
    """Loads of one environment, each in a process of its own, reach different files by one soname.

    Copies are one library. So are files whose name bears auditwheel's hash: it is that of the library before the names of what it
    needs were changed in it.
    """
    own = context.own_objects() if context.reached.several else set()
    for soname, files in context.reached.several.items():
        paths = sorted({_content(facts): path for path, facts in files.items()}.values())
        if len(paths) > 1 and not own.isdisjoint(files):
            others = ", ".join(_shown(path, context) for path in paths)
            yield context.subject.finding("duplicate-library", paths[0], name=soname, others=others, confidence="likely")


def _content(facts: SharedObject) -> tuple[object, ...]:
    """What two files have in common only if they are copies."""
    return (facts.size, facts.properties.build_id, facts.segments)

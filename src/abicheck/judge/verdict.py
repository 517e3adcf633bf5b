"""The verdict on one load: from the link map alone."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from abicheck.model.elf import SharedObject
from abicheck.model.report import Judgement, TreeEntry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.model.artifact import Distribution
    from abicheck.model.elf import ElfFile
    from abicheck.model.host import Host
    from abicheck.model.process import LinkMap
    from abicheck.model.report import Finding, RootKind, Verdict, Window


_LIBRARY_NAME = re.compile(r"\.so(\.|$)")
_EXTENSION_SUFFIX = re.compile(r"\.(?:cpython-(\d)(\d+)t?-[\w-]+\.|abi3\.)?so")


def root_kind(facts: ElfFile, path: str, python: tuple[int, int] | None) -> RootKind:
    """What the file at `path` is to a user: an extension of the target Python, a program to start, or else a library.

    A file that is named as a library is opened as one, even where it could be started too, as libc.so.6 can.
    """
    name = posixpath.basename(path)
    if not isinstance(facts, SharedObject):
        return "library"
    if facts.interpreter is not None and not _LIBRARY_NAME.search(name):
        return "executable"
    module, _, _ = name.partition(".")
    suffix = _EXTENSION_SUFFIX.fullmatch(name[len(module) :])
    if suffix is None or (suffix[1] and python and (int(suffix[1]), int(suffix[2])) != python):
        return "library"
    return "extension" if f"PyInit_{module}" in facts.definitions else "library"


def judge(
    link_map: LinkMap,
    kind: RootKind,
    host: Host,
    distributions: tuple[Distribution, ...] = (),
    window: Window | None = None,
    *,
    strict: bool = False,
) -> Judgement:
    """What the link map says about the root that was loaded.

    The distributions (the root's own first) and the window of glibc versions are for the words of the findings. With `strict` it
    also depends on what was only assumed of the host, where that matters.
    """
    verdict: Verdict = "fails" if link_map.errors else "depends" if link_map.missing else "loads"
    judgement = Judgement(
        kind=kind,
        verdict=verdict,
        predicted=link_map.predicted,
        findings=_findings(link_map, host, distributions, window) if link_map.errors else (),
        missing_facts=link_map.missing,
        objects=len(link_map.objects),
        references=link_map.references,
    )
    return _doubted(judgement, link_map, host) if strict else judgement


def _doubted(judgement: Judgement, link_map: LinkMap, host: Host) -> Judgement:
    """The judgement where assumptions count. Errors that hang on one are none yet, so they become warnings."""
    from abicheck.judge.assumptions import doubts  # noqa: PLC0415 -- only for those who ask

    missing = doubts(link_map, host)
    if not missing:
        return judgement
    findings = tuple(each._replace(severity="warning") if each.severity == "error" else each for each in judgement.findings)
    return judgement._replace(verdict="depends", findings=findings, missing_facts=(*judgement.missing_facts, *missing))


def _findings(
    link_map: LinkMap, host: Host, distributions: tuple[Distribution, ...], window: Window | None
) -> tuple[Finding, ...]:
    from abicheck.judge.rules.errors import error_findings  # noqa: PLC0415 -- what loads is to pay nothing for pages
    from abicheck.judge.rules.subject import Subject  # noqa: PLC0415 -- as above

    return error_findings(link_map, Subject(host, distributions, window))


def tree(link_map: LinkMap) -> tuple[TreeEntry, ...]:
    """Every library of the load: the new ones in load order, those that were loaded before, and those that were not found."""
    return tuple(_entries(link_map))


def _entries(link_map: LinkMap) -> Iterator[TreeEntry]:
    everything = link_map.process.objects
    fresh = {id(item) for item in link_map.objects}
    known = {name: item for item in reversed(everything) if id(item) not in fresh for name in (item.path, *item.names)}
    seen = set()
    for item in link_map.objects:
        needed_by = None if item.loader is None else everything[item.loader].path
        tried = tuple((attempt.path, attempt.outcome) for attempt in item.search.tried)
        name = item.names[0] if item.names else item.path
        yield TreeEntry(name, item.path, item.search.found, item.search.owner, needed_by, tried)
        for wanted in item.needed:
            if wanted in known and wanted not in seen:
                seen.add(wanted)
                yield TreeEntry(wanted, known[wanted].path, "loaded-name", None, item.path)
    for error in link_map.errors:
        if error.kind in ("library-missing", "wrong-machine", "wrong-class"):
            tried = tuple((path, outcome) for path, _, outcome in (line.rpartition(": ") for line in error.evidence))
            yield TreeEntry(error.name or error.object, None, None, None, None, tried)

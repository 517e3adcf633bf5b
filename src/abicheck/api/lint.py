"""`lint`: what is wrong in the C++ sources of bindings, and in their pages and scripts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from abicheck import __version__
from abicheck.api.rules import source_rules
from abicheck.errors import TargetError, UsageError
from abicheck.judge.rules.pages import filled
from abicheck.lint.files import content, sources
from abicheck.lint.ignores import Ignore, ignores
from abicheck.lint.members import Members
from abicheck.lint.source import sightings
from abicheck.model.lint import LintFinding, LintReport
from abicheck.model.report import Failure, Tool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from abicheck.lint.sighting import Sighting
    from abicheck.model.report import Severity


def lint(paths: Iterable[str], *, fail_on: Severity = "error", progress: Callable[[str], None] = lambda _: None) -> LintReport:
    """Say what is wrong in the sources at `paths`, files or directories; no headers, compiler or build is needed.

    `fail_on` is the least severity that counts, `error` or `warning`. What cannot be read is in the report's errors. Raises
    `UsageError` where there is no source at all, `AbicheckError` where the extra `lint` is not installed.
    """
    started = time.perf_counter()
    run = _Run(progress)
    for path in paths:
        run.read(path)
    if not run.files and not run.errors:
        raise UsageError("there is no source, page or script in what was named; name files or other directories")
    findings = run.findings()
    tool = Tool("abicheck", __version__)
    return LintReport(tool, findings, len(run.files), run.lines, tuple(run.errors), fail_on, time.perf_counter() - started)


class _Run:
    """What has been read so far."""

    def __init__(self, progress: Callable[[str], None]) -> None:
        self._progress = progress
        self._seen: list[tuple[str, Sighting]] = []
        self._ignores: dict[tuple[str, int], list[Ignore]] = {}
        self.files: dict[str, None] = {}
        self.lines = 0
        self.errors: list[Failure] = []

    def read(self, path: str) -> None:
        """Take in the sources at a path."""
        try:
            for file in sources(path):
                if file not in self.files:
                    self._read_file(file)
        except TargetError as error:
            self.errors.append(Failure(error.subject, error.message))

    def _read_file(self, file: str) -> None:
        self._progress(file)
        try:
            source = content(file)
        except TargetError as error:
            self.errors.append(Failure(error.subject, error.message))
            return
        self.files[file] = None
        self.lines += source.count(b"\n") + (not source.endswith(b"\n") and source != b"")
        try:
            self._seen += [(file, each) for each in sightings(source, file)]
        except RecursionError:
            self.errors.append(Failure(file, "nested too deeply to be read; leave it out"))
        for found in ignores(source.decode("utf-8", "replace"), source_rules()):
            if isinstance(found, Ignore):
                self._ignores.setdefault((file, found.about), []).append(found)
            else:
                self._seen.append((file, found))

    def findings(self) -> tuple[LintFinding, ...]:
        """What was seen, without what the declarations of the structs disprove."""
        members = Members(each.member for _, each in self._seen if each.member is not None)
        for file in self.files if any(each.member for _, each in self._seen) else ():
            self._progress(file)
            members.read(content(file))
        found = (self._finding(file, each) for file, each in self._seen if members.allow(each))
        return tuple(sorted(found, key=lambda each: (each.file, each.line, each.column, each.rule)))

    def _finding(self, file: str, seen: Sighting) -> LintFinding:
        page = source_rules()[seen.rule]
        told = filled(page, {"object": file, **seen.fields})
        reasons = [each.reason for each in self._ignores.get((file, seen.line), ()) if seen.rule in each.rules]
        ignored = "; ".join(reasons) or None
        return LintFinding(seen.rule, page.severity, file, seen.line, seen.column, told.message, told.remedies, ignored)

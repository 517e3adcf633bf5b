"""What is wrong in sources: the report of `lint`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from abicheck.model.report import Failure, Remedy, Severity, Tool


class LintFinding(NamedTuple):
    """A rule that a source breaks: in `file` at `line` and `column`, from 1 (columns count bytes).

    `ignored` is the reason that a comment beside it gives why it does not count, None where it counts.
    """

    rule: str
    severity: Severity
    file: str
    line: int
    column: int
    message: str
    remedies: tuple[Remedy, ...] = ()
    ignored: str | None = None


class LintReport(NamedTuple):
    """All that was found in `files` sources of `lines` lines; `errors` are those that could not be read.

    `fail_on` is the least severity that counts; `seconds` is how long it took.
    """

    tool: Tool
    findings: tuple[LintFinding, ...]
    files: int
    lines: int
    errors: tuple[Failure, ...] = ()
    fail_on: Severity = "error"
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """What the run exits with: 1 a finding counts, 4 something could not be read, else 0."""
        severities = ("error",) if self.fail_on == "error" else ("error", "warning")
        if any(each.severity in severities and each.ignored is None for each in self.findings):
            return 1
        return 4 if self.errors else 0

"""The command `abicheck lint`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from abicheck.api.lint import lint
from abicheck.cli.output import of_alerts, wants_colour, write
from abicheck.cli.progress import complain, progress
from abicheck.report.lint import json, terminal

if TYPE_CHECKING:
    from abicheck.model.lint import LintReport
    from abicheck.model.report import Severity

_EPILOG = """\b
It needs the extra `lint` (tree-sitter), and neither headers nor a build. In a source a comment at the end of a line, or in the
line before, says that a finding does not count, and why:
  // abicheck-lint: ignore[RULE] reason
\b
Exit codes:
  0 nothing counts    1 an error (with --fail-on warning a warning)    2 wrong usage    4 a source could not be read
\b
Examples:
  abicheck lint bindings/
  abicheck lint src --fail-on warning --format sarif -o lint.sarif
  abicheck rule pointer-into-thread
"""


@click.command(epilog=_EPILOG)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--fail-on", type=click.Choice(["error", "warning"]), default="error", help="What counts. [default: error]")
@click.option(
    "--format",
    "style",
    type=click.Choice(["terminal", "json", "sarif", "github"]),
    default="terminal",
    help="[default: terminal]",
)
@click.option("-o", "--output", metavar="FILE", type=click.Path(), help="Write the report to FILE.")
def command(paths: tuple[str, ...], fail_on: Severity, style: str, output: str | None) -> int:
    """Find pointers that outlive what they point into, in the C++ sources of bindings under each PATH.

    In pages and scripts: languages that whisper does not know, and functions that the module does not export.
    """
    report = lint(paths, fail_on=fail_on, progress=progress)
    progress("")
    complain(report.errors)
    write(_rendered(report, style, colour=wants_colour(output)), output)
    return report.exit_code


def _rendered(report: LintReport, style: str, *, colour: bool) -> str:
    if style == "terminal":
        return terminal.render(report, colour=colour)
    if style == "json":
        return json.render(report)
    from abicheck.report.alerts.lint import alerts  # noqa: PLC0415 -- for these formats only

    return of_alerts(alerts(report, os.getcwd()), style)

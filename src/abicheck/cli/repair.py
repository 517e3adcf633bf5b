"""The command `abicheck repair`."""

from __future__ import annotations

from typing import Any

import click

from abicheck.api.repair import HOST, RepairOptions, repair
from abicheck.cli.output import wants_colour, write
from abicheck.cli.progress import complain, progress
from abicheck.cli.signals import end_in_order
from abicheck.report.repair import json, terminal

_EPILOG = """\b
Targets:
  FILE.whl    a wheel: a new one is written beside it, with a build tag that pip prefers
  DIR         an environment or a site-packages directory: what is installed there
  NAME        an installed distribution
\b
In an environment a backup lies beside what was changed, and --undo brings every byte back. Files that an installer's cache shares
are replaced, never written to. It is gone when the distribution is installed anew.
\b
Exit codes:
  0 repaired, or nothing to repair    2 wrong usage    4 something was refused and left as it was
\b
Examples:
  abicheck repair --dry-run .venv
  abicheck repair --undo .venv
"""


@click.command(epilog=_EPILOG)
@click.argument("targets", metavar="TARGET...", nargs=-1, required=True, type=click.Path())
@click.option("--rpath", "search_path", is_flag=True, help="Repair search paths that count from the current directory, too.")
@click.option("--env", "environment", metavar="DIR|PYTHON", help="Where NAME is installed. [default: this Python's]")
@click.option(
    "--host", "hosts", metavar="HOST", multiple=True, help=f"Check new wheels there; may be repeated. [default: {HOST}]"
)
@click.option("--dry-run", is_flag=True, help="Say what would change, and write nothing.")
@click.option("--undo", is_flag=True, help="Bring back what was there before the repair of an environment.")
@click.option("--format", "style", type=click.Choice(["terminal", "json"]), default="terminal", help="[default: terminal]")
@click.option("-o", "--output", "directory", metavar="DIR", type=click.Path(), help="Write new wheels into DIR.")
def command(targets: tuple[str, ...], style: str, hosts: tuple[str, ...], **how: Any) -> int:
    """Clear the mark by which a library asks for an executable stack, which glibc 2.41 and newer refuse to load."""
    end_in_order()
    report = repair(targets, RepairOptions(hosts=hosts, **how), progress)
    progress("")
    complain(report.errors)
    write(json.render(report) if style == "json" else terminal.render(report, colour=wants_colour(None)), None)
    return report.exit_code

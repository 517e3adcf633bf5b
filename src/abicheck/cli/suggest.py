"""The command `abicheck suggest`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from abicheck.api import Options
from abicheck.api.suggest import suggest
from abicheck.cli.options import configurable
from abicheck.cli.output import wants_colour, write
from abicheck.cli.progress import complain, progress
from abicheck.errors import AbicheckError
from abicheck.report.suggest import json, markdown, terminal

if TYPE_CHECKING:
    from abicheck.model.suggest import SuggestReport

_EPILOG = """\b
Releases are judged one by one, each without what it requires, from the newest on, until it is known where those end that load.
What is installed with them is for pip and uv to find out: give them the constraints.
\b
Exit codes:
  0 everything was answered, also that nothing loads    2 wrong usage    4 something could not be judged
\b
Examples:
  abicheck suggest markupsafe --host debian:12 --python 3.12
  abicheck suggest 'markupsafe<3' --host debian:12 --host alpine:3.22 --python 3.12 --constraints constraints.txt
"""


@click.command(epilog=_EPILOG)
@click.argument("requirements", metavar="REQUIREMENT...", nargs=-1, required=True)
@click.option("--host", "hosts", metavar="HOST", multiple=True, help="It must load on HOST; may be repeated. [default: local]")
@click.option("--python", metavar="X.Y", help="The target Python. [default: the host's, or the newest that has a wheel]")
@click.option("--every", is_flag=True, help="Judge all releases that there are.")
@click.option("--constraints", metavar="FILE", type=click.Path(), help="Write constraints for pip and uv to FILE.")
@configurable
@click.option("--offline", is_flag=True, help="Ask no package index: take what was fetched before.")
@click.option(
    "--format", "style", type=click.Choice(["terminal", "json", "markdown"]), default="terminal", help="[default: terminal]"
)
@click.option("-o", "--output", metavar="FILE", type=click.Path(), help="Write the report to FILE.")
def command(
    requirements: tuple[str, ...], constraints: str | None, style: str, output: str | None, *, offline: bool, **how: Any
) -> int:
    """Say which releases of each REQUIREMENT load on every HOST, the newest first."""
    options = Options(offline=offline)
    hosts = how["hosts"] or ("local",)
    report = suggest(requirements, hosts, python=how["python"], every=how["every"], options=options, progress=progress)
    progress("")
    complain(report.errors)
    write(_rendered(report, style, colour=wants_colour(output)), output)
    if constraints is not None:
        lacking = [each.requirement for each in report.suggestions if each.best is None]
        if lacking or report.errors:
            what = ", ".join(lacking) or report.errors[0].target
            message = f"not written, since nothing is known to load of {what}; allow other releases, or leave it out"
            raise AbicheckError(message, os.path.basename(constraints))
        write(report.constraints, constraints)
    return report.exit_code


def _rendered(report: SuggestReport, style: str, *, colour: bool) -> str:
    if style == "terminal":
        return terminal.render(report, colour=colour)
    return json.render(report) if style == "json" else markdown.render(report)

"""The command `abicheck gate`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from abicheck.api import Options
from abicheck.api.gate import gate
from abicheck.cli.options import configurable, configured, format_files
from abicheck.cli.output import of_alerts, wants_colour, write
from abicheck.cli.progress import complain
from abicheck.report.gate import json, markdown, terminal

if TYPE_CHECKING:
    from abicheck.model.gate import GateReport

_FORMATS = ("terminal", "json", "sarif", "junit", "github", "markdown")
_EPILOG = """\b
OLD and NEW are what `abicheck check` takes, or git:REV:PATH for what lies at PATH in a revision. Artifacts are compared alone,
without what they require; of two lock files only what differs is fetched and judged. Without a host it says what NEW asks of any
host that OLD did not.
\b
Exit codes:
  1 something newly fails or has no wheel (or counts by --fail-on)
  2 wrong usage
  4 something could not be judged, or an ignore of the configuration has expired
  0 everything else
\b
Examples:
  abicheck gate markupsafe==2.1.5 markupsafe==3.0.2 --python 3.12
  abicheck gate markupsafe==2.1.5 markupsafe==3.0.2 --host debian:12 --host alpine:3.22 --python 3.12 --format markdown
\b
In a project with a lock file:
  abicheck gate git:origin/main:uv.lock uv.lock --host debian:13 --host rhel:9
"""


@click.command(epilog=_EPILOG)
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option("--host", "hosts", metavar="HOST", multiple=True, help="Compare on HOST; may be repeated.")
@click.option("--python", metavar="X.Y|PATH", help="The target Python: a version, or its path on the host.")
@click.option(
    "--fail-on",
    type=click.Choice(["new", "narrowed", "any"]),
    default="new",
    help="narrowed: also what shuts out glibc releases or Pythons; any: every warning. [default: new]",
)
@configurable
@click.option("--no-deps", is_flag=True, help="Of a requirements file: its own lines alone, not what they require.")
@click.option("--extra", "extras", metavar="NAME", multiple=True, help="Of a lock file: with this extra; may be repeated.")
@click.option("--group", "groups", metavar="NAME", multiple=True, help="Of a lock file: with this group; may be repeated.")
@click.option("--offline", is_flag=True, help="Ask no package index: take what was fetched before.")
@click.option(
    "--format",
    "style",
    type=click.Choice(_FORMATS),
    default="terminal",
    help="sarif: for code scanning; junit: a test report; github: annotations. [default: terminal]",
)
@click.option("-o", "--output", metavar="FILE", type=click.Path(), help="Write the report to FILE.")
@click.option("--write", "others", metavar="FORMAT=FILE", multiple=True, help="Write it in another format to FILE, too.")
def command(old: str, new: str, style: str, output: str | None, **how: Any) -> int:
    """Say what an upgrade from OLD to NEW changes, and whether it still loads on every HOST."""
    others = format_files(how["others"], _FORMATS)
    options = Options(
        dependencies=not how["no_deps"],
        offline=how["offline"],
        ignores=how["config"].ignores,
        extras=how["extras"],
        groups=how["groups"],
    )
    report = gate(old, new, how["hosts"], python=how["python"], fail_on=how["fail_on"], options=options)
    report = report._replace(configured=configured(how["config"]))
    complain((*report.errors, *report.expired))
    write(_rendered(report, style, colour=wants_colour(output)), output)
    for other, file in others:
        write(_rendered(report, other, colour=False), file)
    return report.exit_code


def _rendered(report: GateReport, style: str, *, colour: bool) -> str:
    if style == "terminal":
        return terminal.render(report, colour=colour)
    if style in ("sarif", "github"):
        from abicheck.report.alerts import gate as alerts  # noqa: PLC0415 -- for these formats only

        return of_alerts(alerts.alerts(report, os.getcwd()), style)
    if style == "junit":
        from abicheck.report.gate import junit  # noqa: PLC0415 -- xml.sax is for this format only

        return junit.render(report)
    return json.render(report) if style == "json" else markdown.render(report)

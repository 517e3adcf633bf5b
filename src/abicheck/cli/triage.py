"""The command `abicheck triage`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from abicheck.api import Options
from abicheck.api.triage import triage
from abicheck.cli.output import wants_colour, write
from abicheck.cli.progress import progress
from abicheck.errors import TargetError, UsageError
from abicheck.report.triage import json, markdown, terminal

if TYPE_CHECKING:
    from abicheck.model.triage import Triage

_EPILOG = """\b
FILE is what a user sent: a traceback, a log, a mail, an issue as it was pasted, with whatever else is in it. Without FILE, or
with -, it is read from standard input. Nothing in it is run.
\b
Exit codes:
  0 answered, also that nothing was recognised    2 wrong usage    4 FILE cannot be read
\b
Examples:
  abicheck triage report.txt
  abicheck triage --offline --format markdown - < report.txt
"""


@click.command(epilog=_EPILOG)
@click.argument("file", metavar="[FILE|-]", required=False, type=click.Path())
@click.option("--no-replay", is_flag=True, help="Only read the report: don't judge the reported load again.")
@click.option("--offline", is_flag=True, help="Ask no package index: replay from what was fetched before, or from shipped facts.")
@click.option(
    "--format", "style", type=click.Choice(["terminal", "json", "markdown"]), default="terminal", help="[default: terminal]"
)
@click.option("-o", "--output", metavar="FILE", type=click.Path(), help="Write the answer to FILE.")
def command(file: str | None, style: str, output: str | None, *, no_replay: bool, offline: bool) -> int:
    """Say what a bug report is about: the cause, the object, the facts it rests on, what to do, what to ask."""
    found = triage(_read(file), replay=not no_replay, options=Options(offline=offline), progress=progress)
    progress("")
    write(_rendered(found, style, colour=wants_colour(output)), output)
    return 0


def _read(file: str | None) -> bytes:
    if file is None and sys.stdin.isatty():
        raise UsageError("no report: name a file, or pipe the report into it")
    if file in (None, "-"):
        return sys.stdin.buffer.read()
    try:
        with open(file, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise TargetError(f"{error.strerror}; name a file that holds the report", file) from None


def _rendered(found: Triage, style: str, *, colour: bool) -> str:
    if style == "terminal":
        return terminal.render(found, colour=colour)
    return json.render(found) if style == "json" else markdown.render(found)

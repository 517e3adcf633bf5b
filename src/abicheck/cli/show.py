"""The command `abicheck show`."""

from __future__ import annotations

import click

from abicheck.api import Options, show
from abicheck.cli.output import wants_colour, write
from abicheck.report.card import json, markdown, terminal
from abicheck.report.lines import escape

_EPILOG = """\b
Targets:
  FILE...     shared objects and programs; several form one artifact
  DIR         all that lies below a directory
  FILE.whl    a wheel, which is not unpacked
  FILE.wasm, FILE.js
              a WebAssembly module, or a script with one inside or beside it
  NAME        an installed distribution; NAME==VERSION one from the package index
\b
Exit codes:
  0 everything was read    2 wrong usage    4 something could not be read; everything else is reported
\b
Examples:
  abicheck show "$(python3 -c 'import _ctypes; print(_ctypes.__file__)')"
  abicheck show --every --format markdown -o requirements.md /lib*/*/libm.so.6
"""


@click.command(epilog=_EPILOG)
@click.argument("targets", metavar="TARGET...", nargs=-1, required=True, type=click.Path())
@click.option("--every", is_flag=True, help="List every version that is needed, not only the newest of each library.")
@click.option("--python", metavar="X.Y|PATH", help="The Python whose wheel of a requirement is shown.")
@click.option("--env", "environment", metavar="DIR|PYTHON", help="Where installed distributions are. [default: this Python's]")
@click.option("--offline", is_flag=True, help="Ask no package index: take what was fetched before.")
@click.option(
    "--format", "style", type=click.Choice(["terminal", "json", "markdown"]), default="terminal", help="[default: terminal]"
)
@click.option("-o", "--output", metavar="FILE", type=click.Path(), help="Write the card to FILE.")
def command(
    targets: tuple[str, ...],
    python: str | None,
    environment: str | None,
    style: str,
    output: str | None,
    *,
    every: bool,
    offline: bool,
) -> int:
    """Say what TARGET asks of a host: the oldest and newest glibc, the symbols that force them, libraries, CPU, Python, GPU.

    Of a WebAssembly module: the first runtimes that load it, the features that force them, memory, imports and exports.
    """
    report = show(targets, every=every, python=python, options=Options(environment=environment, offline=offline))
    for failure in report.errors:
        click.echo(f"abicheck: {escape(failure.target)}: {escape(failure.message)}", err=True)
    if style == "json":
        text = json.render(report)
    elif style == "markdown":
        text = markdown.render(report)
    else:
        text = terminal.render(report, colour=wants_colour(output))
    write(text, output)
    return report.exit_code

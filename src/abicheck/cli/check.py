"""The command `abicheck check`."""

from __future__ import annotations

from typing import Any

import click

from abicheck.api import Options, check
from abicheck.cli.output import wants_colour, write
from abicheck.errors import UsageError
from abicheck.report import json, terminal
from abicheck.report.lines import escape

_EPILOG = """\b
Hosts:
  local       this machine, with this environment's LD_LIBRARY_PATH, LD_PRELOAD and GLIBC_TUNABLES
  rootfs:DIR  the root file system unpacked in DIR, as a container on this machine would run it
\b
Exit codes:
  0 everything loads            1 something does not load
  2 wrong usage                 3 something depends on a fact that the host does not tell
  4 something could not be judged; everything else is reported
\b
Examples:
  abicheck check "$(python3 -c 'import _ctypes; print(_ctypes.__file__)')"
  abicheck check --tree --why PyErr_Format "$(python3 -c 'import _ctypes; print(_ctypes.__file__)')"
  abicheck check --host local --host rootfs:/ /lib*/*/libm.so.6
  abicheck check --set LD_BIND_NOW=1 --format json -o report.json /lib*/*/libm.so.6
"""


@click.command(epilog=_EPILOG)
@click.argument("targets", metavar="[TARGET]...", nargs=-1, type=click.Path())
@click.option(
    "--host", "hosts", metavar="HOST", multiple=True, default=["local"], help="Judge on HOST; may be repeated. [default: local]"
)
@click.option("--python", metavar="X.Y|PATH", help="The target Python: a version, or its path on the host.")
@click.option("--env", "environment", metavar="DIR|PYTHON", help="Where installed distributions are. [default: this Python's]")
@click.option("--no-deps", is_flag=True, help="Judge the distributions alone, not what they require.")
@click.option(
    "--prefix", metavar="DIR", help="Where on the host a wheel would be installed. [default: its Python's site-packages]"
)
@click.option("--verify-record", is_flag=True, help="Compare the hashes of installed files with RECORD, too.")
@click.option("--offline", is_flag=True, help="Ask no package index: take what was fetched before.")
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="Set a variable that the loader reads.")
@click.option("--tree", is_flag=True, help="Show where each library was found, why, and what was tried before.")
@click.option("--why", "symbol", metavar="SYMBOL", help="Show what defines SYMBOL for those that refer to it.")
@click.option("--format", "style", type=click.Choice(["terminal", "json"]), default="terminal", help="[default: terminal]")
@click.option("-o", "--output", metavar="FILE", type=click.Path(), help="Write the report to FILE.")
@click.option("--jobs", metavar="N", type=click.IntRange(1), default=1, help="Judge in N processes. [default: 1]")
@click.option("--no-cache", is_flag=True, help="Judge everything anew, and store nothing.")
@click.option("--cross-check", is_flag=True, help="Read every file with pyelftools too, and report any difference.")
def command(targets: tuple[str, ...], settings: tuple[str, ...], style: str, output: str | None, **how: Any) -> int:
    """Say for each shared object TARGET what dlopen of exactly that path would say on each HOST."""
    options = Options(
        tree=how["tree"],
        symbol=how["symbol"],
        stored=not how["no_cache"],
        cross_check=how["cross_check"],
        jobs=how["jobs"],
        dependencies=not how["no_deps"],
        environment=how["environment"],
        prefix=how["prefix"],
        verify_record=how["verify_record"],
        offline=how["offline"],
    )
    report = check(targets, how["hosts"], python=how["python"], settings=_settings(settings), options=options)
    for failure in report.errors:
        click.echo(f"abicheck: {escape(failure.target)}: {escape(failure.message)}", err=True)
    write(json.render(report) if style == "json" else terminal.render(report, colour=wants_colour(output)), output)
    return report.exit_code


def _settings(values: tuple[str, ...]) -> dict[str, str]:
    settings = {}
    for value in values:
        name, equals, setting = value.partition("=")
        if not equals:
            raise UsageError(f"--set {value}: write it as --set NAME=VALUE")
        settings[name] = setting
    return settings

"""The command `abicheck rule`."""

from __future__ import annotations

import click

from abicheck.api.rules import rules
from abicheck.cli.output import write
from abicheck.report.rules import render_json, render_list, render_page

_EPILOG = """\b
Examples:
  abicheck rule
  abicheck rule exec-stack-refused
  abicheck rule --format json -o rules.json
"""


@click.command(epilog=_EPILOG)
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--format", "style", type=click.Choice(["terminal", "json"]), default="terminal", help="[default: terminal]")
@click.option("-o", "--output", metavar="FILE", type=click.Path(), help="Write it to FILE.")
def command(name: str | None, style: str, output: str | None) -> int:
    """Say what the rule NAME means, why it fails, and what to do; without a NAME list all rules."""
    pages = rules(name)
    text = render_json(pages) if style == "json" else render_list(pages) if name is None else render_page(pages[0])
    write(text, output)
    return 0

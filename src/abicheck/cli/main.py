"""The command `abicheck`: finds the subcommand, runs it, and leaves quietly."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from abicheck import __version__
from abicheck.errors import AbicheckError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Each command's module and its line in the help, so that help imports none of them.
_COMMANDS = {
    "check": "Say what loading native code would say on a host.",
    "show": "Say what native code asks of a host, and what forces it.",
    "gate": "Say what an upgrade changes, and whether it still loads everywhere.",
    "suggest": "Say which releases load on a host, and write constraints for pip and uv.",
    "triage": "Say what a bug report is about: the cause, the object, what to do, what to ask.",
    "confirm": "Really load, really transcribe, and compare with what was predicted.",
    "repair": "Clear an executable stack, in a new wheel or where it is installed.",
    "host": "Print a host as abicheck sees it, and check its C library against the built-in table.",
    "lint": "Find pointers that outlive what they point into, in the C++ sources of bindings.",
    "rule": "Say what a rule means, why it fails, and what to do.",
}

_INTERRUPTED = 130


class _Commands(click.Group):
    """A group whose commands are imported when they are run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's own signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- click's own signature
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(f"abicheck.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- click's own signature
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


_EPILOG = """\b
Examples:
  abicheck check "$(python3 -c 'import _ctypes; print(_ctypes.__file__)')"
  abicheck check --help
"""


@click.group(cls=_Commands, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="abicheck")
def cli() -> None:
    """Say before anything runs whether native code will load on a host, and if not, why."""


def run() -> NoReturn:
    """The command as a process of its own: nothing it makes is garbage before it ends, and then it all goes at once."""
    gc.disable()
    try:
        main()
    except SystemExit as end:
        sys.stderr.flush()
        os._exit(end.code if isinstance(end.code, int) else 0)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process with its exit code."""
    try:
        code = cli.main(arguments, prog_name="abicheck", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except AbicheckError as error:
        from abicheck.report.lines import escape  # noqa: PLC0415 -- help and most runs need none

        click.echo(f"abicheck: {escape(str(error))}", err=True)
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = _INTERRUPTED
    sys.exit(_flushed(code if isinstance(code, int) else 0))


def _flushed(code: int) -> int:
    """`code`, with everything written; whoever closed the pipe wants no more, and the verdict stays the same."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code

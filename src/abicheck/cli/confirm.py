"""The command `abicheck confirm`."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import click

from abicheck.api.confirm import MatrixOptions, choose_speech, confirm_here, confirm_matrix, confirm_modules
from abicheck.api.kinds import kind_of
from abicheck.cli.options import pairs
from abicheck.cli.output import wants_colour, write
from abicheck.cli.progress import complain, progress
from abicheck.cli.signals import end_in_order
from abicheck.errors import UsageError
from abicheck.report.confirm import json, junit, markdown, terminal

if TYPE_CHECKING:
    from abicheck.model.confirm import ConfirmReport

_EPILOG = """\b
Without a target it predicts for this machine, then imports ctranslate2 and faster-whisper in fresh processes and transcribes
speech with a small model that comes with abicheck. With MATRIX it does the same for every cell, in containers. A WebAssembly
MODULE (.wasm, or a script with one inside) is instantiated in the Node.js on the PATH and, where one is installed, in Chromium.

\b
Exit codes, the first that applies:
  2 wrong usage
  1 something is not as predicted, a wrong transcript included
  4 something could not be done; everything else is reported
  3 a prediction depends on a fact that the host does not tell
  0 everything is as predicted

\b
An interrupted run of a matrix goes on when it is started again.
\b
Examples:
  abicheck confirm
  abicheck confirm --threads 8 --repeat 20 --format json -o confirm.json
  abicheck confirm --model Systran/faster-whisper-tiny.en --audio speech.wav --expect "the words in it"
  abicheck confirm matrices/ctranslate2.toml --host glibc-2.41 --jobs 2 --format junit -o confirm.xml
  abicheck confirm whisper.wasm whisper.js --host node
  abicheck confirm libmain.js --canary
"""

#: What some options are for, by their names in Python; the others are for everything.
_HERE, _MATRIX, _MODULES = "this machine", "a matrix", "modules"
_FOR = {
    **dict.fromkeys(("environment", "variables", "threads", "repeat", "runs"), (_HERE,)),
    **dict.fromkeys(("engine", "jobs", "fresh", "offline"), (_MATRIX,)),
    **dict.fromkeys(("model", "audio", "expect"), (_HERE, _MATRIX)),
    "limit": (_HERE, _MODULES),
    "hosts": (_MATRIX, _MODULES),
    "canary": (_MODULES,),
}


@click.command(epilog=_EPILOG)
@click.argument("targets", metavar="[MATRIX.toml | MODULE...]", nargs=-1, type=click.Path())
@click.option(
    "--host", "hosts", metavar="NAME", multiple=True, help="Only this host of the matrix; node or chrome; may be repeated."
)
@click.option("--engine", type=click.Choice(["docker", "podman"]), help="What runs containers. [default: whichever answers]")
@click.option("--jobs", metavar="N", type=click.IntRange(1), default=1, help="Confirm N cells at the same time. [default: 1]")
@click.option("--fresh", is_flag=True, help="Observe everything anew, also what an interrupted run has observed.")
@click.option("--offline", is_flag=True, help="Ask no package index: take what was fetched before.")
@click.option("--env", "environment", metavar="DIR|PYTHON", help="Where ctranslate2 is installed. [default: this Python's]")
@click.option("--set", "variables", metavar="NAME=VALUE", multiple=True, help="Set a variable for prediction and processes.")
@click.option("--threads", metavar="N", type=click.IntRange(1), default=4, help="Transcribe in N threads at once. [default: 4]")
@click.option("--repeat", metavar="N", type=click.IntRange(1), default=2, help="Transcribe N times in each. [default: 2]")
@click.option("--runs", metavar="N", type=click.IntRange(1), default=3, help="Start N processes, one after another. [default: 3]")
@click.option("--limit", metavar="SECONDS", type=click.IntRange(1), default=300, help="End a process after it. [default: 300]")
@click.option("--canary", is_flag=True, help="Of scripts that bind whisper.cpp, see whether a language is passed on as it is.")
@click.option("--model", metavar="DIR|NAME", help="Another converted Whisper model: a directory, or its name on a hub.")
@click.option("--audio", metavar="FILE", multiple=True, help="Another recording; may be repeated.")
@click.option("--expect", metavar="TEXT", multiple=True, help="The words in the recording of the same place.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["terminal", "json", "junit", "markdown", "html"]),
    default="terminal",
    help="[default: terminal]",
)
@click.option("-o", "--output", metavar="FILE", type=click.Path(), help="Write the report to FILE.")
def command(targets: tuple[str, ...], style: str, output: str | None, **how: Any) -> int:
    """Really load, really transcribe, and say whether it came out as predicted."""
    gc.enable()  # what each prediction leaves behind would add up to gigabytes
    end_in_order()
    modules = [kind_of(target) == "module" for target in targets]
    if len(targets) > 1 and not all(modules):
        raise UsageError(f"{targets[modules.index(False)]}: one matrix, or modules (.wasm, .js)")
    what = _HERE if not targets else _MODULES if modules[0] else _MATRIX
    _refuse_mixed(what)
    report = {_HERE: _here, _MATRIX: _matrix, _MODULES: _modules}[what](targets, how)
    progress("")
    complain(report.errors)
    write(_rendered(report, style, colour=wants_colour(output)), output)
    return report.exit_code


def _here(_: tuple[str, ...], how: dict[str, Any]) -> ConfirmReport:
    speech = choose_speech(how["model"], how["audio"], how["expect"])
    return confirm_here(
        speech._replace(threads=how["threads"], repeat=how["repeat"]),
        environment=how["environment"],
        settings=pairs(how["variables"]),
        runs=how["runs"],
        seconds=how["limit"],
        progress=progress,
    )


def _matrix(paths: tuple[str, ...], how: dict[str, Any]) -> ConfirmReport:
    speech = choose_speech(how["model"], how["audio"], how["expect"], local_only=True)
    options = MatrixOptions(how["hosts"], how["engine"], how["jobs"], how["fresh"], how["offline"])
    return confirm_matrix(paths[0], options, speech=speech, progress=progress)


def _modules(paths: tuple[str, ...], how: dict[str, Any]) -> ConfirmReport:
    return confirm_modules(paths, how["hosts"], canary=how["canary"], seconds=how["limit"], progress=progress)


def _refuse_mixed(what: str) -> None:
    """Options that would be passed over are a mistake."""
    context = click.get_current_context()
    for option in context.command.params:
        name = option.name or ""
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE" and what not in _FOR.get(name, (what,)):
            raise UsageError(f"{option.opts[0]} is for {' and '.join(_FOR[name])}, not for {what}")


def _rendered(report: ConfirmReport, style: str, *, colour: bool) -> str:
    if style == "terminal":
        return terminal.render(report, colour=colour)
    if style == "html":
        from abicheck.report.confirm import html  # noqa: PLC0415 -- jinja2 is for pages only

        return html.render(report)
    renderers = {"json": json.render, "junit": junit.render, "markdown": markdown.render}
    return renderers[style](report)

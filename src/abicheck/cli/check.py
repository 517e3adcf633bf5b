"""The command `abicheck check`."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from abicheck.api import Options, check
from abicheck.api.kinds import kind_of
from abicheck.cli.options import configurable, configured, format_files, pairs, source_of
from abicheck.cli.output import of_alerts, wants_colour, write
from abicheck.cli.progress import complain, progress
from abicheck.errors import AbicheckError, UsageError
from abicheck.report import json, markdown, terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from abicheck.model.report import Report

_OF_NO_GRID = ("extras", "groups", "urls", "environment", "verify_record", "settings", "tree", "symbol", "cross_check")
_OF_NO_MATRIX = (*_OF_NO_GRID, "versions", "python", "no_deps", "prefix")

_FORMATS = ("terminal", "json", "sarif", "junit", "github", "markdown", "html")
_EPILOG = """\b
Hosts:
  local       this machine, with this environment's LD_LIBRARY_PATH, LD_PRELOAD and GLIBC_TUNABLES
  rootfs:DIR  the root file system unpacked in DIR, as a container on this machine would run it
  image:FILE, container:IMAGE, dockerfile:PATH
              a saved image or OCI layout, an image of Docker or Podman, the base that a Dockerfile builds upon; none is run
  debian:13, ubuntu:22.04, rhel:8, python:3.12-slim, ...: one that abicheck knows ("abicheck host --list"), with
              qualifiers as in debian:13/aarch64,page=64k
  FILE.json   a profile that `abicheck host --save` wrote, on whatever machine
  FILE.txt    what the script of `abicheck host --script` wrote there
  node:20, chrome:120, firefox:120, safari:17.4, node (the one here)
              runtimes, for WebAssembly modules (docs/wasm.md)
\b
Grids:
  several targets and hosts; all releases of NAME that meet --versions; or a matrix, which names releases, Pythons and
  hosts itself (docs/grid.md). Facts of wheels are kept, so the second time takes seconds.
\b
Exit codes, the first that applies:
  2 wrong usage
  1 a counted error: something does not load, or cannot be installed
  4 something could not be judged, or an ignore of the configuration has expired; everything else is reported
  3 something depends on a fact that the host does not tell
  0 everything loads

\b
An error that --select or --ignore leaves out is not counted ("1 ignored error" says so): the exit code may be 0
while the verdict still says that something does not load. What cannot be installed counts all the same, and so does
a capability that --require names and that fails. Notes never count.

\b
Projects:
  [tool.abicheck] in pyproject.toml, or abicheck.toml, here or above: defaults of options, and errors that do not count for a
  while. --write-baseline FILE notes the errors that there are; with --baseline FILE only others count (docs/configuration.md).
\b
Examples:
  abicheck check "$(python3 -c 'import _ctypes; print(_ctypes.__file__)')"
  abicheck check --tree --why PyErr_Format "$(python3 -c 'import _ctypes; print(_ctypes.__file__)')"
  abicheck check --host local --host rootfs:/ /lib*/*/libm.so.6
  abicheck check --strict --ignore text-relocation --format markdown -o verdict.md /lib*/*/libm.so.6
  abicheck check --host local --host rootfs:/ --format html -o verdicts.html /lib*/*/libm.so.6
  abicheck check --host local --host rootfs:/ --write sarif=abicheck.sarif /lib*/*/libm.so.6
  abicheck check --set LD_BIND_NOW=1 --format json -o report.json /lib*/*/libm.so.6
  abicheck check markupsafe --versions '>=3' --host debian:12 --host alpine:3.22 --python 3.12
"""


@click.command(epilog=_EPILOG)
@click.argument("targets", metavar="[TARGET]...", nargs=-1, type=click.Path())
@click.option(
    "--host",
    "hosts",
    metavar="HOST",
    multiple=True,
    help="Judge on HOST; may be repeated. [default: local, or all of a matrix]",
)
@click.option("--versions", metavar="SPEC", help="Judge all releases of the distributions TARGET that meet SPEC, each alone.")
@click.option("--python", metavar="X.Y|PATH", help="The target Python: a version, or its path on the host.")
@click.option("--env", "environment", metavar="DIR|PYTHON", help="Where installed distributions are. [default: this Python's]")
@click.option("--no-deps", is_flag=True, help="Judge the distributions alone, not what they require.")
@click.option(
    "--prefix", metavar="DIR", help="Where on the host a wheel would be installed. [default: its Python's site-packages]"
)
@click.option("--verify-record", is_flag=True, help="Compare the hashes of installed files with RECORD, too.")
@click.option("--extra", "extras", metavar="NAME", multiple=True, help="Of a lock file: with this extra; may be repeated.")
@click.option("--group", "groups", metavar="NAME", multiple=True, help="Of a lock file: with this group; may be repeated.")
@click.option(
    "--url",
    "urls",
    metavar="URL",
    multiple=True,
    help="Of WebAssembly: ask the server of the page, or of a worker's script; may be repeated.",
)
@click.option("--offline", is_flag=True, help="Ask no package index: take what was fetched before.")
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="Set a variable that the loader reads.")
@click.option("--tree", is_flag=True, help="Show where each library was found, why, and what was tried before.")
@click.option("--why", "symbol", metavar="SYMBOL", help="Show what defines SYMBOL for those that refer to it.")
@click.option("--select", metavar="RULE", multiple=True, help="Show and count findings of RULE only; may be repeated.")
@click.option("--ignore", metavar="RULE", multiple=True, help="Neither show nor count findings of RULE; may be repeated.")
@click.option(
    "--strict", is_flag=True, help="What was only assumed of the host, and could change a verdict, makes it depend on that."
)
@click.option(
    "--require", type=click.Choice(["cpu", "cuda"]), multiple=True, help="Count this capability for the exit code, too."
)
@click.option(
    "--format",
    "style",
    type=click.Choice(_FORMATS),
    default="terminal",
    help="sarif: for code scanning; junit: a test report; github: annotations; html: one page of all. [default: terminal]",
)
@click.option("-o", "--output", metavar="FILE", type=click.Path(), help="Write the report to FILE.")
@click.option("--write", "others", metavar="FORMAT=FILE", multiple=True, help="Write it in another format to FILE, too.")
@click.option(
    "--jobs", metavar="N", type=click.IntRange(1), help="Judge in N processes. [default: 1; for a grid, one for each processor]"
)
@configurable
@click.option("--baseline", metavar="FILE", type=click.Path(), help="Count no errors that are in FILE already.")
@click.option("--write-baseline", metavar="FILE", type=click.Path(), help="Write the errors that there are to FILE, as known.")
@click.option("--no-cache", is_flag=True, help="Judge everything anew, and store nothing.")
@click.option("--cross-check", is_flag=True, help="Read every file with pyelftools too, and report any difference.")
def command(targets: tuple[str, ...], settings: tuple[str, ...], style: str, output: str | None, **how: Any) -> int:
    """Say for each TARGET whether it loads on each HOST, what the loader says where it does not, and what to do.

    TARGET is a shared object, a wheel, a directory or an environment by its path, the name of an installed distribution, a
    requirement (NAME==VERSION), a lock file (requirements.txt, pylock.toml, uv.lock, poetry.lock, pdm.lock, Pipfile.lock), a
    WebAssembly module (FILE.wasm, or FILE.js with one inside or beside it), or a matrix (FILE.toml).
    """
    others = format_files(how["others"], _FORMATS)
    options = Options(
        tree=how["tree"],
        symbol=how["symbol"],
        stored=not how["no_cache"],
        cross_check=how["cross_check"],
        jobs=how["jobs"] or 1,
        dependencies=not how["no_deps"],
        environment=how["environment"],
        prefix=how["prefix"],
        verify_record=how["verify_record"],
        offline=how["offline"],
        strict=how["strict"],
        select=how["select"],
        ignore=how["ignore"],
        require=how["require"],
        ignores=how["config"].ignores,
        extras=how["extras"],
        groups=how["groups"],
        urls=how["urls"],
    )
    matrices = [target for target in targets if target.endswith(".toml") and kind_of(target) != "lock"]
    if matrices and source_of("hosts") is not ParameterSource.COMMANDLINE:
        how["hosts"] = ()  # a matrix names its own
    written = how["write_baseline"]
    judge = partial(_judged, targets, matrices, pairs(settings), options, how)
    report = _with_baseline(judge, None if written else how["baseline"]) if written or how["baseline"] else judge()
    unused = (*(("hosts", "python") if matrices else ()), *(("baseline",) if written else ()))
    report = report._replace(configured=configured(how["config"], *unused))
    progress("")
    complain((*report.errors, *report.expired))
    write(_rendered(report, style, colour=wants_colour(output)), output)
    for other, file in others:
        write(_rendered(report, other, colour=False), file)
    if written:
        _write_baseline(report, written)
    return report.exit_code


def _with_baseline(judge: Callable[[], Report], path: str | None) -> Report:
    """The report with its known errors set apart: those in the file `path`, else all that there are."""
    from abicheck.api.baseline import known_apart, known_of, read_baseline  # noqa: PLC0415 -- few have one

    known = None if path is None else read_baseline(path)  # before anything is judged: that takes long
    report = judge()
    return known_apart(report, known_of(report) if known is None else known)


def _write_baseline(report: Report, path: str) -> None:
    from abicheck.report.baseline import render  # noqa: PLC0415 -- once for a project

    if not report.results:
        raise AbicheckError("not written, since nothing could be judged; see to that first", path)
    write(render(report), path)


def _judged(
    targets: tuple[str, ...], matrices: list[str], settings: dict[str, str], options: Options, how: dict[str, Any]
) -> Report:
    if not matrices and how["versions"] is None:
        hosts = how["hosts"] or ("local",)
        return check(targets, hosts, python=how["python"], settings=settings, options=options, progress=progress)
    from abicheck.api.grid import check_matrix, check_versions  # noqa: PLC0415 -- few ask for a grid

    if how["jobs"] is None:
        options = options._replace(jobs=os.cpu_count() or 1)
    if matrices:
        _refuse(_OF_NO_MATRIX, "a matrix says it itself")
        if len(targets) > 1:
            raise UsageError("a matrix is judged by itself; leave out the other targets")
        return check_matrix(matrices[0], how["hosts"], options=options, progress=progress)
    _refuse(_OF_NO_GRID, "goes not together with --versions")
    if not targets:
        raise UsageError("--versions is about distributions; name at least one")
    hosts = how["hosts"] or ("local",)
    return check_versions(targets, how["versions"], hosts, python=how["python"], options=options, progress=progress)


def _refuse(names: tuple[str, ...], why: str) -> None:
    """Options that would be passed over are a mistake."""
    for parameter in click.get_current_context().command.params:
        if parameter.name in names and source_of(parameter.name) is ParameterSource.COMMANDLINE:
            raise UsageError(f"{parameter.opts[0]}: {why}")


def _rendered(report: Report, style: str, *, colour: bool) -> str:
    if style == "terminal":
        return terminal.render(report, colour=colour)
    if style == "html":
        from abicheck.report.html import check as html  # noqa: PLC0415 -- jinja2 takes longer to import than most checks take

        return html.render(report)
    if style in ("sarif", "github"):
        from abicheck.report.alerts import check as alerts  # noqa: PLC0415 -- for these formats only

        return of_alerts(alerts.alerts(report, os.getcwd()), style)
    if style == "junit":
        from abicheck.report import junit  # noqa: PLC0415 -- xml.sax is for this format only

        return junit.render(report)
    return json.render(report) if style == "json" else markdown.render(report)

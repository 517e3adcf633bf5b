"""The command `abicheck host`."""

from __future__ import annotations

from typing import Any

import click

from abicheck.api.hosts import collecting_script, describe, known_hosts
from abicheck.cli.output import wants_colour, write
from abicheck.cli.progress import progress
from abicheck.errors import UsageError
from abicheck.report import host as report
from abicheck.report import hosts as listing

_EPILOG = """\b
Hosts:
  local       this machine [default]
  rootfs:DIR  the root file system unpacked in DIR, as a container on this machine would run it
  image:FILE, container:IMAGE, dockerfile:PATH
              a saved image or OCI layout (of several platforms FILE/aarch64), an image of Docker or Podman, the base that a
              Dockerfile builds upon; none is run
  debian:13, ubuntu:22.04, rhel:8, python:3.12-slim, lambda:python3.12, ...: a distribution or image that abicheck
              knows (--list), with qualifiers as in debian:13/aarch64,page=64k or debian:13/x86_64,cpu=v3
  FILE.json   a profile that --save wrote, here or elsewhere
  FILE.txt    what the script that --script prints wrote on a host
\b
Exit codes:
  0 the host was read    2 wrong usage    4 it could not be read
\b
Examples:
  abicheck host
  abicheck host rootfs:/ --format json -o host.json
  abicheck host --save prod.json
  abicheck host --script -o collect.sh    (there: sh collect.sh > collected.txt)
  abicheck host collected.txt --save prod.json
  abicheck host --report    (to be pasted into a bug report)
"""


@click.command(epilog=_EPILOG)
@click.argument("spec", metavar="[HOST]", default="local")
@click.option("--list", "listed", is_flag=True, help="List the distributions and images that abicheck knows.")
@click.option("--python", metavar="X.Y|PATH", help="The target Python: a version, or its path on the host.")
@click.option("--format", "style", type=click.Choice(["terminal", "json"]), default="terminal", help="[default: terminal]")
@click.option("-o", "--output", metavar="FILE", type=click.Path(), help="Write it to FILE.")
@click.option("--script", is_flag=True, help="Print a shell script that collects a host which has no Python.")
@click.option("--report", "reporting", is_flag=True, help="Print what a bug report needs of this machine, to be pasted into it.")
@click.option("--env", "environment", metavar="DIR|PYTHON", help="With --report: the environment. [default: this Python's]")
@click.option("--save", metavar="FILE", type=click.Path(), help="Write HOST to FILE, a profile that is a host itself.")
def command(spec: str, python: str | None, style: str, output: str | None, save: str | None, **how: Any) -> int:
    """Print HOST as abicheck sees it: every fact that decides verdicts, and its C library beside the built-in table."""
    if how["reporting"]:
        return _report(spec, how["environment"], style, output)
    if how["script"]:
        write(collecting_script(), output)
        return 0
    if how["listed"]:
        write((listing.render_json if style == "json" else listing.render)(known_hosts()), output)
        return 0
    if save is not None:
        return _save(spec, python, save)
    found = describe(spec, python=python)
    write(report.render_json(found) if style == "json" else report.render(found, colour=wants_colour(output)), output)
    return 0


def _save(spec: str, python: str | None, output: str) -> int:
    from abicheck.api.profiles import save  # noqa: PLC0415 -- few runs save a profile

    if not output.endswith(".json"):
        raise UsageError(f"--save {output}: a profile is read by its name, which must end in .json")
    profile = save(spec, python=python)
    write(profile.text, output)
    left_out = f", {len(profile.left_out)} left out" if profile.left_out else ""
    click.echo(f"{output}: {profile.files} files{left_out}, {len(profile.text.encode()) / 1000:.0f} kB")
    return 0


def _report(spec: str, environment: str | None, style: str, output: str | None) -> int:
    from abicheck.api.hostreport import gather  # noqa: PLC0415 -- few runs print it
    from abicheck.report import hostreport  # noqa: PLC0415 -- as above

    if spec != "local" or style != "terminal":
        raise UsageError("--report is about this machine, and in one format: leave out HOST and --format")
    found = gather(environment, progress)
    progress("")
    write(hostreport.render(found), output)
    return 0

"""`python -m tests.truth`: compares what abicheck predicts with what real loaders say."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from containers.make_root import RootError
from tests.truth.corpus import corpus
from tests.truth.oracle import OracleError, require
from tests.truth.roots import names, open_host
from tests.truth.run import SOME, run
from tests.truth.wheels import WheelError


@click.command()
@click.option("--full", is_flag=True, help=f"All pairs, not about {SOME} of them.")
@click.option("--root", "wanted", multiple=True, default=["glibc"], metavar="NAME", help="Hosts whose name starts so.")
@click.option("--only", default="", metavar="SUBSTRING", help="Only objects whose path, family or edit contains this.")
@click.option("--seed", type=int, help="Take another sample of damaged objects.")
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write every pair there.")
@click.option("--jobs", type=click.IntRange(min=1), default=os.cpu_count() or 1)
def main(*, full: bool, wanted: tuple[str, ...], only: str, seed: int | None, json_file: Path | None, jobs: int) -> None:
    """Compare abicheck's predictions with real loaders."""
    try:
        require()
        hosts = [open_host(name) for name in names() if name.startswith(wanted)]
        if not hosts:
            raise click.BadParameter(f"no host's name starts so; there are {', '.join(names())}", param_hint="--root")
        objects = corpus(seed, {host.arch for host in hosts})
        equal = run(hosts, objects, full=full, only=only, json_file=json_file, jobs=jobs)
    except (RootError, WheelError, OracleError) as error:
        raise click.ClickException(str(error)) from error
    sys.exit(0 if equal else 1)


if __name__ == "__main__":
    main()

"""`python -m tests.truth`: compares what abicheck predicts with what real loaders say."""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import click

from containers.make_root import RootError
from tests.truth.compare import compare, differences, passes, table
from tests.truth.corpus import corpus, stratified
from tests.truth.oracle import Oracle, OracleError, require
from tests.truth.roots import names, open_host
from tests.truth.wheels import WheelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.truth.corpus import Corpus, Subject
    from tests.truth.roots import Host

SOME = 600


@click.command()
@click.option("--full", is_flag=True, help=f"All pairs, not about {SOME} of them.")
@click.option("--root", "wanted", multiple=True, metavar="NAME", help="Only hosts whose name starts so; may be repeated.")
@click.option("--only", default="", metavar="SUBSTRING", help="Only objects whose path, family or edit contains this.")
@click.option("--seed", type=int, help="Take another sample of damaged objects.")
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write every pair there.")
@click.option("--jobs", type=click.IntRange(min=1), default=os.cpu_count() or 1)
def main(*, full: bool, wanted: tuple[str, ...], only: str, seed: int | None, json_file: Path | None, jobs: int) -> None:
    """Compare abicheck's predictions with real loaders."""
    try:
        require()
        objects = corpus(seed)
        hosts = [open_host(name) for name in names() if not wanted or name.startswith(wanted)]
        chosen = _choose(objects, hosts, only, full=full)
        observed = [
            Oracle(host=host, corpus=objects.directory).ask([each.path for each in group], jobs) for host, group in chosen
        ]
    except (RootError, WheelError, OracleError) as error:
        raise click.ClickException(str(error)) from error
    with ProcessPoolExecutor(jobs) as pool:
        runs = [
            pool.submit(compare, host, objects.directory, seen, group)
            for (host, group), seen in zip(chosen, observed, strict=True)
        ]
        pairs = [pair for run in runs for pair in run.result()]
    for line in (*differences(pairs), *table(pairs)):
        click.echo(line)
    if json_file:
        json_file.write_text(json.dumps([pair.as_json() for pair in pairs], indent=1), encoding="utf-8")
    sys.exit(0 if pairs and passes(pairs) else 1)


def _choose(objects: Corpus, hosts: Sequence[Host], only: str, *, full: bool) -> list[tuple[Host, list[Subject]]]:
    groups = {
        host.name: [each for each in objects.of(host) if only in f"{each.path} {each.family} {each.edit}"] for host in hosts
    }
    if not full:
        groups = stratified(groups, SOME)
    return [(host, groups[host.name]) for host in hosts if groups[host.name]]


if __name__ == "__main__":
    main()

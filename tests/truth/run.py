"""One run of the truth: choose pairs, ask the real loaders, predict, print."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

import click

from tests.truth.compare import compare, differences, passes, table
from tests.truth.corpus import stratified
from tests.truth.oracle import Oracle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.truth.corpus import Corpus
    from tests.truth.roots import Host

#: About so many pairs are asked where not all are.
SOME = 600


def run(hosts: Sequence[Host], objects: Corpus, *, full: bool, only: str, json_file: Path | None, jobs: int) -> bool:
    """Compare, print what differs and the table, and tell whether it is good enough."""
    groups = {
        host.name: [each for each in objects.of(host) if only in f"{each.path} {each.family} {each.edit}"] for host in hosts
    }
    if not full:
        groups = stratified(groups, SOME, {host.name for host in hosts if host.families})
    chosen = [(host, groups[host.name]) for host in hosts if groups[host.name]]
    observed = [Oracle(host=host, corpus=objects.directory).ask([each.path for each in group], jobs) for host, group in chosen]
    with ProcessPoolExecutor(jobs) as pool:
        parts = [
            pool.submit(compare, host, objects.directory, seen, group)
            for (host, group), seen in zip(chosen, observed, strict=True)
        ]
        pairs = [pair for part in parts for pair in part.result()]
    for line in (*differences(pairs), *table(pairs)):
        click.echo(line)
    if json_file:
        json_file.write_text(json.dumps([pair.as_json() for pair in pairs], indent=1), encoding="utf-8")
    return bool(pairs) and passes(pairs)

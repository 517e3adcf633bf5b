"""The wheels of matrices/ctranslate2.toml on one host: what was collected by the script, beside the root file system."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from abicheck.act.confirm.sites import make_site
from abicheck.api import Options, check
from abicheck.model.index import NotInstallable, Target
from abicheck.read.files import FactStore
from abicheck.read.hosts import Wanted, open_host
from abicheck.read.index.closure import resolve
from abicheck.read.index.store import Store
from abicheck.read.matrix import read_matrix
from containers.make_root import cache_dir

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from abicheck.model.confirm import Cell
    from abicheck.model.report import Result

MATRIX = Path(__file__).parents[2] / "matrices" / "ctranslate2.toml"
#: Where `confirm` installs; wheels of a month ago are as good here, so that no index need be asked again.
PREFIX, MONTH = "/x/site", 30 * 86_400.0


class Judged(NamedTuple):
    """How many distributions were judged on a collected host, how many fail and depend, and what is not as in the root."""

    asked: int
    fails: int
    depends: int
    differences: tuple[str, ...]


def compared(host: str, root: Path, collected: Sequence[Path]) -> list[Judged]:
    """The matrix's artifacts on each of the collected hosts beside the root."""
    results: dict[str, list[Result]] = {spec: [] for spec in (f"rootfs:{root}", *map(str, collected))}
    errors: list[str] = []
    store, wheels = FactStore(), Store(os.fspath(cache_dir()), fresh=MONTH)
    for cell in _cells(host):
        site = _site(cell, root, wheels)
        if site is not None:
            options, settings = Options(prefix=PREFIX, stored=False), dict(cell.settings)
            report = check([site], list(results), python=cell.python, settings=settings, options=options, store=store)
            errors += [f"{cell.name}: {each.target}: {each.message}" for each in report.errors]
            for result in report.results:
                results[result.host.name].append(result)
    real, *others = results.values()
    return [_beside(real, found, errors) for found in others]


def _beside(real: Sequence[Result], found: Sequence[Result], errors: Sequence[str]) -> Judged:
    differences = [
        f"{one.artifact.name} {one.artifact.version}: {one.verdict}: {one.predicted} in the root, {two.verdict}: {two.predicted}"
        for one, two in zip(real, found, strict=True)
        if (one.verdict, one.predicted, one.roots) != (two.verdict, two.predicted, two.roots)
    ]
    verdicts = [each.verdict for each in found]
    return Judged(len(found), verdicts.count("fails"), verdicts.count("depends"), (*errors, *differences))


def _cells(host: str) -> Iterator[Cell]:
    """The matrix's cells of this host, each artifact with its Python, remedy and settings once."""
    seen = set()
    for cell in read_matrix(os.fspath(MATRIX)).cells:
        key = (cell.python, cell.requirements[0], cell.remedy, cell.settings)
        if cell.host == host and key not in seen:
            seen.add(key)
            yield cell


def _site(cell: Cell, root: Path, store: Store) -> str | None:
    """The directory in which the artifact is installed with what it requires; None where there is no wheel of it."""
    found = open_host(f"rootfs:{root}", python=Wanted(cell.python))
    major, minor = cell.python.split(".")
    wheels = resolve(cell.requirements[:1], Target((int(major), int(minor)), found.arch, found.libc), store)
    return None if isinstance(wheels, NotInstallable) else make_site(wheels, os.fspath(cache_dir() / "confirm"), cell.remedy)

"""Built-in distributions beside real root file systems of the same releases: verdict and text of installed packages.

    python -m tests.truth.distributions [--roots DIR] [--sites DIR] [--json FILE]

Each site is a directory of installed packages; each of its shared objects is opened on both.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from abicheck.api.absent import absent_python
from abicheck.judge import verdict
from abicheck.judge.loader import Memo, dlopen, start
from abicheck.read.files import FactStore, Overlay, Root, View
from abicheck.read.hosts import Wanted, open_host
from containers.make_root import cache_dir

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.model.host import Host

#: By the beginning of a root's name the distribution that it is.
RELEASES = {
    "glibc-2.31": "debian:11",
    "glibc-2.36": "debian:12",
    "glibc-2.41": "debian:13",
    "glibc-2.43": "debian:14",
    "aarch64-glibc-2.41": "debian:13/aarch64",
}
#: Where a site lies in a root, and is looked for by none of its own files.
MOUNT = "/site"


class Difference(NamedTuple):
    """One object whose verdict or text is not the same."""

    root: str
    path: str
    real: str | None
    built_in: str | None
    missing: tuple[str, ...]


class Side:
    """One host with a site in it, and the process that its Python is."""

    def __init__(self, host: Host, site: Path) -> None:
        assert isinstance(host.files, Root)
        assert host.python is not None
        view = View(directory="/", local="/", only="", places=((MOUNT, str(site)),))
        files = host.files.showing(view)
        self._host = host._replace(files=files if host.python.at_hand else Overlay(files, absent_python(host)))
        self._memo = Memo()
        _, self._process = start(self._host, host.python.path, self._memo)

    def predict(self, path: str) -> tuple[str, str | None, tuple[str, ...]]:
        """Verdict, text and what is missing for it."""
        link_map, _ = dlopen(self._process, path, self._host, self._memo)
        judged = verdict.judge(link_map, "library", self._host)
        return judged.verdict, judged.predicted, tuple(each.reason for each in judged.missing_facts)


def hosts(root: Path, spec: str, store: FactStore) -> tuple[Host, Host]:
    """The real one and the built-in one, on the same CPU and kernel."""
    wanted = Wanted("3.12", may_lack=True)
    real = open_host(f"rootfs:{root}", python=wanted, store=store)
    made = open_host(spec, python=wanted, store=store)
    return real, made._replace(isa_level=real.isa_level, kernel=real.kernel, memory=real.memory, python=real.python)


def subjects(site: Path) -> list[str]:
    """Every shared object of a site, by its path there."""
    return sorted(f"{MOUNT}/{path.relative_to(site)}" for path in site.rglob("*.so*") if path.is_file())


def compare(root: Path, spec: str, sites: list[Path]) -> Iterator[tuple[bool, bool, Difference | None]]:
    """For each object whether it fails on the real root, whether it depends on the built-in host, and the difference if any."""
    store = FactStore()
    real_host, made_host = hosts(root, spec, store)
    for site in sites:
        real, made = Side(real_host, site), Side(made_host, site)
        for path in subjects(site):
            verdict_there, text_there, _ = real.predict(path)
            verdict_here, text_here, missing = made.predict(path)
            same = (verdict_there, text_there) == (verdict_here, text_here) or (verdict_here == "depends" and bool(missing))
            yield (
                verdict_there == "fails",
                verdict_here == "depends",
                None if same else Difference(root.name, f"{site.name}:{path}", text_there, text_here, missing),
            )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    """Print a line for each root and every difference; 1 where there is one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--roots", type=Path, default=cache_dir() / "confirm" / "roots")
    parser.add_argument("--sites", type=Path, default=cache_dir() / "confirm" / "sites")
    parser.add_argument("--limit", type=int, default=0, help="so many sites only")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    sites = sorted(path for path in options.sites.iterdir() if path.is_dir())[: options.limit or None]
    found = []
    asked = 0
    for root in sorted(options.roots.iterdir()):
        spec = next((spec for prefix, spec in RELEASES.items() if root.name.startswith(prefix)), None)
        if spec is None:
            continue
        outcomes = list(compare(root, spec, sites))
        different = [difference for _, _, difference in outcomes if difference is not None]
        asked += len(outcomes)
        fails, depends = sum(each[0] for each in outcomes), sum(each[1] for each in outcomes)
        _say(
            f"{root.name:32} {spec:20} {len(outcomes):6} objects {fails:5} fail {depends:4} depend {len(different):4} differ",
        )
        found += different
    for each in found[:50]:
        _say(f"{each.root}: {each.path}\n    real:     {each.real or 'loads'}")
        _say(f"    built-in: {each.built_in or 'loads'} {each.missing}")
    if options.json:
        options.json.write_text(json.dumps([each._asdict() for each in found], indent=1), encoding="utf-8")
    if not asked:
        _say(f"nothing to compare under {os.fspath(options.roots)}")
    return 1 if found or not asked else 0


if __name__ == "__main__":
    sys.exit(main())

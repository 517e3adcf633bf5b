"""Built-in Debian releases beside real root file systems of the same releases: verdict and text of every object of real wheels.

    python -m tests.truth.distributions [--full] [--json FILE]

The roots hold what is in the base image of each release, for x86-64 and aarch64, unpacked from Debian's packages. The objects are
those of the wheels of the truth's corpus; with `--full` those of all packages that `confirm` installed, too.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from abicheck.api.absent import absent_python
from abicheck.judge import verdict
from abicheck.judge.loader import Memo, dlopen, start
from abicheck.read.files import FactStore, Overlay, Root, View
from abicheck.read.hosts import Wanted, open_host
from containers.make_root import Recipe, RootError, cache_dir, make_root
from tests.truth.wheels import WheelError, unpacked
from tools import make_debian_roots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from abicheck.model.host import Host

#: The releases of which packages can still be had, and the suites that they are.
RELEASES = {"debian:11": "bullseye", "debian:12": "bookworm", "debian:13": "trixie", "debian:14": "forky"}
#: Debian's names of machines, and the end of a host's name.
MACHINES = {"amd64": "", "arm64": "/aarch64"}
#: GCC's other libraries are in no base image; the data of the package has them for those that install them.
PACKAGES = tuple(each for each in make_debian_roots.PACKAGES if each not in ("libatomic1", "libgomp1"))
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


def bases() -> Iterator[tuple[str, Path]]:
    """Each built-in release with its real root, which is made now if it is not in the cache. Raises RootError."""
    for architecture, ending in MACHINES.items():
        for spec, suite in RELEASES.items():
            root = cache_dir() / "roots" / f"base-{suite}-{architecture}"
            if not root.exists():
                make_root(Recipe(suite=suite, packages=PACKAGES, architecture=architecture), root)
            yield spec + ending, root


def run(sites: list[Path]) -> list[Difference]:
    """Compare everything, and print a line for each root."""
    found = []
    for spec, root in bases():
        outcomes = list(compare(root, spec, sites))
        different = [difference for _, _, difference in outcomes if difference is not None]
        fails, depends = sum(each[0] for each in outcomes), sum(each[1] for each in outcomes)
        _say(f"{spec:20} {len(outcomes):6} objects {fails:5} fail {depends:4} depend {len(different):4} differ")
        found += different
    return found


def main(arguments: list[str] | None = None) -> int:
    """Print a line for each root and every difference; 1 where there is one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="the packages that confirm installed, too")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    try:
        sites = unpacked(cache_dir() / "truth" / "wheels")
        if options.full:
            sites += sorted(path for path in (cache_dir() / "confirm" / "sites").glob("*") if path.is_dir())
        found = run(sites)
    except (RootError, WheelError) as error:
        _say(f"distributions: {error}")
        return 1
    for each in found[:50]:
        _say(f"{each.root}: {each.path}\n    real:     {each.real or 'loads'}")
        _say(f"    built-in: {each.built_in or 'loads'} {each.missing}")
    if options.json:
        options.json.write_text(json.dumps([each._asdict() for each in found], indent=1), encoding="utf-8")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

"""Makes a root directory with one glibc and one or more Pythons out of Debian packages, without running anything in it.

A glibc is chosen by its Debian suite; a Python comes from the suite that carries it, and apt takes every library that both want
from the newest of them. The packages are unpacked and their maintainer scripts are left alone, so a root of a foreign
architecture is as quick to make.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

#: The suite that carries each Python.
PYTHONS = {"3.9": "bullseye", "3.11": "bookworm", "3.13": "trixie", "3.14": "forky"}
SUITES = ("bullseye", "bookworm", "trixie", "forky", "sid")
RUNTIME = ("libc-bin", "libgomp1", "libstdc++6")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
#: Where a program in the root, or the one who uses it, mounts something.
MOUNT_POINTS = ("proc", "sys", "tmp", "x")
#: From trixie on, packages hold files under /usr only, and these links are made by a maintainer script.
LINK_USR = (
    'mkdir -p "$1/usr/lib" "$1/usr/lib64" "$1/usr/bin" "$1/usr/sbin"; for d in lib lib64 bin sbin; do ln -s usr/$d "$1/$d"; done'
)


class RootError(Exception):
    """The root cannot be made; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What goes into a root: the suite of its libc, its Pythons (as "3.9") and further packages.

    A package of another suite is named as apt names it: `libc6/experimental`.
    """

    suite: str
    pythons: tuple[str, ...] = ()
    packages: tuple[str, ...] = RUNTIME
    architecture: str = "amd64"

    def suites(self) -> list[str]:
        """Every suite that packages are taken from, that of the libc first."""
        unknown = [python for python in self.pythons if python not in PYTHONS]
        if unknown:
            raise RootError(f"no suite is known for Python {unknown[0]}; there are {', '.join(PYTHONS)}")
        named = [suite for package in self.packages for _, slash, suite in [package.partition("/")] if slash]
        return list(dict.fromkeys([self.suite, *named, *(PYTHONS[python] for python in self.pythons)]))


def cache_dir() -> Path:
    """Where roots and everything else that takes long to make is kept, outside the working tree."""
    chosen = os.environ.get("ABICHECK_CACHE")
    return Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "abicheck"


def find_mirror() -> str:
    """The Debian mirror that this machine's own apt uses."""
    if shutil.which("apt-get") is None:
        raise RootError("there is no apt-get to ask for a Debian mirror: name one with --mirror")
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    for line in run.stdout.splitlines():
        uri, release, component = line.split()
        if release in SUITES and component == "main":
            return uri
    raise RootError("no Debian mirror among the sources of this machine's apt: name one with --mirror")


def require(keyring: Path) -> None:
    """Refuse with one clear line where no root can be made."""
    if shutil.which("mmdebstrap") is None:
        raise RootError("mmdebstrap is not installed: apt-get install mmdebstrap")
    if os.geteuid() != 0:
        raise RootError("making a root needs root (device nodes, owners): run it with sudo")
    if not keyring.is_file():
        raise RootError(f"{keyring} is missing: apt-get install debian-archive-keyring")


def make_root(recipe: Recipe, out: Path, mirror: str | None = None, keyring: Path = KEYRING) -> None:
    """Make the root at `out`, which appears there only when it is complete."""
    require(keyring)
    if out.exists():
        raise RootError(f"{out} exists: remove it first")
    source = mirror or find_mirror()
    sources = "".join(f"deb {source} {suite} main\n" for suite in recipe.suites())
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as work:
        root = Path(work, "root")
        run = subprocess.run(_command(recipe, root, keyring), input=sources, capture_output=True, text=True, check=False)
        if run.returncode != 0:
            raise RootError(f"mmdebstrap failed for {recipe.suite}: {_reason(run.stderr)}")
        for name in MOUNT_POINTS:
            (root / name).mkdir(exist_ok=True)
        root.rename(out)


def _command(recipe: Recipe, root: Path, keyring: Path) -> list[str]:
    packages = [*(f"python{python}" for python in recipe.pythons), *recipe.packages]
    return [
        "mmdebstrap",
        "--variant=extract",
        "--mode=root",
        "--format=directory",
        f"--architectures={recipe.architecture}",
        f"--include={','.join(packages)}",
        f"--keyring={keyring}",
        '--aptopt=APT::Install-Recommends "false"',
        # Release files of testing on a mirror that lags are soon past their date.
        '--aptopt=Acquire::Check-Valid-Until "false"',
        f"--setup-hook={LINK_USR}",
        recipe.suite,
        str(root),
        "-",
    ]


def _reason(log: str) -> str:
    errors = [line for line in log.splitlines() if line.startswith("E:")]
    return (errors or log.strip().splitlines() or ["it said nothing"])[0]


def main(arguments: list[str] | None = None) -> int:
    """Make the root that the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("out", type=Path, help="the directory to make")
    parser.add_argument("--python", action="append", default=[], metavar="X.Y", help=f"of {', '.join(PYTHONS)}; may be repeated")
    parser.add_argument("--package", action="append", default=[], metavar="NAME", help="one more package; may be repeated")
    parser.add_argument("--arch", default="amd64", help="a Debian architecture, as arm64 (default: amd64)")
    parser.add_argument("--mirror", help="a Debian mirror (default: that of this machine's apt)")
    options = parser.parse_args(arguments)
    recipe = Recipe(
        suite=options.suite,
        pythons=tuple(options.python),
        packages=(*RUNTIME, *options.package),
        architecture=options.arch,
    )
    try:
        make_root(recipe, options.out, options.mirror)
    except (RootError, OSError) as error:
        print(f"make_root: {error}", file=sys.stderr)
        return 1
    print(options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())

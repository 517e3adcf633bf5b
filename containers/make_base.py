"""Makes a base image's tar, a root with one glibc or musl and some Pythons, out of Debian packages.

`docker import` and `podman import` take it. The same packages give the same bytes. Nothing of it has run: it has no shell that
was set up, no accounts, no cache of the loader.
"""

from __future__ import annotations

import argparse
import re
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).parents[1]))

from containers.make_root import PYTHONS, SUITES, Recipe, RootError, cache_dir, make_root

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What the native code of a wheel takes from every distribution. Wheels bring their own libgomp.
LIBRARIES = ("libc-bin", "libstdc++6")
#: Debian's next glibc is built before anything else is: the rest comes from unstable.
NEXT_GLIBC = ("libc6/experimental", "libc-bin/experimental", "libc-gconv-modules-extra/experimental", "libstdc++6")
BASES = {
    "glibc-2.31": Recipe(suite="bullseye", pythons=("3.9",), packages=LIBRARIES),
    "glibc-2.36": Recipe(suite="bookworm", pythons=("3.9", "3.11"), packages=LIBRARIES),
    "glibc-2.41": Recipe(suite="trixie", pythons=("3.9", "3.11", "3.13"), packages=LIBRARIES),
    "glibc-2.43": Recipe(suite="forky", pythons=("3.9", "3.11", "3.13", "3.14"), packages=LIBRARIES),
    "glibc-2.44": Recipe(suite="sid", pythons=("3.9", "3.11", "3.13", "3.14"), packages=NEXT_GLIBC),
    "aarch64-glibc-2.36": Recipe(suite="bookworm", pythons=("3.9", "3.11"), packages=LIBRARIES, architecture="arm64"),
    "aarch64-glibc-2.41": Recipe(suite="trixie", pythons=("3.9", "3.11", "3.13"), packages=LIBRARIES, architecture="arm64"),
    # musl's loader, and nothing that is built for it: Debian has no such Python.
    "musl-1.2.3": Recipe(suite="bookworm", packages=("musl", "libstdc++6")),
    "musl-1.2.5": Recipe(suite="trixie", packages=("musl", "libstdc++6")),
}
#: Left out: what engines make themselves, what tells of this machine or of today, what only people read.
LEFT_OUT = re.compile(
    "(dev|proc|sys|run|tmp|var/cache|var/log|var/lib/apt|usr/share/(man|info|locale|lintian))/"
    "|etc/(apt|resolv.conf|hostname|fstab)(/|$)|x$|.*/__pycache__(/|$)"
)
#: All files bear one time, in seconds since 1970: a package's own, and that of its unpacking, differ from run to run.
TIME = 1
_GLIBC = re.compile(rb"GNU C Library .* release version (\d+\.\d+)")


def make_base(recipe: Recipe, out: Path, mirror: str | None = None, glibc: str | None = None) -> None:
    """Make the tar at `out`, which appears there only when it is complete.

    Raises RootError where it cannot be made, and where the suite has another glibc than `glibc` by now.
    """
    if out.exists():
        raise RootError(f"{out} exists: remove it first")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as work:
        root, archive = Path(work, "root"), Path(work, "base.tar")
        make_root(recipe, root, mirror)
        found = glibc_version(root)
        if glibc is not None and found != glibc:
            raise RootError(
                f"the packages have glibc {found or 'of no known version'} now, not {glibc}: name the suite that has it"
            )
        write_tar(root, archive)
        archive.rename(out)


def open_base(name: str) -> Path:
    """The tar of the base called `name`, made now if it is not in the cache. Raises RootError."""
    if name not in BASES:
        raise RootError(f"there is no base {name}: name one of {', '.join(BASES)}")
    path = cache_dir() / "bases" / f"{name}.tar"
    if not path.exists():
        make_base(BASES[name], path, glibc=name.partition("glibc-")[2] or None)
    return path


def glibc_version(root: Path) -> str:
    """The version that the root's C library prints when it is run, as "2.41"; "" if there is none."""
    for library in sorted(root.glob("usr/lib/*/libc.so.6")):
        found = _GLIBC.search(library.read_bytes())
        if found:
            return found[1].decode("ascii")
    return ""


def write_tar(root: Path, archive: Path) -> None:
    """Write all of `root` that a program may need, sorted, with owners as numbers and one time for all."""
    with tarfile.open(archive, "w", format=tarfile.GNU_FORMAT) as tar:
        for path in _walk(root, root):
            member = tar.gettarinfo(path, str(path.relative_to(root)))
            member.mtime, member.uname, member.gname = TIME, "", ""
            if member.isreg():
                with path.open("rb") as file:
                    tar.addfile(member, file)
            else:
                tar.addfile(member)


def _walk(directory: Path, root: Path) -> Iterator[Path]:
    for path in sorted(directory.iterdir()):
        if not LEFT_OUT.match(str(path.relative_to(root))):
            yield path
            if path.is_dir() and not path.is_symlink():
                yield from _walk(path, root)


def main(arguments: list[str] | None = None) -> int:
    """Make the base that the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--name", choices=BASES, help="a base whose packages are known; without OUT it is kept in the cache")
    what.add_argument("--suite", choices=SUITES, help="the suite of its C library")
    parser.add_argument("--python", action="append", default=[], metavar="X.Y", help=f"of {', '.join(PYTHONS)}; may be repeated")
    parser.add_argument("--package", action="append", default=[], metavar="NAME[/SUITE]", help="one more; may be repeated")
    parser.add_argument("--architecture", default="amd64", help="Debian's name, as arm64 (default: amd64)")
    parser.add_argument("--mirror", help="a Debian mirror (default: that of this machine's apt)")
    parser.add_argument("out", type=Path, nargs="?", metavar="OUT.tar")
    options = parser.parse_args(arguments)
    if options.suite and not options.out:
        parser.error("name the file to make")
    packages = (*options.package, *(each for each in LIBRARIES if f"{each}/" not in "".join(options.package)))
    try:
        if options.suite:
            recipe = Recipe(
                suite=options.suite, pythons=tuple(options.python), packages=packages, architecture=options.architecture
            )
            make_base(recipe, options.out, options.mirror)
        elif options.out:
            make_base(BASES[options.name], options.out, options.mirror, options.name.partition("glibc-")[2] or None)
        print(options.out or open_base(options.name))
    except (RootError, OSError) as error:
        print(f"make_base: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Unpack what is in the base image of each Debian release that the package knows library by library, libgomp, libatomic and musl.

    python tools/make_debian_roots.py DIR

makes DIR/SUITE-ARCHITECTURE for `make_libraries.py`, in the order in which that wants them. Needs root rights and mmdebstrap.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from containers.make_base import NEXT_GLIBC
from containers.make_root import Recipe, RootError, make_root

#: `experimental` is no system of its own: unstable, with the C library of experimental.
SUITES = ("bullseye", "bookworm", "trixie", "forky", "experimental")
ARCHITECTURES = ("amd64", "arm64")
#: Essential and required packages, and apt: between them they depend on all libraries of a base image.
PACKAGES = (
    *("apt", "bash", "coreutils", "dpkg", "findutils", "grep", "gzip", "libatomic1", "libc-bin", "libgomp1", "login", "mount"),
    *("musl", "ncurses-bin", "passwd", "perl-base", "sed", "tar", "util-linux"),
)


def recipe(suite: str, architecture: str) -> Recipe:
    """What is in the root of one release."""
    if suite == "experimental":
        return Recipe(
            suite="sid", packages=(*NEXT_GLIBC, *(each for each in PACKAGES if each != "libc-bin")), architecture=architecture
        )
    return Recipe(suite=suite, packages=PACKAGES, architecture=architecture)


def main(arguments: list[str]) -> int:
    """Make what is not there yet."""
    if len(arguments) != 1:
        sys.exit(__doc__)
    directory = Path(arguments[0])
    for architecture in ARCHITECTURES:
        for suite in SUITES:
            root = directory / f"{suite}-{architecture}"
            try:
                if not root.exists():
                    make_root(recipe(suite, architecture), root)
            except (RootError, OSError) as error:
                sys.exit(f"{root}: {error}")
            print(root)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

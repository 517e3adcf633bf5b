"""What a package index offers, and what an installer would take of it for one Python on one machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from abicheck.model.host import Arch, Libc


class Target(NamedTuple):
    """The Python that something is to be installed for: CPython on Linux.

    `python` is (3, 12) or, where it is known, (3, 12, 3): some markers and Requires-Python lines ask for the patch release.
    """

    python: tuple[int, ...]
    arch: Arch
    libc: Libc
    free_threaded: bool = False


class Offer(NamedTuple):
    """One file of an index: a wheel with its `tags` (`cp312-cp312-manylinux_2_17_x86_64`, ...), or an sdist, which has none.

    `yanked` is the reason ("" where none is given), None for a file that is not yanked.
    """

    filename: str
    version: str
    tags: tuple[str, ...] = ()
    requires_python: str | None = None
    yanked: str | None = None
    sha256: str | None = None


class Wheel(NamedTuple):
    """A wheel that was fetched: where it lies on this machine, and its Requires-Dist lines as they stand.

    `yanked` is as in `Offer`, and what the index said when the wheel was fetched.
    """

    name: str
    version: str
    path: str
    sha256: str
    requires: tuple[str, ...] = ()
    yanked: str | None = None


class NotInstallable(NamedTuple):
    """The index has the release, and no wheel of it for the target.

    `text` is the last line that pip says. The rest is about the newest release that meets the requirement: its version, the
    Pythons for which it has a wheel on this kind of machine (newest first, as (3, 12)), all tags of its wheels, and whether
    there is an sdist, which abicheck never builds.
    """

    requirement: str
    text: str
    version: str
    pythons: tuple[tuple[int, int], ...] = ()
    tags: tuple[str, ...] = ()
    sdist: bool = False

    @property
    def sdist_only(self) -> bool:
        """There is no wheel for any machine."""
        return self.sdist and not self.tags


Outcome: TypeAlias = "Wheel | NotInstallable"


class Member(NamedTuple):
    """One distribution of a closure: what was asked of it in total (`numpy<3,>=1.24`), by whom, and what came of it.

    `required_by` are normalized names in the order in which they asked; "" stands for the user.
    """

    name: str
    requirement: str
    required_by: tuple[str, ...]
    outcome: Outcome

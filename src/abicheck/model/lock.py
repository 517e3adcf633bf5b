"""What a lock file holds: the releases that it pins, under which conditions, and the line on which each of them stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection

LockFormat: TypeAlias = Literal["requirements", "pylock", "uv", "poetry", "pipfile", "pdm"]

SourceKind: TypeAlias = Literal[
    "index",
    "url",  # an archive by its address
    "path",  # an archive or a directory, editable or not
    "vcs",
    "project",  # the project itself whose lock it is, and the members of its workspace
]

#: Before the name of a group in `Link.under`.
GROUP = "group:"


class Link(NamedTuple):
    """What one package asks of another: by its normalized name, with a specifier that tells several locked versions apart.

    `extras` are those that it asks for. `under` is the extra of the one that asks under which it does, None where it always does;
    `group:NAME` stands for a group.
    """

    name: str
    specifier: str = ""
    marker: str | None = None
    extras: tuple[str, ...] = ()
    under: str | None = None


class LockedPackage(NamedTuple):
    """One entry: a normalized name ("" where a bare path or address tells none), its version, and where it stands.

    `version` is None for a requirement that is not pinned, which the installer resolves within `specifier`. `hashes` are as
    in `sha256:0a1b…`; none where the file has none. `origin` is the path or address of what is from no index. `groups` are the
    sets that it belongs to, none where it belongs to all; an `optional` one is only installed where an extra asks for it.
    """

    name: str
    version: str | None
    file: str
    line: int
    specifier: str = ""
    marker: str | None = None
    extras: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    source: SourceKind = "index"
    origin: str = ""
    requires_python: str | None = None
    groups: tuple[str, ...] = ()
    optional: bool = False
    links: tuple[Link, ...] = ()
    files: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """Where it stands, as `FILE:LINE`; as `FILE` where no line is known (0)."""
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def requirement(self) -> str:
        """What it asks of an installer, without its marker (PEP 508)."""
        return self.name + (f"[{','.join(self.extras)}]" if self.extras else "") + self.specifier


class Lock(NamedTuple):
    """A lock file.

    `groups` are those that its own tool installs by default, with those that were asked for beside them; `extras` are the
    project's that were asked for. `known_groups` and `known_extras` are all that may be asked for. With `roots` what is installed
    is what they lead to through the packages' `links`; without, each package says for itself when it is. `constraints` are
    requirements that count only for what something else asks for, or what the project asks for itself. `environments` are markers
    of which one has to hold, if there are any. `passed_over` are options of pip that the file holds and that abicheck leaves to
    pip's own configuration, each with its `FILE:LINE`.
    """

    path: str
    format: LockFormat
    packages: tuple[LockedPackage, ...]
    groups: tuple[str, ...] = ()
    roots: tuple[Link, ...] | None = None
    requires_python: str | None = None
    environments: tuple[str, ...] = ()
    constraints: tuple[LockedPackage, ...] = ()
    passed_over: tuple[tuple[str, str], ...] = ()
    extras: tuple[str, ...] = ()
    known_groups: tuple[str, ...] = ()
    known_extras: tuple[str, ...] = ()


class Selection(NamedTuple):
    """What of a lock is installed on one target: from an index, with the constraints that count there, and from elsewhere."""

    packages: tuple[LockedPackage, ...]
    constraints: tuple[LockedPackage, ...] = ()
    elsewhere: tuple[LockedPackage, ...] = ()

    def of(self, names: Collection[str]) -> Selection:
        """The same with nothing but the packages of these names."""
        kept = ([each for each in part if each.name in names] for part in (self.packages, self.elsewhere))
        packages, elsewhere = map(tuple, kept)
        return Selection(packages, self.constraints, elsewhere)

"""What an upgrade changes: on which hosts something loads worse or better, and what it asks of all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from abicheck.model.report import Failure, Remedy, Severity, Tool

#: What may change, the worst first.
ChangeKind: TypeAlias = Literal[
    "newly-fails",
    "newly-not-installable",
    "newly-depends",
    "narrowed",  # fewer glibc releases than before
    "python-dropped",
    "gpu-changed",  # another major of CUDA or cuDNN
    "yanked",  # the maintainers took the new release back
    "libraries-added",  # asked of the host
    "trait-added",  # an executable stack, a newer kernel, a higher level of the CPU
    "newly-fixed",
    "still-fails",
    "widened",
    "python-added",
    "libraries-dropped",
    "trait-dropped",
    "exports-dropped",  # of the libraries that it brings
    "added",
    "removed",
    "ignored",  # it newly fails or cannot be installed, and the project has an excuse
]

SEVERITIES: dict[ChangeKind, Severity] = {
    "newly-fails": "error",
    "newly-not-installable": "error",
    "newly-depends": "warning",
    "narrowed": "warning",
    "python-dropped": "warning",
    "gpu-changed": "warning",
    "yanked": "warning",
    "libraries-added": "warning",
    "trait-added": "warning",
    "newly-fixed": "note",
    "still-fails": "note",
    "widened": "note",
    "python-added": "note",
    "libraries-dropped": "note",
    "trait-dropped": "note",
    "exports-dropped": "note",
    "added": "note",
    "removed": "note",
    "ignored": "note",
}

FailOn: TypeAlias = Literal["new", "narrowed", "any"]


class Change(NamedTuple):
    """One change of one package: from and to which version (None: it is not there), and on which hosts (none: everywhere).

    `text` says what changed in half a sentence, `predicted` is the loader's or pip's own text where there is one. `location` is
    where the new lock file pins the package, as `FILE:LINE`; `rule` is that of its first error. `why` are sentences about what
    keeps the package from a release that loads.
    """

    kind: ChangeKind
    package: str
    old: str | None
    new: str | None
    text: str
    hosts: tuple[str, ...] = ()
    predicted: str | None = None
    remedies: tuple[Remedy, ...] = ()
    location: str | None = None
    rule: str | None = None
    why: tuple[str, ...] = ()

    @property
    def severity(self) -> Severity:
        """How much it matters."""
        return SEVERITIES[self.kind]


class GateReport(NamedTuple):
    """What NEW changes of OLD; `unchanged` counts the packages on hosts of which nothing is to be said.

    `configured` says which settings are a configuration's, as in `hosts from pyproject.toml`; `expired` are
    ignores whose day is over.
    """

    tool: Tool
    old: str
    new: str
    hosts: tuple[str, ...]
    changes: tuple[Change, ...]
    unchanged: int = 0
    errors: tuple[Failure, ...] = ()
    seconds: float = 0.0
    fail_on: FailOn = "new"
    configured: str = ""
    expired: tuple[Failure, ...] = ()

    @property
    def counted(self) -> tuple[Change, ...]:
        """The changes that count.

        They are what newly fails or cannot be installed; with `narrowed` what shuts hosts or Pythons out, too; with `any` every
        warning.
        """
        counts = {
            "new": lambda change: change.severity == "error",
            "narrowed": lambda change: change.severity == "error" or change.kind in ("narrowed", "python-dropped"),
            "any": lambda change: change.severity != "note",
        }[self.fail_on]
        return tuple(filter(counts, self.changes))

    @property
    def exit_code(self) -> int:
        """1 for a change that counts, 4 where something could not be judged or an ignore has expired, else 0."""
        if self.counted:
            return 1
        return 4 if self.errors or self.expired else 0

"""What a repair changes: bits of shared objects, and nothing else but what lists their hashes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from abicheck.model.report import Failure, Tool, Verdict

#: The rules of which a repair takes the cause away.
RepairRule: TypeAlias = Literal["exec-stack-refused", "relative-rpath"]
#: What became of an artifact. The first two in a dry run: what would become of it.
RepairState: TypeAlias = Literal["repairable", "undoable", "repaired", "undone", "nothing-to-do"]


class Edit(NamedTuple):
    """Bytes of a file that others take the place of: those from `offset` on."""

    offset: int
    old: bytes
    new: bytes


class Change(NamedTuple):
    """One change of a shared object: `object` is its path below site-packages or in the wheel, `meaning` says it in words."""

    object: str
    rule: RepairRule
    edit: Edit
    meaning: str


class Check(NamedTuple):
    """What `check` says on a host: of the artifact as it was, and as it is now. The texts are None where it loads."""

    host: str
    python: str | None
    before: Verdict
    after: Verdict
    before_text: str | None
    after_text: str | None


class Repair(NamedTuple):
    """What became of one wheel or installed distribution.

    `path` is the wheel as it was given, or the `.dist-info` directory; `output` the new wheel. `objects` is how many shared
    objects were looked at, `files` are all that changed: objects, and what lists them. `backup` is what `--undo` works from.
    """

    name: str
    version: str
    kind: Literal["wheel", "distribution"]
    path: str
    state: RepairState
    objects: int
    changes: tuple[Change, ...] = ()
    files: tuple[str, ...] = ()
    output: str | None = None
    backup: str | None = None
    checks: tuple[Check, ...] = ()


class RepairReport(NamedTuple):
    """All that was repaired or undone, and what was not, for which reason."""

    tool: Tool
    repairs: tuple[Repair, ...]
    errors: tuple[Failure, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 where everything is repaired or nothing had to be; 4 where something was refused."""
        return 4 if self.errors else 0
